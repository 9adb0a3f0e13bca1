"""The faults of saved states, in every form in which the CDK saves one."""

import pytest

from cdp_connectors.json_types import JsonObject
from cdp_connectors.states import state_fault

CURSOR: JsonObject = {
    "type": "DatetimeBasedCursor",
    "cursor_field": "{{ config['field'] }}",
    "cursor_datetime_formats": ["{{ config['format'] }}"],
    "datetime_format": "%s",
}
CONFIG = {"field": "at", "format": "%Y-%m-%d"}
NOT_A_DATE = "'at' is not a date of the form that this stream writes"
FOREIGN = "it does not contain 'at', so it belongs to another stream or is damaged"


def of_partitions(*cursors: object) -> JsonObject:
    return {"states": [{"partition": {"id": 1}, "cursor": cursor} for cursor in cursors]}


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ({}, None),
        ({"at": "2026-01-01"}, None),
        ({"at": 1767225600}, None),
        ({"at": "1767225600"}, None),
        ({"at": "yesterday"}, NOT_A_DATE),
        ({"at": 1.5}, NOT_A_DATE),
        ({"at": None}, NOT_A_DATE),
        ({"until": "2026-01-01"}, FOREIGN),
        ({"__ab_no_cursor_state_message": True}, None),
        ({"slices": [], "state_type": "date-range"}, None),
        ({"slices": {}, "state_type": "date-range"}, "'slices' is not an array"),
        ({"state_type": "date-range"}, None),
        ({"state": {"at": "2026-01-01"}}, None),
        ({"state": {"at": "yesterday"}}, NOT_A_DATE),
        ({"state": []}, None),
        ({"state": ["at"]}, "a cursor is not an object"),
        ({"use_global_cursor": True, "states": None}, "'states' is not an array"),
        ({"use_global_cursor": True}, None),
        ({"states": ["1"]}, "a member of 'states' has no partition"),
        ({"states": [{"cursor": {"at": "2026-01-01"}}]}, "a member of 'states' has no partition"),
        (of_partitions({"at": "2026-01-01"}, {"at": "2026-01-02"}), None),
        (of_partitions({"at": "2026-01-01"}, {"at": "yesterday"}), NOT_A_DATE),
        (of_partitions(None), "a cursor is not an object"),
        (of_partitions({"until": "2026-01-01"}), FOREIGN),
        ({"at": "2026-01-01", "states": "damaged"}, None),
    ],
)
def test_the_fault_of_a_state(state: JsonObject, fault: str | None) -> None:
    assert state_fault({"incremental_sync": CURSOR}, state, CONFIG) == fault


@pytest.mark.parametrize("stream", [{}, {"incremental_sync": {**CURSOR, "type": "CustomIncrementalSync"}}])
def test_a_stream_without_dates_has_no_fault_here(stream: JsonObject) -> None:
    assert state_fault(stream, {"until": 1}, CONFIG) is None
