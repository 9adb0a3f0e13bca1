"""Comparing a connector's rows with the sandbox's."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

JsonObject = dict[str, Any]


def by_key(records: Iterable[JsonObject], stream: Mapping[str, Any]) -> dict[tuple[Any, ...], JsonObject]:
    """The records by the primary key of the discovered stream; the last of several with the same key.

    Null fields are omitted, as in the CDK's output; to a destination, this means the same.
    """
    keys = [path[0] for path in stream["source_defined_primary_key"]]
    return {tuple(record.get(key) for key in keys): _without_nulls(record) for record in records}


def without(record: JsonObject, *fields: str) -> JsonObject:
    """The record without some fields."""
    return {name: value for name, value in record.items() if name not in fields}


def comparable(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Rows in comparable form, including duplicates, in a fixed order."""
    return sorted(json.dumps(_without_nulls(row), sort_keys=True) for row in rows)


def _without_nulls(record: Mapping[str, Any]) -> JsonObject:
    return {name: value for name, value in record.items() if value is not None}


def is_counted(row: JsonObject) -> bool:
    """True unless the row has only the zeros that replace counts under another interpretation of "Eastern time"."""
    return any(value for name, value in row.items() if isinstance(value, int) and not name.endswith("_id"))
