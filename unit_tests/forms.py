"""Schemas that Airbyte's configuration form cannot render, according to its source code."""

from collections.abc import Iterator

from cdp_connectors.json_types import Json, JsonObject

_COMPOSITIONS = ("anyOf", "allOf", "not", "if", "$ref", "patternProperties")


def form_problems(schema: Json, path: str = "") -> Iterator[str]:
    """Yield the parts of a configuration's JSON schema that the form cannot show, or shows incorrectly."""
    if not isinstance(schema, dict):
        yield f"{path}: is not a schema"
        return
    for keyword in _COMPOSITIONS:
        if keyword in schema:
            yield f"{path}: {keyword} cannot be rendered"
    if not isinstance(schema.get("type"), str):
        yield f"{path}: needs one type"
    if "exclusiveMinimum" in schema or "exclusiveMaximum" in schema:
        yield f"{path}: exclusive bounds are ignored"
    if str(schema.get("format", "")).startswith("date") and "pattern" in schema:
        yield f"{path}: a date picker would appear and forbid other spellings"
    yield from _array_problems(schema, path)
    yield from _option_problems(schema, path)
    for name, inner in (schema.get("properties") or {}).items():
        yield from form_problems(inner, f"{path}.{name}".lstrip("."))


def _array_problems(schema: JsonObject, path: str) -> Iterator[str]:
    if schema.get("type") != "array":
        return
    items = schema.get("items")
    if not isinstance(items, dict):
        yield f"{path}: an array needs items"
        return
    if "oneOf" in items:
        yield f"{path}[]: items that are a oneOf cannot be added, and crash the page when they are shown"
    if items.get("type") == "array":
        yield f"{path}[]: an array of arrays cannot be rendered"
    yield from form_problems({name: value for name, value in items.items() if name != "oneOf"}, f"{path}[]")


def _option_problems(schema: JsonObject, path: str) -> Iterator[str]:
    options = schema.get("oneOf")
    if options is None:
        return
    if schema.get("type") != "object":
        yield f"{path}: a oneOf must be an object"
    constants = [_constants(option) for option in options]
    if not set.intersection(*map(set, constants)):
        yield f"{path}: the options share no constant that distinguishes them"
    for option, known in zip(options, constants, strict=True):
        title = option.get("title")
        if not title:
            yield f"{path}: an option has no title"
        yield from form_problems(option, f"{path}<{title}>")
        if not set(known) <= set(option.get("required", [])):
            yield f"{path}<{title}>: the constant must be required"


def _constants(option: JsonObject) -> list[str]:
    return [name for name, inner in (option.get("properties") or {}).items() if "const" in inner]
