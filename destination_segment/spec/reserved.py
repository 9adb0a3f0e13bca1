"""The names that Segment's spec reserves, and the types it documents for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cdp_connectors.json_types import Json, JsonObject
from destination_segment.spec import values
from destination_segment.spec.paths import ABSENT
from destination_segment.spec.values import UnsendableError

_SCALAR = frozenset({"string", "number", "integer", "boolean"})
_NEITHER_STRING_NOR_NUMBER = frozenset({"object", "array", "boolean"})


@dataclass(frozen=True)
class Kind:
    """The type of a reserved name."""

    noun: str
    """Name in messages, such as "a number"."""
    convert: Callable[[Json], Json]
    """Converts a value to the type, or raises `UnsendableError`."""
    declarable: frozenset[str] = frozenset()
    """The types in the configuration form that are compatible with it."""
    impossible: frozenset[str] = _NEITHER_STRING_NOR_NUMBER
    """The JSON types whose values can never be converted."""
    blank: bool = False
    """True if a blank string is a value; otherwise the name is omitted."""
    parts: Mapping[str, "Kind"] = field(default_factory=dict)
    """For an object: the types of its reserved members."""


ReservedNames = Mapping[str, Kind]
"""Kinds by canonical name; see `canonical`."""

_STRING = Kind("a string", values.string, frozenset({"string"}), blank=True)
_NUMBER = Kind("a number", values.number, frozenset({"number"}))
_DATE = Kind("a date", values.date, frozenset({"date"}))
_STRING_OR_NUMBER = Kind("a string or a number", values.string_or_number, frozenset({"string", "number"}), blank=True)
_STRINGS = Kind("a list of strings", values.strings, impossible=_SCALAR | {"object"})
_CURRENCY = Kind("an ISO 4217 code", values.currency_code, frozenset({"string"}))


def _object(*, string_member: str, **parts: Kind) -> Kind:
    """An object; as in Segment, a string is short for an object with only `string_member`."""

    def convert(value: Json) -> JsonObject:
        if isinstance(value, str):
            return {string_member: value}
        members = {name: converted(name, part, parts) for name, part in values.mapping(value).items()}
        return {name: part for name, part in members.items() if part is not ABSENT}

    return Kind(
        "an object", convert, frozenset({"string"}), frozenset({"number", "integer", "boolean", "array"}), parts=parts
    )


_ADDRESS = _object(
    string_member="street", city=_STRING, country=_STRING, postalcode=_STRING, state=_STRING, street=_STRING
)
_COMPANY = _object(
    string_member="name",
    name=_STRING,
    id=_STRING_OR_NUMBER,
    industry=_STRING,
    employeecount=_NUMBER,
    plan=_STRING,
)

USER_TRAITS: ReservedNames = {
    "address": _ADDRESS,
    "age": _NUMBER,
    "avatar": _STRING,
    "birthday": _DATE,
    "company": _COMPANY,
    "createdat": _DATE,
    "description": _STRING,
    "email": _STRING,
    "firstname": _STRING,
    "gender": _STRING,
    "id": _STRING,
    "lastname": _STRING,
    "name": _STRING,
    "phone": _STRING,
    "title": _STRING,
    "username": _STRING,
    "website": _STRING,
}
GROUP_TRAITS: ReservedNames = {
    "address": _ADDRESS,
    "avatar": _STRING,
    "createdat": _DATE,
    "description": _STRING,
    "email": _STRING,
    "employees": _STRING_OR_NUMBER,  # a string in the spec's table, a number in the HTTP API's example
    "id": _STRING,
    "industry": _STRING,
    "name": _STRING,
    "phone": _STRING,
    "plan": _STRING,
    "website": _STRING,
}
TRACK_PROPERTIES: ReservedNames = {"currency": _CURRENCY, "revenue": _NUMBER, "value": _NUMBER}
PAGE_PROPERTIES: ReservedNames = {
    "keywords": _STRINGS,
    "name": _STRING,
    "path": _STRING,
    "referrer": _STRING,
    "search": _STRING,
    "title": _STRING,
    "url": _STRING,
}
SCREEN_PROPERTIES: ReservedNames = {"name": _STRING}


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """A name as Segment compares it: `created_at`, `createdAt` and `CreatedAt` are the same."""
    return name.replace("_", "").lower()


def kind_of(path: str, reserved: ReservedNames) -> Kind | None:
    """The kind of a reserved name, or of a member of one (`address.city`)."""
    name, _, member = path.partition(".")
    kind = reserved.get(canonical(name))
    return kind_of(member, kind.parts) if kind and member else kind


def converter(path: str, reserved: ReservedNames) -> Callable[[Json], Json] | None:
    """A function that converts a value to the type that a name is reserved for; None for a name that is not reserved.

    The function leaves null as it is, since null clears a trait, and returns `ABSENT` for a blank string where the
    type is not a string. It raises `UnsendableError`, naming the reserved name and never the value.
    """
    kind = kind_of(path, reserved)
    if kind is None:
        return None

    def convert(value: Json) -> Json:
        if value is None:
            return None
        if isinstance(value, str) and not kind.blank and not value.strip():
            return ABSENT
        try:
            return kind.convert(value)
        except UnsendableError as error:
            if kind.parts and isinstance(value, dict):
                raise UnsendableError(f"'{path}' has an invalid member: {error}") from error
            raise UnsendableError(f"'{path}' {error}") from error

    return convert


def converted(path: str, value: Json, reserved: ReservedNames) -> Json:
    """The value in its reserved type, or as it is; see `converter`."""
    convert = converter(path, reserved)
    return convert(value) if convert else value


def collision(path: str, declared: str, reserved: ReservedNames) -> str | None:
    """A message if a name is declared with a type other than the one it is reserved for; otherwise None."""
    kind = kind_of(path, reserved)
    if kind is None or declared in {"as_is", *kind.declarable}:
        return None
    return (
        f"maps '{path}' as {declared}, but Segment expects {kind.noun} under this reserved name; use another name or "
        "type"
    )
