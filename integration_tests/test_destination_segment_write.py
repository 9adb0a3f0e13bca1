"""`destination-segment` as a process, against the sandbox's Tracking API."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
import pytest

from sandbox.connector_process import ConnectorProcess, Output
from sandbox.destination_process import DestinationProcess, Process
from sandbox.server import Sandbox

JsonObject = dict[str, Any]

IDENTIFY = {"stream": "users", "call_type": "identify", "user_id_field": "id", "timestamp_field": "updated_at"}
ORDER = {
    "stream": "orders",
    "call_type": "track",
    "user_id_field": "user",
    "event_name": "Bought",
    "revenue_field": "total",
}
FIELDS = {"users": ["id", "updated_at", "plan", "age"], "orders": ["id", "user", "total", "n"]}
CATALOG = {
    "streams": [
        {
            "stream": {
                "name": name,
                "json_schema": {"type": "object", "properties": {field: {} for field in fields}},
                "supported_sync_modes": ["full_refresh"],
            },
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
            "primary_key": [["id"]],
        }
        for name, fields in FIELDS.items()
    ]
}


def record(stream: str, **data: object) -> bytes:
    return orjson.dumps({"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": 1}})


def state(stream: str, number: int) -> bytes:
    described = {"stream_descriptor": {"name": stream}, "stream_state": {"number": number}}
    return orjson.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": described}})


def users(count: int, *, state_every: int = 1_000) -> Iterator[bytes]:
    for number in range(count):
        yield record("users", id=number, updated_at="2026-01-01T00:00:00Z", plan="pro")
        if (number + 1) % state_every == 0:
            yield state("users", number + 1)


def write(
    sandbox: Sandbox,
    lines: Iterable[bytes],
    *,
    while_running: Callable[[Process], None] | None = None,
    **settings: object,
) -> Output:
    config = {**sandbox.configs()["destination-segment"], "mappings": [IDENTIFY, ORDER], **settings}
    return DestinationProcess("destination_segment").write(config, CATALOG, lines, while_running=while_running)


def state_number(output: Output, stream: str = "users") -> int:
    number: int = output.states[stream]["stream"]["stream_state"]["number"]
    return number


def test_records_arrive_as_calls_and_states_come_back(sandbox: Sandbox) -> None:
    lines = [
        record("users", id=1, updated_at=1767225600, plan="pro", age="40"),
        record("orders", id=9, user=1, total="12.50", n=1),
        state("orders", 1),
        state("users", 1),
    ]
    output = write(sandbox, lines)
    assert (output.exit_code, output.errors, output.unreadable) == (0, [], [])
    assert {stream: state_number(output, stream) for stream in output.states} == {"users": 1, "orders": 1}
    identify, order = sandbox.segment_tracking.messages
    assert (identify["userId"], identify["timestamp"], identify["traits"]) == (
        "1",
        "2026-01-01T00:00:00.000Z",
        {"plan": "pro", "age": 40},
    )
    assert (order["event"], order["properties"]) == ("Bought", {"id": 9, "n": 1, "revenue": 12.5, "currency": "USD"})


def test_the_same_sync_again_changes_nothing(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert write(sandbox, users(3_000)).exit_code == 0
    assert len(sandbox.segment_tracking.messages) == 3_000
    assert sandbox.segment_tracking.rejected == {"repeated messageId": 3_000}


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGKILL, -9), (signal.SIGTERM, -15)])
def test_a_sync_that_a_signal_ended_leaves_one_of_each_message_once_it_is_run_again(
    sandbox: Sandbox, number: int, exit_code: int
) -> None:
    sandbox.faults.latency_ms = 50

    def end_in_the_middle(process: Process) -> None:
        while len(sandbox.segment_tracking.messages) < 10_000:
            time.sleep(0.01)
        process.send_signal(number)

    killed = write(sandbox, users(60_000), while_running=end_in_the_middle)
    assert killed.exit_code == exit_code
    assert killed.unreadable == []
    received = {message["userId"] for message in sandbox.segment_tracking.messages}
    promised = state_number(killed) if killed.states else 0
    assert {str(user) for user in range(promised)} <= received
    assert len(received) < 60_000

    sandbox.faults.clear()
    assert write(sandbox, users(60_000)).exit_code == 0
    counts = Counter(message["userId"] for message in sandbox.segment_tracking.messages)
    assert len(counts) == 60_000
    assert set(counts.values()) == {1}


def test_calls_of_a_user_arrive_in_order_under_concurrency(sandbox: Sandbox) -> None:
    lines = (record("orders", id=number, user=number % 25, total=1, n=number) for number in range(20_000))
    assert write(sandbox, lines).exit_code == 0
    last: dict[str, int] = {}
    for message in sandbox.segment_tracking.messages:
        assert message["properties"]["n"] > last.get(message["userId"], -1)
        last[message["userId"]] = message["properties"]["n"]
    assert (len(sandbox.segment_tracking.messages), len(last)) == (20_000, 25)


@pytest.mark.parametrize(
    "faults",
    [
        {"status": 429, "count": 3, "retry_after": 1},
        {"status": 503, "count": 3},
        {"cut_every": 4},
    ],
    ids=["rate limit", "unavailable", "cut connections"],
)
def test_passing_faults_lose_and_repeat_nothing(sandbox: Sandbox, faults: JsonObject) -> None:
    sandbox.faults.update(faults)
    output = write(sandbox, users(5_000))
    assert (output.exit_code, output.errors) == (0, [])
    assert state_number(output) == 5_000
    assert len({message["userId"] for message in sandbox.segment_tracking.messages}) == 5_000
    assert len(sandbox.segment_tracking.messages) == 5_000


def test_a_record_that_cannot_be_sent_is_named_and_everything_else_arrives(sandbox: Sandbox) -> None:
    lines = [*users(10, state_every=10), record("users", id=77, age="unknown"), *users(5), state("users", 16)]
    output = write(sandbox, lines)
    assert output.exit_code == 1
    assert [error["failure_type"] for error in output.errors] == ["config_error"]
    assert output.errors[0]["message"].startswith(
        "1 record(s) could not be sent; all others were. 1 of stream 'users': 'age' is not a number."
    )
    assert "stack_trace" not in output.errors[0]
    assert any("with key [77] was not sent: 'age' is not a number." in log["message"] for log in output.logs)
    assert state_number(output) == 10

    skipped = write(sandbox, lines, on_invalid="skip")
    assert (skipped.exit_code, state_number(skipped)) == (0, 16)


def test_an_input_that_breaks_off_fails_after_what_came_before(sandbox: Sandbox) -> None:
    output = write(sandbox, [*users(1_000), b'{"type": "RECORD", "record": {"stream": "users", "data": {"id": "sec'])
    assert output.exit_code == 1
    assert output.errors[0]["message"] == "Line 1,002 of the input is not an Airbyte message. Was the source cut off?"
    assert not any("sec" in log["message"] for log in output.logs if "users" in log["message"])


def test_a_stream_without_a_mapping_is_told_before_anything_is_sent(sandbox: Sandbox) -> None:
    output = write(sandbox, users(10), mappings=[ORDER])
    assert output.exit_code == 1
    assert output.errors[0]["message"].startswith("Stream 'users' has no mapping (mapped streams: 'orders').")
    assert not [request for request in sandbox.journal if request.path.endswith("batch")]


def test_a_write_key_of_no_source_goes_unnoticed_without_a_token_and_is_found_with_one(sandbox: Sandbox) -> None:
    assert write(sandbox, users(10), write_key="a-key-of-no-source", public_api_token=None).exit_code == 0
    assert sandbox.segment_tracking.rejected == {"unknown write key": 10}
    unsent = write(sandbox, users(10), write_key="a-key-of-no-source")
    assert (unsent.exit_code, sandbox.segment_tracking.rejected) == (1, {"unknown write key": 10})
    assert unsent.errors[0]["message"].startswith("No source of the token's workspace has this write key.")
    process = ConnectorProcess("destination_segment")
    config = {**sandbox.configs()["destination-segment"], "mappings": [IDENTIFY]}
    assert (process.check(config).status or {})["status"] == "SUCCEEDED"
    failed = process.check({**config, "write_key": "a-key-of-no-source"}).status or {}
    assert failed["status"] == "FAILED"
    assert failed["message"].startswith("No source of the token's workspace has this write key.")


def test_the_secrets_are_in_no_output(sandbox: Sandbox) -> None:
    sandbox.faults.update({"status": 401})
    output = write(sandbox, users(10))
    config = sandbox.configs()["destination-segment"]
    assert output.exit_code == 1
    for secret in (config["write_key"], config["public_api_token"]):
        assert secret not in f"{output.errors}{output.logs}"
