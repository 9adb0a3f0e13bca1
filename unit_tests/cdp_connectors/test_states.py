"""Saved states: loading, messages, and the detection of damage in every format that the CDK saves."""

from pathlib import Path

import orjson
import pytest
from airbyte_cdk.models import AirbyteMessageSerializer

from cdp_connectors.json_types import Json, JsonObject
from cdp_connectors.states import load_states, state_fault, state_message, states_by_stream

CURSOR: JsonObject = {
    "type": "DatetimeBasedCursor",
    "cursor_field": "{{ config['field'] }}",
    "cursor_datetime_formats": ["{{ config['format'] }}"],
    "datetime_format": "%s",
}
CONFIG = {"field": "at", "format": "%Y-%m-%d"}
NOT_A_DATE = "'at' is not a date in the format that this stream writes"
NOT_A_RANGE = "a slice has no start and end in the format that this stream writes"
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
        ({"slices": [{"start": "2026-01-01", "end": "2026-01-02"}], "state_type": "date-range"}, None),
        ({"slices": [{"start": 1}], "state_type": "date-range"}, NOT_A_RANGE),
        ({"slices": [7], "state_type": "date-range"}, NOT_A_RANGE),
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
def test_a_damaged_state_is_described(state: JsonObject, fault: str | None) -> None:
    assert state_fault({"incremental_sync": CURSOR}, state, CONFIG) == fault


def test_the_cursor_field_may_come_from_a_parameter() -> None:
    cursor = {**CURSOR, "cursor_field": "{{ parameters['field'] }}", "$parameters": {"field": "changed"}}

    assert state_fault({"incremental_sync": cursor}, {"changed": "2026-01-01"}, CONFIG) is None
    assert state_fault({"incremental_sync": cursor}, {"changed": "soon"}, CONFIG) == NOT_A_DATE.replace(
        "at", "changed", 1
    )


@pytest.mark.parametrize("stream", [{}, {"incremental_sync": {**CURSOR, "type": "CustomIncrementalSync"}}])
def test_the_state_of_a_stream_without_dates_is_not_checked(stream: JsonObject) -> None:
    assert state_fault(stream, {"until": 1}, CONFIG) is None


def state_of(stream: str, content: Json) -> JsonObject:
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": content}}


def test_the_states_of_a_file_are_those_of_its_streams(tmp_path: Path) -> None:
    saved = [
        state_of("users", {"at": "2026-01-01"}),
        state_of("new", None),
        {"type": "STREAM"},
        {"type": "GLOBAL", "global": {"stream_states": [state_of("orders", {"at": 1})["stream"]]}},
        {"stream": state_of("untyped", {"at": 1})["stream"]},
    ]
    path = tmp_path / "state.json"
    path.write_bytes(orjson.dumps(saved))

    assert states_by_stream(load_states(str(path))) == {"users": {"at": "2026-01-01"}}


@pytest.mark.parametrize("content", [[], [7], "2026-01-01", 7, False])
def test_a_state_that_is_not_an_object_concerns_only_its_stream(tmp_path: Path, content: Json) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(orjson.dumps([state_of("users", content), state_of("orders", {"at": 1})]))

    states = states_by_stream(load_states(str(path)))

    assert state_fault({"incremental_sync": CURSOR}, states["users"], CONFIG) == FOREIGN
    assert states["orders"] == {"at": 1}


@pytest.mark.parametrize("content", [b"", b"[]"])
def test_an_empty_file_has_no_states(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)

    assert load_states(str(path)) == []
    assert states_by_stream(None) == {}


@pytest.mark.parametrize("content", [{}, [state_of("users", {}), 7], "users"])
def test_a_file_without_a_list_of_states_is_rejected(tmp_path: Path, content: Json) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(orjson.dumps(content))

    with pytest.raises(ValueError, match=r"^it is not a list of state messages$"):
        load_states(str(path))


@pytest.mark.parametrize("stream", ["users", 7])
def test_a_state_that_is_not_of_a_stream_is_not_a_state_message(tmp_path: Path, stream: Json) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(orjson.dumps([{"type": "STREAM", "stream": stream}]))

    with pytest.raises(ValueError, match='is not of type "object"'):
        load_states(str(path))


def test_the_state_of_a_stream_is_a_protocol_message() -> None:
    message = AirbyteMessageSerializer.dump(state_message("users", {"at": 1, "page": None}))

    assert message == {
        "type": "STATE",
        "state": {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"at": 1, "page": None}},
        },
    }
