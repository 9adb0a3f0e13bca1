"""A million records."""

from collections.abc import Iterator

import orjson
import pytest

from cdp_connectors.json_types import JsonObject
from sandbox.airbyte import Connector, ScriptedSource, Sync, run_sync
from sandbox.server import Sandbox

RECORDS = 1_000_000
MOST_MB = 300

MAPPING: JsonObject = {"stream": "users", "call": {"call_type": "identify", "user_id_field": "id"}}
NAMES = ("id", "email", "plan", "name", "visits")
CATALOG: JsonObject = {
    "streams": [
        {
            "stream": {
                "name": "users",
                "json_schema": {"type": "object", "properties": {name: {} for name in NAMES}},
                "supported_sync_modes": ["incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
            "primary_key": [["id"]],
        }
    ]
}
TRAITS = orjson.dumps({"email": "someone@example.com", "plan": "pro", "name": "Some One", "visits": 12})[1:-1].decode()
STATE = b'{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"users"},"stream_state":{}}}}'


@pytest.mark.long_tests
def test_a_million_records_with_invalid_ones_among_them_stay_within_300_mb(sandbox: Sandbox) -> None:
    sandbox.segment_tracking.keeps_messages = False
    syncs: list[Sync] = []

    def lines() -> Iterator[bytes]:
        for number in range(RECORDS):
            user = b"" if number % 10_000 == 0 else b"u%d" % number
            data = b'{"id":"%b",%b}' % (user, TRAITS.encode())
            yield b'{"type":"RECORD","record":{"stream":"users","emitted_at":1,"data":%b}}' % data
            if number % 100_000 == 0:
                yield STATE
        yield STATE

    def remember(sync: Sync) -> None:
        if not syncs:
            syncs.append(sync)

    config = {**sandbox.configs()["destination-segment"], "mappings": [MAPPING], "on_invalid": "skip"}
    destination = Connector("destination_segment", config)
    attempt = run_sync(ScriptedSource(lines), destination, CATALOG, during=remember, keep=False)

    assert (attempt.status, attempt.failures) == ("succeeded", [])
    assert sandbox.segment_tracking.count == RECORDS - RECORDS // 10_000
    assert not sandbox.segment_tracking.rejected
    assert sum("was not sent" in log["message"] for log in attempt.destination_logs) == RECORDS // 10_000
    assert 0 < syncs[0].destination.peak_memory_mb < MOST_MB
