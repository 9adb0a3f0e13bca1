"""Rules of Segment's tracking plans: which events a workspace expects, and with which properties."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError, ValidationError

from cdp_connectors.json_types import Json
from destination_segment.spec.values import UnsendableError

_CALL_TYPES = {"TRACK": "Track", "IDENTIFY": "Identify", "GROUP": "Group", "PAGE": "Page", "SCREEN": "Screen"}
_LIVE_TYPES = frozenset({"LIVE", "ENGAGE"})
_COMMON = "COMMON"
_VIOLATIONS_NAMED = 3


@dataclass(frozen=True)
class Rule:
    """One rule of a tracking plan, in its newest version."""

    plan: str
    """The plan's name, or its id if it has none."""
    call_type: str
    """`Track`, `Identify`, `Group`, `Page` or `Screen`."""
    key: str
    """The event's or view's name; empty for rules about traits."""
    schemas: tuple[Mapping[str, Json], ...] = field(hash=False)
    """JSON schemas of the complete call: the rule's own, and the plan's for every call."""

    @property
    def bag(self) -> Mapping[str, Json]:
        """The JSON schema of the traits or properties."""
        name = "traits" if self.call_type in {"Identify", "Group"} else "properties"
        properties = self.schemas[0].get("properties")
        bag = properties.get(name) if isinstance(properties, Mapping) else None
        return bag if isinstance(bag, Mapping) else {}

    def require(self, body: Mapping[str, Json]) -> None:
        """Check the body of a call against the rule.

        Raises:
            UnsendableError: the body violates it; the message names the rule and the properties, never a value.
        """
        violations = sorted({_violation(error) for error in self._errors(body)})
        if violations:
            more = f" and {len(violations) - _VIOLATIONS_NAMED} more" * (len(violations) > _VIOLATIONS_NAMED)
            listed = "; ".join(violations[:_VIOLATIONS_NAMED])
            title = f"{self.call_type}: {self.key}" if self.key else self.call_type
            raise UnsendableError(f"violates the rule '{title}' of the tracking plan '{self.plan}': {listed}{more}")

    @cached_property
    def _validators(self) -> list[Draft7Validator]:
        return [Draft7Validator(schema) for schema in self.schemas]

    def _errors(self, body: Mapping[str, Json]) -> Iterator[ValidationError]:
        for validator in self._validators:
            yield from validator.iter_errors(body)


def rules_of(plans: Iterable[tuple[Mapping[str, Json], list[Mapping[str, Json]]]]) -> list[Rule]:
    """The rules of live plans, each in its newest version, from the Public API's plans and their rules."""
    found = []
    for plan, rules in plans:
        if plan.get("type") not in _LIVE_TYPES:
            continue
        common = [rule["jsonSchema"] for rule in rules if rule.get("type") == _COMMON and _has_schema(rule)]
        newest: dict[tuple[str, str], Mapping[str, Json]] = {}
        for rule in sorted(rules, key=lambda rule: rule.get("version") or 0):
            if rule.get("type") in _CALL_TYPES and _has_schema(rule):
                newest[rule["type"], rule.get("key") or ""] = rule
        found += [
            Rule(plan.get("name") or plan["id"], _CALL_TYPES[kind], key, (rule["jsonSchema"], *common))
            for (kind, key), rule in newest.items()
        ]
    return found


def _has_schema(rule: Mapping[str, Json]) -> bool:
    """True if a rule has a valid schema that can be applied without fetching another."""
    schema = rule.get("jsonSchema")
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError:
        return False
    return isinstance(schema, Mapping) and not _has_foreign_reference(schema)


def _has_foreign_reference(value: Json) -> bool:
    if isinstance(value, list):
        return any(map(_has_foreign_reference, value))
    if not isinstance(value, Mapping):
        return False
    reference = value.get("$ref", "#")
    return not (isinstance(reference, str) and reference.startswith("#")) or any(
        map(_has_foreign_reference, value.values())
    )


def _violation(error: ValidationError) -> str:
    place = ".".join(str(step) for step in error.absolute_path if isinstance(step, str))
    if error.validator == "required" and isinstance(error.instance, Mapping):
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{', '.join(f'{place}.{name}'.lstrip('.') for name in missing)} missing"
    if error.validator == "type":
        return f"{place} is not of type {error.validator_value}".replace("'", "")
    return f"{place or 'the call'} does not satisfy '{error.validator}'"
