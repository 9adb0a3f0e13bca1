"""A million records."""

import subprocess
import time

import orjson

from sandbox.destination_process import DestinationProcess, Process
from sandbox.server import Sandbox

RECORDS = 1_000_000
MOST_MB = 300

MAPPING = {"stream": "users", "call_type": "identify", "user_id_field": "id"}
CATALOG = {
    "streams": [
        {
            "stream": {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
            "primary_key": [["id"]],
        }
    ]
}
TRAITS = orjson.dumps({"email": "someone@example.com", "plan": "pro", "name": "Some One", "visits": 12})[1:-1].decode()


def test_a_million_records_with_invalid_ones_among_them_stay_within_300_mb(sandbox: Sandbox) -> None:
    sandbox.segment_tracking.keeps_messages = False
    resident_mb = []

    def watch(process: Process) -> None:
        while process.poll() is None:
            listed = subprocess.run(["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, check=False)  # noqa: S607 # as on any system
            resident_mb.extend(int(rss) / 1024 for rss in listed.stdout.split())
            time.sleep(0.2)

    lines = (
        b'{"type":"RECORD","record":{"stream":"users","emitted_at":1,"data":{"id":"%s",%s}}}'
        % (b"" if number % 10_000 == 0 else b"u%d" % number, TRAITS.encode())
        for number in range(RECORDS)
    )
    config = {**sandbox.configs()["destination-segment"], "mappings": [MAPPING], "on_invalid": "skip"}
    output = DestinationProcess("destination_segment").write(config, CATALOG, lines, while_running=watch)

    assert (output.exit_code, output.errors) == (0, [])
    assert sandbox.segment_tracking.count == RECORDS - RECORDS // 10_000
    assert not sandbox.segment_tracking.rejected
    assert sum("was not sent" in log["message"] for log in output.logs) == RECORDS // 10_000
    assert max(resident_mb) < MOST_MB
