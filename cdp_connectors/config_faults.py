"""The faults of a configuration, described without any of its values."""

from collections.abc import Iterable, Mapping

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from cdp_connectors.json_types import Json

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "empty",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
_EXPECTATIONS = {
    "const": "must be {}",
    "pattern": "does not have the format given in its description",
    "minLength": "is too short",
    "maxLength": "is too long",
    "minItems": "must have at least {} entries",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
}


def config_fault(config: Json, specification: Mapping[str, Json]) -> str | None:
    """The faults of a configuration, as a string that names the fields and quotes no value; None if it has none.

    The JSON schema library quotes the invalid value, which may be a secret or contain one.

    Args:
        config: the configuration.
        specification: the JSON schema of the connector's spec.
    """
    errors = sorted(Draft7Validator(specification).iter_errors(config), key=lambda error: list(map(str, error.path)))
    faults = dict.fromkeys(fault for error in errors for fault in _faults(error, specification))
    return " ".join(faults) or None


def _faults(error: ValidationError, specification: Mapping[str, Json]) -> Iterable[str]:
    if error.validator in {"oneOf", "anyOf"}:
        yield from _faults_of_options(error, specification)
    elif error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield f"{_place([*error.absolute_path, name])} is missing."
    else:
        yield f"{_place(error.absolute_path)} {_expectation(error)}."


def _faults_of_options(error: ValidationError, specification: Mapping[str, Json]) -> Iterable[str]:
    """The faults of the option that the configuration selects by its constant, or the options to choose from.

    Without a constant that all options share, Airbyte could not render the form.
    """
    if not isinstance(error.instance, Mapping):
        yield f"{_place(error.absolute_path)} must be an object."
        return
    names: dict[str, list[Json]] = {}
    for option in error.validator_value:
        for name, field in option.get("properties", {}).items():
            if "const" in field:
                names.setdefault(name, []).append(field["const"])
    chosen = [
        index
        for index, option in enumerate(error.validator_value)
        if any(error.instance.get(name) == option["properties"].get(name, {}).get("const", ...) for name in names)
    ]
    for nested in error.context or ():
        if nested.schema_path[0] in chosen:
            yield from _faults(nested, specification)
    if not chosen:
        for name, values in names.items():
            yield f"{_place([*error.absolute_path, name])} must be one of: {', '.join(map(str, values))}."


def _expectation(error: ValidationError) -> str:
    expected = error.validator_value
    if error.validator == "type":
        kinds = expected if isinstance(expected, list) else [expected]
        return f"must be {' or '.join(_KINDS[kind] for kind in kinds)}"
    if error.validator == "enum":
        return f"must be one of: {', '.join(map(str, expected))}"
    return _EXPECTATIONS.get(str(error.validator), "is not valid").format(expected)


def _place(path: Iterable[str | int]) -> str:
    names = [str(part) for part in path]
    return f"'{'.'.join(names)}'" if names else "The configuration"
