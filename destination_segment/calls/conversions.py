"""Conversion of values that become traits, properties or context."""

from collections.abc import Callable, Mapping

from cdp_connectors.json_types import Json
from destination_segment.spec.paths import ABSENT
from destination_segment.spec.reserved import ReservedNames, converter
from destination_segment.spec.values import with_offset

Conversion = Callable[[Json], Json]
"""Takes a value and returns it converted, or `ABSENT`; raises `UnsendableError`."""


class Conversions:
    """The conversions of one stream's fields: times get an offset, reserved names their type."""

    def __init__(self, reserved: ReservedNames, properties: Mapping[str, Json]) -> None:
        self._reserved = reserved
        self._properties = properties

    def of(self, name: str, path: str) -> Conversion | None:
        """The conversion of the field at `path`, sent as `name`; None if its value is sent unchanged."""
        dated, typed = offset_conversion(_schema_at(path, self._properties)), converter(name, self._reserved)
        if dated is None or typed is None:
            return typed or dated
        return lambda value: typed(dated(value))


def offset_conversion(schema: Json) -> Conversion | None:
    """A function that adds the offset of UTC to local times in a schema's date-times; None if it declares none."""
    if not isinstance(schema, Mapping):
        return None
    if schema.get("format") == "date-time" or str(schema.get("airbyte_type", "")).startswith("timestamp"):
        return with_offset
    declared = schema.get("properties")
    members = {
        name: conversion
        for name, inner in (declared.items() if isinstance(declared, Mapping) else ())
        if (conversion := offset_conversion(inner))
    }
    items = offset_conversion(schema.get("items"))
    alternatives = [
        conversion
        for keyword in ("oneOf", "anyOf")
        for option in schema.get(keyword, [])
        if (conversion := offset_conversion(option))
    ]
    if not (members or items or alternatives):
        return None

    def convert(value: Json) -> Json:
        if isinstance(value, dict) and members:
            value = {name: members[name](inner) if name in members else inner for name, inner in value.items()}
        if isinstance(value, list) and items:
            value = [items(item) for item in value]
        for alternative in alternatives:
            value = alternative(value)
        return value

    return convert


def _schema_at(path: str, properties: Mapping[str, Json]) -> Json:
    if path in properties:
        return properties[path]
    name, _, rest = path.partition(".")
    inner = properties.get(name) if rest else None
    declared = inner.get("properties") if isinstance(inner, Mapping) else None
    return _schema_at(rest, declared) if isinstance(declared, Mapping) else None


def applied(conversion: Conversion | None, value: Json) -> Json:
    """The converted value; null stays null."""
    return value if conversion is None or value is None or value is ABSENT else conversion(value)
