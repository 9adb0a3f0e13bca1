"""Comparing what a connector emitted with what the sandbox has, row by row."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

JsonObject = dict[str, Any]


def by_key(records: Iterable[JsonObject], stream: Mapping[str, Any]) -> dict[tuple[Any, ...], JsonObject]:
    """The records by the primary key of the discovered stream; of several with one key, the last.

    Null fields are left out: the CDK omits them from what it writes, which says the same to a destination.
    """
    keys = [path[0] for path in stream["source_defined_primary_key"]]
    return {tuple(record.get(key) for key in keys): _without_nulls(record) for record in records}


def without(record: JsonObject, *fields: str) -> JsonObject:
    """The record without some fields."""
    return {name: value for name, value in record.items() if name not in fields}


def comparable(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Rows in a form to compare, duplicates included, in a fixed order."""
    return sorted(json.dumps(_without_nulls(row), sort_keys=True) for row in rows)


def _without_nulls(record: Mapping[str, Any]) -> JsonObject:
    return {name: value for name, value in record.items() if value is not None}


def is_counted(row: JsonObject) -> bool:
    """Whether the row has more than the zeros that replace what another reading of "Eastern time" has written."""
    return any(value for name, value in row.items() if isinstance(value, int) and not name.endswith("_id"))
