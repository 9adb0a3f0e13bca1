"""The names that Segment's spec reserves, and the types it documents for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from destination_segment.spec import values
from destination_segment.spec.values import UnsendableError

_SCALAR = frozenset({"string", "number", "integer", "boolean"})
_NO_TEXT_OR_NUMBER = frozenset({"object", "array", "boolean"})


@dataclass(frozen=True)
class Kind:
    """The type of a reserved name."""

    noun: str
    """As a sentence names it: "a number"."""
    convert: Callable[[Any], Any]
    """Puts a value into the type, or raises `UnsendableError`."""
    declarable: frozenset[str] = frozenset()
    """The types of the configuration's form that agree with it."""
    impossible: frozenset[str] = _NO_TEXT_OR_NUMBER
    """The JSON types whose values can never be converted."""
    parts: Mapping[str, "Kind"] = field(default_factory=dict)
    """Of an object: the types of its reserved parts."""


ReservedNames = Mapping[str, Kind]
"""Kinds by name, in the form that `canonical` gives."""

_TEXT = Kind("a text", values.text, frozenset({"string"}))
_NUMBER = Kind("a number", values.number, frozenset({"number"}))
_DATE = Kind("a date", values.date, frozenset({"date"}))
_TEXT_OR_NUMBER = Kind("a text or a number", values.text_or_number, frozenset({"string", "number"}))
_TEXTS = Kind("a list of texts", values.texts, impossible=_SCALAR | {"object"})
_CURRENCY = Kind("an ISO 4217 code", values.currency_code, frozenset({"string"}))


def _object(**parts: Kind) -> Kind:
    def convert(value: Any) -> dict[str, Any]:  # noqa: ANN401 # as all values
        try:
            return {name: converted(name, part, parts) for name, part in values.mapping(value).items()}
        except UnsendableError as unfit:
            raise UnsendableError(f"has an unfit part: {unfit}" if isinstance(value, dict) else str(unfit)) from unfit

    return Kind("an object", convert, impossible=_SCALAR | {"array"}, parts=parts)


_ADDRESS = _object(city=_TEXT, country=_TEXT, postalcode=_TEXT, state=_TEXT, street=_TEXT)

USER_TRAITS: ReservedNames = {
    "address": _ADDRESS,
    "age": _NUMBER,
    "avatar": _TEXT,
    "birthday": _DATE,
    "company": _object(name=_TEXT, id=_TEXT_OR_NUMBER, industry=_TEXT, employeecount=_NUMBER, plan=_TEXT),
    "createdat": _DATE,
    "description": _TEXT,
    "email": _TEXT,
    "firstname": _TEXT,
    "gender": _TEXT,
    "id": _TEXT,
    "lastname": _TEXT,
    "name": _TEXT,
    "phone": _TEXT,
    "title": _TEXT,
    "username": _TEXT,
    "website": _TEXT,
}
GROUP_TRAITS: ReservedNames = {
    "address": _ADDRESS,
    "avatar": _TEXT,
    "createdat": _DATE,
    "description": _TEXT,
    "email": _TEXT,
    "employees": _TEXT_OR_NUMBER,  # a text in the spec's table, a number in the HTTP API's example
    "id": _TEXT,
    "industry": _TEXT,
    "name": _TEXT,
    "phone": _TEXT,
    "plan": _TEXT,
    "website": _TEXT,
}
TRACK_PROPERTIES: ReservedNames = {"currency": _CURRENCY, "revenue": _NUMBER, "value": _NUMBER}
PAGE_PROPERTIES: ReservedNames = {
    "keywords": _TEXTS,
    "name": _TEXT,
    "path": _TEXT,
    "referrer": _TEXT,
    "search": _TEXT,
    "title": _TEXT,
    "url": _TEXT,
}
SCREEN_PROPERTIES: ReservedNames = {"name": _TEXT}


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """A name as Segment compares it: `created_at`, `createdAt` and `CreatedAt` are one."""
    return name.replace("_", "").lower()


def kind_of(path: str, reserved: ReservedNames) -> Kind | None:
    """The kind of a reserved name, or of a part of one (`address.city`)."""
    name, _, part = path.partition(".")
    kind = reserved.get(canonical(name))
    return kind_of(part, kind.parts) if kind and part else kind


def converted(path: str, value: Any, reserved: ReservedNames) -> Any:  # noqa: ANN401 # any JSON value
    """The value in its reserved type, or as it is; null stays null, which clears a trait.

    Raises:
        UnsendableError: naming the reserved name, never the value.
    """
    kind = kind_of(path, reserved)
    if kind is None or value is None:
        return value
    try:
        return kind.convert(value)
    except UnsendableError as unfit:
        raise UnsendableError(f"'{path}' {unfit}") from unfit


def collision(path: str, declared: str, reserved: ReservedNames) -> str | None:
    """A sentence about a name that is declared with another type than it is reserved for; None if all is well."""
    kind = kind_of(path, reserved)
    if kind is None or declared in {"as_is", *kind.declarable}:
        return None
    return f"declares '{path}' as {declared}, but Segment reserves it for {kind.noun}; choose another name or type"
