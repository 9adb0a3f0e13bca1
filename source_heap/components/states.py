"""Validation of saved states."""

from dataclasses import fields
from typing import TypeGuard

from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json, JsonObject
from source_heap.table_history import TableHistory

MISSED_COLUMNS = "missed_columns"


def table_state_fault(state: Json) -> str | None:
    """The problem with a table's saved position, or None; an empty state is the beginning."""
    if not isinstance(state, dict):
        return "it is not an object"
    if not state:
        return None
    reading = state.get("reading")
    is_valid = {
        "settled_through_dump_id": _is_int(state.get("settled_through_dump_id")),
        "settled_dump_ids": _is_list(state.get("settled_dump_ids"), int),
        "settled_manifests_until": isinstance(state.get("settled_manifests_until"), str),
        "full_dump_id": state.get("full_dump_id") is None or _is_int(state["full_dump_id"]),
        "reading": reading is None
        or (isinstance(reading, dict) and _is_int(reading.get("dump_id")) and isinstance(reading.get("file"), str)),
        MISSED_COLUMNS: _is_list(state.get(MISSED_COLUMNS, []), str),
    }
    return next((f"'{name}' is missing or has a wrong type" for name, valid in is_valid.items() if not valid), None)


def companion_state_fault(state: Json) -> str | None:
    """The problem with the saved state of `_heap_tables`, or None; an empty state is the beginning."""
    if not isinstance(state, dict):
        return "it is not an object"
    if not state:
        return None
    tables, size = state.get("tables"), len(fields(TableHistory))
    if not isinstance(tables, dict) or not all(_is_list(each, int) and len(each) == size for each in tables.values()):
        return "'tables' is missing or has a wrong type"
    return table_state_fault(state.get("position"))


def damaged_state(fault: str) -> AirbyteTracedException:
    """The error for a stream whose saved state is damaged."""
    return config_error(f"The saved state of this stream is damaged: {fault}. Reset the stream.")


def _is_int(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list(value: Json, kind: type) -> TypeGuard[list[JsonObject]]:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)
