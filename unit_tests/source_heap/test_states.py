"""Damaged states passed to the source: their streams fail with a message, and nothing is read for them."""

import logging

import pytest
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    FailureType,
    StreamDescriptor,
    SyncMode,
)
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.json_types import Json
from source_heap import SourceHeap
from source_heap.components.states import companion_state_fault, damaged_state, table_state_fault
from source_heap.positions import Position
from unit_tests.helpers import catalog_of

CONFIG = {
    "bucket": "heap-rs3-example",
    "aws_region": "us-east-1",
    "endpoint_url": "http://127.0.0.1:1",
    "credentials": {"auth_type": "access_key", "aws_access_key_id": "k", "aws_secret_access_key": "s"},
}
POSITION = Position(settled=(1,), settled_until="2025-01-01T00:00:00.000Z", dump_id=2, file="a").to_state()


def failures(stream: str, parent_state: Json) -> list[tuple[FailureType | None, str]]:
    content = {"use_global_cursor": True, "state": {"_heap_dump_id": "1"}, "parent_state": parent_state}
    described = AirbyteStreamState(StreamDescriptor(name=stream), AirbyteStateBlob(content))
    state = [AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=described)]
    catalog = catalog_of([stream], SyncMode.incremental)
    source = SourceHeap(catalog=catalog, config=CONFIG, state=state)
    messages: list[AirbyteMessage] = []
    with pytest.raises(AirbyteTracedException):
        messages.extend(source.read(logging.getLogger("airbyte"), CONFIG, catalog, state))
    errors = [message.trace.error for message in messages if message.trace and message.trace.error]
    return [(error.failure_type, error.message) for error in errors]


@pytest.mark.parametrize(
    "parent_state",
    [
        ["a"],
        {"timestamp": "yesterday"},
        {**POSITION, "settled_dump_ids": ["1"]},
        {**POSITION, "reading": {"dump_id": 1}},
        {**POSITION, "settled_through_dump_id": None},
        {**POSITION, "missed_columns": [1]},
    ],
    ids=str,
)
def test_a_damaged_state_fails_its_stream(parent_state: Json) -> None:
    (failure,) = failures("clicks", parent_state)
    assert failure[0] is FailureType.config_error
    assert "The saved state of this stream is damaged" in failure[1]
    assert "Reset the stream" in failure[1]


@pytest.mark.parametrize(
    "parent_state", [{"tables": {}}, {"tables": {"a": [1]}, "position": POSITION}, {"position": POSITION}], ids=str
)
def test_a_damaged_state_fails_the_companion_stream(parent_state: Json) -> None:
    (failure,) = failures("_heap_tables", parent_state)
    assert failure[0] is FailureType.config_error
    assert "The saved state of this stream is damaged" in failure[1]


@pytest.mark.parametrize(
    "state",
    [{}, POSITION, Position().to_state(), {**POSITION, "full_dump_id": 1}, {**POSITION, "missed_columns": ["a"]}],
    ids=str,
)
def test_states_that_the_connector_wrote_are_valid(state: Json) -> None:
    assert table_state_fault(state) is None
    assert companion_state_fault({"position": state, "tables": {}} if state else {}) is None


WRONG: dict[str, list[Json]] = {
    "settled_through_dump_id": [None, "1", True],
    "settled_dump_ids": [None, 1, ["1"]],
    "settled_manifests_until": [None, 1],
    "full_dump_id": ["1", False],
    "reading": [[], {"file": "a"}, {"dump_id": "1", "file": "a"}, {"dump_id": 1}, {"dump_id": 1, "file": None}],
    "missed_columns": [None, "a", [1]],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_the_invalid_member_of_a_position_is_reported(name: str, value: Json) -> None:
    state = {**POSITION, name: value}
    fault = f"'{name}' is missing or has a wrong type"

    assert table_state_fault(state) == companion_state_fault({"tables": {}, "position": state}) == fault


@pytest.mark.parametrize("tables", [None, [], {"users": None}, {"users": ["1", 1, 1]}, {"users": []}, {"users": [1]}])
def test_invalid_tables_of_the_companion_stream_are_reported(tables: Json) -> None:
    assert companion_state_fault({"tables": tables}) == "'tables' is missing or has a wrong type"
    assert companion_state_fault({"tables": {"users": [1, 1, 1]}, "position": {}}) is None


def test_a_state_must_be_an_object() -> None:
    assert table_state_fault([]) == companion_state_fault([]) == "it is not an object"
    assert companion_state_fault({"tables": {}, "position": None}) == "it is not an object"


def test_the_error_for_a_damaged_state_says_what_to_do() -> None:
    error = damaged_state("'reading' is missing or has a wrong type")

    assert error.failure_type is FailureType.config_error
    assert error.message == (
        "The saved state of this stream is damaged: 'reading' is missing or has a wrong type. Reset the stream."
    )
