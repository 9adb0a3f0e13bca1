"""destination-segment compared with Segment's own Python library, and with only reading its input."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks import analytics_python, peers
from benchmarks.measure import Cost, measure
from sandbox.server import Sandbox

RECORDS = 200_000
RECORDS_PER_STATE = 10_000
LATENCY_MS = 50
_LIBRARY_VERSION = "2.4.0"
_READING = (
    "import sys, orjson; from airbyte_cdk.models import AirbyteMessageSerializer as s; "
    "any(s.load(orjson.loads(line)) is None for line in sys.stdin.buffer)"
)
_MAPPING = {"stream": "users", "call_type": "identify", "user_id_field": "id"}
_CATALOG = {
    "streams": [
        {
            "stream": {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
            "primary_key": [["id"]],
        }
    ]
}


class Sending(NamedTuple):
    """The cost of a program's run, and the numbers of messages and requests that arrived."""

    cost: Cost
    received: int
    requests: int


def run() -> None:
    """Send the same records with each program, without and with latency, and print the costs side by side."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        sandbox.segment_tracking.keeps_messages = False
        records = Path(folder) / "records.jsonl"
        records.write_bytes(b"".join(line + b"\n" for line in _lines()))
        programs = dict(_programs(Path(folder), sandbox, console))
        for latency in (0, LATENCY_MS):
            sandbox.faults.latency_ms = latency
            sendings = {name: _measure(command, records, sandbox) for name, command in programs.items()}
            console.print(_table(sendings, latency))


def _programs(folder: Path, sandbox: Sandbox, console: Console) -> Iterator[tuple[str, Sequence[str]]]:
    config = {**sandbox.configs()["destination-segment"], "mappings": [_MAPPING]}
    options = []
    for name, value in (("config", config), ("catalog", _CATALOG)):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(value))
        options += [f"--{name}", str(path)]
    yield "only reading the input", [sys.executable, "-c", _READING]
    try:
        python = str(peers.install("segment-analytics-python", _LIBRARY_VERSION) / "python")
        host = config["api_url"].removesuffix("/v1")
        command = [python, "-I", analytics_python.__file__, host, config["write_key"]]
        yield f"Segment's library {_LIBRARY_VERSION}", command
    except peers.PeerUnavailableError as error:
        console.print(f"Skipping Segment's library, because it cannot be installed here: {error}")
    yield "destination-segment", [sys.executable, "-m", "destination_segment", "write", *options]


def _measure(command: Sequence[str], records: Path, sandbox: Sandbox) -> Sending:
    sandbox.segment_tracking.clear()
    sandbox.journal.clear()
    with records.open("rb") as stdin:
        cost = measure(command, stdin=stdin)
    return Sending(cost, sandbox.segment_tracking.count, len(sandbox.journal))


def _table(sendings: dict[str, Sending], latency: int) -> Table:
    table = Table(title=f"{RECORDS:,} records, {latency} ms latency per request", title_justify="left")
    table.add_column("")
    for heading in ("received", "requests", "records/s", "CPU s / 1 M records", "ratio", "peak RSS MB"):
        table.add_column(heading, justify="right")
    reference = next(iter(sendings.values())).cost.cpu_seconds
    for name, (cost, received, requests) in sendings.items():
        table.add_row(
            name,
            f"{received:,}",
            f"{requests:,}",
            f"{RECORDS / cost.seconds:,.0f}",
            f"{cost.cpu_seconds / RECORDS * 1e6:.1f}",
            f"{cost.cpu_seconds / reference:.1f}",
            f"{cost.peak_rss_mb:.0f}",
        )
    return table


def _lines() -> Iterator[bytes]:
    for number in range(1, RECORDS + 1):
        data = {"id": f"user-{number}", "email": f"user-{number}@example.com", "plan": "pro", "visits": number}
        data |= {"name": f"User {number}", "createdAt": "2026-01-01T00:00:00Z", "country": "NO", "newsletter": True}
        yield orjson.dumps({"type": "RECORD", "record": {"stream": "users", "data": data, "emitted_at": 1}})
        if number % RECORDS_PER_STATE == 0:
            stream = {"stream_descriptor": {"name": "users"}, "stream_state": {"number": number}}
            yield orjson.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": stream}})
