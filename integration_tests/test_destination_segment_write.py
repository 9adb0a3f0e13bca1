"""`destination-segment` as a process behind the platform, against the sandbox's Tracking API."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import orjson
import pytest

from cdp_connectors.json_types import Json, JsonObject
from sandbox.airbyte import Attempt, Connector, ScriptedSource, Sync, run_sync
from sandbox.server import Sandbox

IDENTIFY: JsonObject = {
    "stream": "users",
    "call": {"call_type": "identify", "user_id_field": "id", "timestamp_field": "updated_at"},
}
ORDER: JsonObject = {
    "stream": "orders",
    "call_type": "track",
    "user_id_field": "user",
    "event_name": "Bought",
    "revenue_field": "total",
}
FIELDS = {"users": ["id", "updated_at", "plan", "age"], "orders": ["id", "user", "total", "n"]}
CATALOG: JsonObject = {
    "streams": [
        {
            "stream": {
                "name": name,
                "json_schema": {"type": "object", "properties": {field: {} for field in fields}},
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append_dedup",
            "cursor_field": [fields[1]],
            "primary_key": [["id"]],
            "generation_id": 1,
            "minimum_generation_id": 0,
            "sync_id": 1,
        }
        for name, fields in FIELDS.items()
    ]
}


def record(stream: str, **data: Json) -> bytes:
    return orjson.dumps({"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": 1}})


def state(stream: str, number: int) -> bytes:
    described = {"stream_descriptor": {"name": stream}, "stream_state": {"number": number}}
    return orjson.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": described}})


def status(stream: str, word: str) -> bytes:
    described = {"stream_descriptor": {"name": stream}, "status": word}
    trace = {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": described}
    return orjson.dumps({"type": "TRACE", "trace": trace})


def users(count: int, *, state_every: int = 1_000) -> Iterator[bytes]:
    yield status("users", "STARTED")
    for number in range(count):
        yield record("users", id=number, updated_at="2026-01-01T00:00:00Z", plan="pro")
        if (number + 1) % state_every == 0:
            yield state("users", number + 1)
    yield status("users", "COMPLETE")


def write(
    sandbox: Sandbox,
    lines: Iterable[bytes],
    *,
    during: Callable[[Sync], None] | None = None,
    supports_refreshes: bool = True,
    **settings: Json,
) -> Attempt:
    config = {**sandbox.configs()["destination-segment"], "mappings": [IDENTIFY, ORDER], **settings}
    destination = Connector("destination_segment", config)
    return run_sync(ScriptedSource(lines), destination, CATALOG, during=during, supports_refreshes=supports_refreshes)


def state_number(attempt: Attempt, stream: str = "users") -> int:
    number: int = attempt.states[stream]["stream"]["stream_state"]["number"]
    return number


def messages(attempt: Attempt) -> list[str]:
    return [log["message"] for log in attempt.destination_logs]


def errors(attempt: Attempt) -> list[tuple[str, str]]:
    return [(failure.failure_type, failure.message) for failure in attempt.destination_errors]


@pytest.mark.parametrize("supports_refreshes", [True, False])
def test_records_arrive_as_calls_and_states_come_back(sandbox: Sandbox, *, supports_refreshes: bool) -> None:
    lines = [
        record("users", id=1, updated_at=1767225600, plan="pro", age="40"),
        record("orders", id=9, user=1, total="12.50", n=1),
        state("orders", 1),
        state("users", 1),
    ]
    attempt = write(sandbox, lines, supports_refreshes=supports_refreshes)
    assert (attempt.status, attempt.failures, attempt.skipped_lines) == ("succeeded", [], [])
    assert {stream: state_number(attempt, stream) for stream in attempt.states} == {"users": 1, "orders": 1}
    assert attempt.committed == {"users": 1, "orders": 1}
    identify, order = sandbox.segment_tracking.messages
    assert (identify["userId"], identify["timestamp"], identify["traits"]) == (
        "1",
        "2026-01-01T00:00:00.000Z",
        {"plan": "pro", "age": 40},
    )
    assert (order["event"], order["properties"]) == ("Bought", {"id": 9, "n": 1, "revenue": 12.5, "currency": "USD"})


def test_the_same_sync_again_changes_nothing(sandbox: Sandbox) -> None:
    for _ in range(2):
        attempt = write(sandbox, users(3_000))
        assert (attempt.status, attempt.stream_status["users"]) == ("succeeded", "COMPLETE")
    assert len(sandbox.segment_tracking.messages) == 3_000
    assert sandbox.segment_tracking.rejected == {"repeated messageId": 3_000}


@pytest.mark.parametrize("end", [lambda sync: sync.destination.kill(), lambda sync: sync.destination.terminate()])
def test_rerunning_a_sync_that_a_signal_ended_leaves_one_copy_of_each_message(
    sandbox: Sandbox, end: Callable[[Sync], None]
) -> None:
    sandbox.faults.latency_ms = 50

    def end_in_the_middle(sync: Sync) -> None:
        if sandbox.segment_tracking.count >= 10_000:
            end(sync)

    ended = write(sandbox, users(60_000), during=end_in_the_middle)
    assert (ended.status, ended.skipped_lines) == ("failed", [])
    received = {message["userId"] for message in sandbox.segment_tracking.messages}
    promised = state_number(ended) if ended.states else 0
    assert {str(user) for user in range(promised)} <= received
    assert len(received) < 60_000

    sandbox.faults.clear()
    assert write(sandbox, users(60_000)).status == "succeeded"
    counts = Counter(message["userId"] for message in sandbox.segment_tracking.messages)
    assert len(counts) == 60_000
    assert set(counts.values()) == {1}


def test_states_leave_while_the_input_is_idle(sandbox: Sandbox) -> None:
    came_back: list[bool] = []
    returned: dict[str, JsonObject] = {}

    def idle_after_a_state() -> Iterator[bytes]:
        yield record("users", id=1, updated_at="2026-01-01")
        yield state("users", 1)
        deadline = time.monotonic() + 120
        while not returned and time.monotonic() < deadline:
            time.sleep(0.05)
        came_back.append(bool(returned))
        yield record("users", id=2, updated_at="2026-01-02")
        yield state("users", 2)

    def watch(sync: Sync) -> None:
        nonlocal returned
        returned = sync.attempt.states

    attempt = write(sandbox, idle_after_a_state(), during=watch)
    assert (attempt.status, attempt.committed["users"]) == ("succeeded", 2)
    assert came_back == [True]


def test_calls_of_a_user_arrive_in_order_under_concurrency(sandbox: Sandbox) -> None:
    lines = (record("orders", id=number, user=number % 25, total=1, n=number) for number in range(20_000))
    assert write(sandbox, lines).status == "succeeded"
    last: dict[str, int] = {}
    for message in sandbox.segment_tracking.messages:
        assert message["properties"]["n"] > last.get(message["userId"], -1)
        last[message["userId"]] = message["properties"]["n"]
    assert (len(sandbox.segment_tracking.messages), len(last)) == (20_000, 25)


@pytest.mark.parametrize(
    ("faults", "behaviour"),
    [
        ({"status": 429, "count": 3, "retry_after": 1}, {}),
        ({"status": 503, "count": 3}, {}),
        ({"cut_every": 4}, {}),
        ({}, {"rate_limited": 3}),
        ({}, {"rate_limited": 3, "rate_limit_headers": "x_ratelimit_reset"}),
        ({}, {"rate_limited": 3, "rate_limit_headers": "none"}),
        ({}, {"answer": "ok"}),
        ({}, {"answer": "empty"}),
    ],
    ids=["rate limit", "unavailable", "cut connections", "both headers", "reset alone", "no header", "OK", "empty"],
)
def test_transient_faults_neither_lose_nor_duplicate_messages(
    sandbox: Sandbox, faults: JsonObject, behaviour: JsonObject
) -> None:
    sandbox.faults.update({"path": "batch", **faults})
    sandbox.segment_tracking.behaviour.update(behaviour)
    attempt = write(sandbox, users(5_000))
    assert (attempt.status, attempt.failures) == ("succeeded", [])
    assert (state_number(attempt), attempt.committed["users"]) == (5_000, 5_000)
    assert len({message["userId"] for message in sandbox.segment_tracking.messages}) == 5_000
    assert len(sandbox.segment_tracking.messages) == 5_000


def test_calls_that_segment_rejects_lose_only_their_own_records(sandbox: Sandbox) -> None:
    sandbox.segment_tracking.behaviour.update({"rejected_users": ["1234", "4321"]})
    attempt = write(sandbox, users(5_000), on_invalid="skip")
    assert (attempt.status, attempt.failures) == ("succeeded", [])
    assert len(sandbox.segment_tracking.messages) == 4_998
    assert sum("Segment rejected the call (HTTP 400: malformed call)" in each for each in messages(attempt)) == 2

    failed = write(sandbox, users(5_000))
    assert (failed.status, state_number(failed)) == ("failed", 1_000)
    assert errors(failed)[0][1].startswith("2 record(s) could not be sent; all others were. 2 of stream 'users'")


def test_batches_that_are_too_large_for_a_gateway_are_split(sandbox: Sandbox) -> None:
    sandbox.segment_tracking.behaviour.update({"largest_body": 4_000})
    attempt = write(sandbox, users(5_000))
    assert (attempt.status, attempt.committed["users"]) == ("succeeded", 5_000)
    assert len(sandbox.segment_tracking.messages) == 5_000


def test_if_segment_rejects_everything_the_write_key_is_named_as_the_likely_cause(sandbox: Sandbox) -> None:
    sandbox.segment_tracking.behaviour.update({"rejected_users": [str(number) for number in range(3_000)]})
    attempt = write(sandbox, users(3_000), on_invalid="skip")
    assert (attempt.status, attempt.states) == ("failed", {})
    [(failure_type, message)] = errors(attempt)
    assert failure_type == "config_error"
    assert message.startswith("Segment rejected every call (HTTP 400")
    assert "). The most likely cause is the write key" in message


def test_a_record_that_cannot_be_sent_is_named_and_everything_else_arrives(sandbox: Sandbox) -> None:
    lines = [*users(10, state_every=10), record("users", id=77, age="unknown"), *users(5), state("users", 16)]
    attempt = write(sandbox, lines)
    [(failure_type, message)] = errors(attempt)
    assert (attempt.status, failure_type) == ("failed", "config_error")
    assert message.startswith("1 record(s) could not be sent; all others were. 1 of stream 'users': 'age' is not")
    assert any("with key [77] was not sent: 'age' is not a number." in each for each in messages(attempt))
    assert state_number(attempt) == 10

    skipped = write(sandbox, lines, on_invalid="skip")
    assert (skipped.status, state_number(skipped)) == ("succeeded", 16)
    assert skipped.states["users"]["destinationStats"] == {"recordCount": 5, "rejectedRecordCount": 1}


def test_a_stream_without_a_mapping_is_reported_before_anything_is_sent(sandbox: Sandbox) -> None:
    attempt = write(sandbox, users(10), mappings=[ORDER])
    assert attempt.status == "failed"
    assert errors(attempt)[0][1].startswith("Stream 'users' has no mapping (mapped streams: 'orders').")
    assert not [request for request in sandbox.journal if request.path.endswith("batch")]


def test_unmapped_streams_can_be_identified_with_only_a_write_key(sandbox: Sandbox) -> None:
    attempt = write(sandbox, users(10), mappings=[], unmapped_streams="identify", public_api_token=None)
    assert attempt.status == "succeeded"
    assert sorted(int(message["userId"]) for message in sandbox.segment_tracking.messages) == list(range(10))


def test_a_write_key_of_no_source_is_detected_only_with_a_token(sandbox: Sandbox) -> None:
    assert write(sandbox, users(10), write_key="a-key-of-no-source", public_api_token=None).status == "succeeded"
    assert sandbox.segment_tracking.rejected == {"unknown write key": 10}
    unsent = write(sandbox, users(10), write_key="a-key-of-no-source")
    assert (unsent.status, sandbox.segment_tracking.rejected) == ("failed", {"unknown write key": 10})
    assert errors(unsent)[0][1].startswith("No source of the token's workspace has this write key.")
    config = {**sandbox.configs()["destination-segment"], "mappings": [IDENTIFY]}
    assert (Connector("destination_segment", config).check().status or {})["status"] == "SUCCEEDED"
    failed = Connector("destination_segment", {**config, "write_key": "a-key-of-no-source"}).check().status or {}
    assert failed["status"] == "FAILED"
    assert failed["message"].startswith("No source of the token's workspace has this write key.")


def test_the_secrets_are_in_no_output(sandbox: Sandbox) -> None:
    sandbox.faults.update({"path": "batch", "status": 401})
    attempt = write(sandbox, users(10))
    config = sandbox.configs()["destination-segment"]
    assert attempt.status == "failed"
    for secret in (config["write_key"], config["public_api_token"]):
        assert secret not in f"{attempt.failures}{attempt.destination_logs}{attempt.stderr}"
