"""A sync by hand, with a script in place of a connector."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdp_connectors.tools import connector
from cdp_connectors.tools.reading import Progress, read

CATALOG = {
    "streams": [
        {"stream": {"name": "events"}, "sync_mode": "incremental"},
        {"stream": {"name": "users"}, "sync_mode": "full_refresh"},
    ]
}


class KeptRows:
    def __init__(self) -> None:
        self.calls: list[Any] = []

    def add(self, stream: str, record: dict[str, Any]) -> None:
        self.calls.append((stream, record["id"]))

    def flush(self) -> None:
        self.calls.append("flush")

    def finish(self, stream: str) -> None:
        self.calls.append(f"finish {stream}")


Start = Callable[[list[dict[str, Any]], int], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    def write_connector(messages: list[dict[str, Any]], exit_code: int = 0) -> None:
        lines = "".join(json.dumps(message) + "\n" for message in messages)
        (tmp_path / "scripted_source.py").write_text(
            f"import sys\nsys.stdout.write({lines!r})\nsys.exit({exit_code})\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setitem(connector.PACKAGES, "source-segment", "scripted_source")

    return write_connector


def record(stream: str, number: int) -> dict[str, Any]:
    return {"type": "RECORD", "record": {"stream": stream, "data": {"id": number}}}


def state(stream: str, value: int) -> dict[str, Any]:
    return {
        "type": "STATE",
        "state": {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": {"at": value}}},
    }


def status(stream: str, value: str) -> dict[str, Any]:
    stream_status = {"stream_descriptor": {"name": stream}, "status": value}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": stream_status}}


def log(message: str) -> dict[str, Any]:
    return {"type": "LOG", "log": {"level": "INFO", "message": message}}


def run(state_file: Path, rows: KeptRows | None) -> Progress:
    return read("source-segment", {}, CATALOG, state_file, rows, lambda *_: None)


def test_rows_are_written_before_the_state_that_covers_them(write: Start, tmp_path: Path) -> None:
    write([record("events", 1), state("events", 1), status("events", "COMPLETE"), record("users", 2)], 0)
    rows = KeptRows()
    run(tmp_path / "state.json", rows)
    assert rows.calls == [("events", 1), "finish events", ("users", 2), "flush"]
    assert json.loads((tmp_path / "state.json").read_text()) == [state("events", 1)["state"]]


def test_an_interrupted_incremental_stream_shows_the_rows_so_far(write: Start, tmp_path: Path) -> None:
    write([record("events", 1), state("events", 1), record("users", 2)], 1)
    rows = KeptRows()
    progress = run(tmp_path / "state.json", rows)
    assert rows.calls == [("events", 1), ("users", 2), "finish events", "flush"]
    assert progress.exit_code == 1


def test_the_state_of_an_unselected_stream_is_kept(write: Start, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps([state("others", 7)["state"]]))
    write([state("events", 1)], 0)
    run(tmp_path / "state.json", KeptRows())
    states = json.loads((tmp_path / "state.json").read_text())
    assert [each["stream"]["stream_descriptor"]["name"] for each in states] == ["others", "events"]


def test_without_storage_for_rows_no_state_is_saved(write: Start, tmp_path: Path) -> None:
    write([record("events", 1), state("events", 1)], 0)
    assert run(tmp_path / "state.json", None).rows == 1
    assert not (tmp_path / "state.json").exists()


def test_requests_and_waits_are_taken_from_the_closing_lines(write: Start, tmp_path: Path) -> None:
    write(
        [log("Stream events: 12 rows, 1,234 requests, 0 retries, 65 s waited for rate limits"), log("another line")], 0
    )
    events = run(tmp_path / "state.json", None).streams["events"]
    assert (events.requests, events.seconds_waited) == (1234, 65)
