"""Data activation: the objects that Airbyte's mapping form offers, and the calls that their records become.

Airbyte asks a destination for its objects with `discover`. A connection then maps the fields of a stream to the fields
of one object, and the records arrive under those names.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from cdp_connectors.json_types import Json, JsonObject
from destination_segment.calls.tracking_plans import Rule
from destination_segment.configuration.mapping import Call
from destination_segment.spec.reserved import (
    GROUP_TRAITS,
    PAGE_PROPERTIES,
    SCREEN_PROPERTIES,
    TRACK_PROPERTIES,
    USER_TRAITS,
    Kind,
    ReservedNames,
)

_STRING = {"type": ["null", "string"]}
_TIMESTAMP = {"type": ["null", "string"], "format": "date-time"}
_CONTEXT = "context."
_CONTEXT_FIELDS = (
    "ip",
    "locale",
    "timezone",
    "userAgent",
    "page.url",
    "campaign.name",
    "campaign.source",
    "campaign.medium",
    "campaign.term",
    "campaign.content",
)
_SPELLINGS = {
    "firstname": "firstName",
    "lastname": "lastName",
    "createdat": "createdAt",
    "postalcode": "postalCode",
    "employeecount": "employee_count",
}
_FIELDS_OF_IDS = {
    "userId": "user_id_field",
    "anonymousId": "anonymous_id_field",
    "timestamp": "timestamp_field",
    "event": "event_name_field",
    "groupId": "group_id_field",
    "previousId": "previous_id_field",
}
_FIELDS_OF_VIEWS = {**_FIELDS_OF_IDS, "name": "name_field"}


class UnknownObjectError(ValueError):
    """A stream is mapped to an unknown object, or lacks fields that the object requires."""


@dataclass(frozen=True)
class Operation:
    """One object that streams can be mapped to."""

    object_name: str
    call_type: str
    fields: Mapping[str, Json]
    """JSON schemas by field."""
    required: Sequence[str] = ()
    matching_keys: Sequence[str] = ()
    rule: Rule | None = None

    def messages(self) -> Iterator[JsonObject]:
        """The object's operations in protocol 0.18: `append_dedup` if it has matching keys, and `append`."""
        schema = {
            "type": "object",
            "properties": dict(self.fields),
            "required": list(self.required),
            "additionalProperties": True,
        }
        if self.matching_keys:
            keys = [[key] for key in self.matching_keys]
            yield self._message("append_dedup", schema) | {"matching_keys": keys}
        yield self._message("append", schema)

    def _message(self, sync_mode: str, schema: JsonObject) -> JsonObject:
        return {"object_name": self.object_name, "sync_mode": sync_mode, "json_schema": schema}

    def call_settings(self, properties: Mapping[str, Json]) -> Call:
        """The call for records with these fields; if the object has none of them, all of its own fields are used.

        Raises:
            UnknownObjectError: a required field is not mapped.
        """
        mapped = properties if any(name in self.fields for name in properties) else self.fields
        settings: JsonObject = {"call_type": self.call_type.lower()}
        places = _FIELDS_OF_VIEWS if self.call_type in {"Page", "Screen"} else _FIELDS_OF_IDS
        settings |= {setting: name for name, setting in places.items() if name in mapped and name in self.fields}
        if self.rule and self.rule.key:
            settings["event_name" if self.call_type == "Track" else "name"] = self.rule.key
        context = [name for name in mapped if name.startswith(_CONTEXT)]
        settings["context"] = [{"name": name.removeprefix(_CONTEXT), "field": name} for name in context]
        try:
            call: Call = _CALL.validate_python(settings)
        except ValidationError as error:
            ids = [] if "userId" in self.required else ["userId or anonymousId"]
            needed = ", ".join([*ids, *self.required])
            raise UnknownObjectError(f"is mapped to '{self.object_name}', which needs the fields {needed}.") from error
        return call

    def require(self, body: Mapping[str, Json]) -> None:
        """Check the body of a call against the tracking plan's rule, if there is one.

        Raises:
            UnsendableError: the body violates the rule.
        """
        if self.rule:
            self.rule.require(body)


_CALL: TypeAdapter[Json] = TypeAdapter(Call)


class Activation:
    """The objects of one workspace."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._operations = {each.object_name: each for each in (*_basic_operations(), *_rule_operations(rules))}

    @staticmethod
    def needs_rules(object_name: str) -> bool:
        """True if an object can only come from a tracking plan."""
        return object_name not in {each.object_name for each in _basic_operations()}

    def catalog(self) -> JsonObject:
        """The message that `discover` prints."""
        operations = [message for operation in self._operations.values() for message in operation.messages()]
        return {"type": "DESTINATION_CATALOG", "destination_catalog": {"operations": operations}}

    def operation(self, object_name: str) -> Operation:
        """The object with this name.

        Raises:
            UnknownObjectError: no object has this name.
        """
        operation = self._operations.get(object_name)
        if operation is None:
            raise UnknownObjectError(
                f"is mapped to the object '{object_name}', which Segment does not have. Refresh the destination's "
                "schema; objects of a tracking plan also need the Public API token."
            )
        return operation


def _basic_operations() -> list[Operation]:
    track = {"event": _STRING, **_fields(TRACK_PROPERTIES)}
    view = {"name": _STRING}
    return [
        Operation("identify", "Identify", _common() | _fields(USER_TRAITS), (), ("userId", "anonymousId")),
        Operation("track", "Track", _common() | track, ("event",)),
        Operation(
            "group", "Group", _common() | {"groupId": _STRING} | _fields(GROUP_TRAITS), ("groupId",), ("groupId",)
        ),
        Operation("page", "Page", _common() | view | _fields(PAGE_PROPERTIES)),
        Operation("screen", "Screen", _common() | view | _fields(SCREEN_PROPERTIES)),
        Operation(
            "alias",
            "Alias",
            {"userId": _STRING, "previousId": _STRING, "timestamp": _TIMESTAMP},
            ("userId", "previousId"),
        ),
    ]


def _rule_operations(rules: Sequence[Rule]) -> Iterator[Operation]:
    titles = Counter((rule.call_type, rule.key) for rule in rules)
    for rule in rules:
        title = f"{rule.call_type}: {rule.key}" if rule.key else rule.call_type
        shared = not rule.key or titles[rule.call_type, rule.key] > 1
        declared = rule.bag.get("properties")
        fields = dict(declared) if isinstance(declared, Mapping) else {}
        required = [name for name in rule.bag.get("required") or [] if isinstance(name, str)]
        ids = {"groupId": _STRING} if rule.call_type == "Group" else {}
        keys = {"Identify": ("userId", "anonymousId"), "Group": ("groupId",)}.get(rule.call_type, ())
        yield Operation(
            f"{title} ({rule.plan})" if shared else title,
            rule.call_type,
            _common() | ids | fields,
            [*ids, *required],
            keys,
            rule,
        )


def _common() -> JsonObject:
    context = {f"{_CONTEXT}{name}": _STRING for name in _CONTEXT_FIELDS}
    return {"userId": _STRING, "anonymousId": _STRING, "timestamp": _TIMESTAMP, **context}


def _fields(reserved: ReservedNames, prefix: str = "") -> JsonObject:
    fields: JsonObject = {}
    for canonical_name, kind in reserved.items():
        name = prefix + _SPELLINGS.get(canonical_name, canonical_name)
        fields |= _fields(kind.parts, f"{name}.") if kind.parts else {name: _schema(kind)}
    return fields


def _schema(kind: Kind) -> JsonObject:
    if "number" in kind.declarable:
        return {"type": ["null", "string", "number"]} if "string" in kind.declarable else {"type": ["null", "number"]}
    if "date" in kind.declarable:
        return _TIMESTAMP
    return _STRING if "string" in kind.declarable else {"type": ["null", "array"], "items": {"type": "string"}}
