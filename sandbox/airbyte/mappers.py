"""Mappers: changes that a connection makes to records between source and destination."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.airbyte.protocol import JsonObject


class Mapper(Protocol):
    """Changes or removes the records of one stream, and its schema accordingly."""

    stream: str

    def schema(self, json_schema: JsonObject) -> JsonObject:
        """The JSON schema after this mapper."""

    def record(self, data: JsonObject) -> JsonObject | None:
        """The data after this mapper, or None if the record is removed."""


@dataclass(frozen=True)
class HashField:
    """Replace a field with its hexadecimal SHA-256, under the name `<field>_hashed`."""

    stream: str
    field: str

    def schema(self, json_schema: JsonObject) -> JsonObject:
        """The schema with the renamed field, a string."""
        properties = {name: value for name, value in json_schema["properties"].items() if name != self.field}
        return {**json_schema, "properties": {**properties, f"{self.field}_hashed": {"type": "string"}}}

    def record(self, data: JsonObject) -> JsonObject | None:
        """The data with the hashed field."""
        if self.field not in data:
            return data
        hashed = hashlib.sha256(str(data[self.field]).encode()).hexdigest()
        return {**{name: data[name] for name in data if name != self.field}, f"{self.field}_hashed": hashed}


@dataclass(frozen=True)
class RowFilter:
    """Keep only the records that satisfy a condition."""

    stream: str
    keeps: Callable[[Mapping[str, Any]], bool]

    def schema(self, json_schema: JsonObject) -> JsonObject:
        """The schema, unchanged."""
        return json_schema

    def record(self, data: JsonObject) -> JsonObject | None:
        """The data, or None."""
        return data if self.keeps(data) else None
