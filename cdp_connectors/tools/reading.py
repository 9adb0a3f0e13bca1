"""The command `read`: run a sync by hand, keep its rows and its state."""

import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

from cdp_connectors.json_types import JsonObject
from cdp_connectors.tools.connector import command

_ROWS_PER_SAVE = 20_000
_SECONDS_PER_SAVE = 5.0
_CLOSING_LINE = re.compile(
    r"^Stream (?P<stream>\S+): [\d,]+ rows, (?P<requests>[\d,]+) requests, [\d,]+ retries, (?P<waited>[\d,]+) s waited"
)


class Rows(Protocol):
    """Storage for records."""

    def add(self, stream: str, record: JsonObject) -> None:
        """Add a record."""

    def flush(self) -> None:
        """Write all records added so far: a state that came after them may then be saved."""

    def finish(self, stream: str) -> None:
        """Make the rows of a stream visible: all of a complete stream, or those of an incremental one so far."""


@dataclass
class StreamProgress:
    """One stream during a sync."""

    rows: int = 0
    status: str = "WAITING"
    """WAITING, or the latest of STARTED, RUNNING, COMPLETE and INCOMPLETE."""
    is_rate_limited: bool = False
    requests: int = 0
    """Known once the connector reports it, at the end of the stream or of the sync."""
    seconds_waited: int = 0
    """Time spent waiting for rate limits; known when `requests` is."""

    @property
    def is_running(self) -> bool:
        """True if the stream has started and not ended."""
        return self.status in {"STARTED", "RUNNING"}


@dataclass
class Progress:
    """A running sync."""

    streams: dict[str, StreamProgress]
    started: float = field(default_factory=time.monotonic)
    errors: list[str] = field(default_factory=list)
    exit_code: int | None = None

    @property
    def rows(self) -> int:
        """The number of records so far."""
        return sum(stream.rows for stream in self.streams.values())

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self.started


def read(
    connector: str,
    config: JsonObject,
    catalog: JsonObject,
    state_file: Path,
    rows: Rows | None,
    on_message: Callable[[Progress, JsonObject], None],
) -> Progress:
    """Run a sync from the saved state, if there is one.

    A state is saved only after the rows that came before it were written. Without `rows` none is saved, since the rows
    would be missing from the next sync.

    Args:
        connector: the name of a source.
        config: its configuration.
        catalog: the configured catalog.
        state_file: the states, as for the option `--state`; need not exist yet.
        rows: where to keep the records.
        on_message: called after every message.

    Returns:
        The progress at the end, with the connector's exit code and error messages.
    """
    names = [each["stream"]["name"] for each in catalog["streams"]]
    incremental = {each["stream"]["name"] for each in catalog["streams"] if each["sync_mode"] == "incremental"}
    progress = Progress({name: StreamProgress() for name in names})
    saver = _Saver(state_file, rows) if rows else None
    saved = saver.states if saver else None
    with command(connector, "read", config=config, catalog=catalog, state=saved or None) as running:
        try:
            for message in running.messages():
                _note(progress, message)
                if saver:
                    saver.take(message)
                on_message(progress, message)
        finally:
            if saver:
                unfinished = {name for name, stream in progress.streams.items() if stream.status != "COMPLETE"}
                saver.close(finish=unfinished & incremental)
        progress.errors = running.errors
        progress.exit_code = running.exit_code
    return progress


def _note(progress: Progress, message: JsonObject) -> None:
    match message["type"]:
        case "RECORD":
            stream = progress.streams[message["record"]["stream"]]
            stream.rows += 1
            stream.is_rate_limited = False
        case "TRACE" if message["trace"]["type"] == "STREAM_STATUS":
            status = message["trace"]["stream_status"]
            stream = progress.streams[status["stream_descriptor"]["name"]]
            stream.status = status["status"]
            reasons = status.get("reasons") or []
            stream.is_rate_limited = any(reason.get("type") == "RATE_LIMITED" for reason in reasons)
        case "LOG" if closing := _CLOSING_LINE.match(message["log"]["message"]):
            closed = progress.streams.get(closing["stream"], StreamProgress())
            closed.requests = int(closing["requests"].replace(",", ""))
            closed.seconds_waited = int(closing["waited"].replace(",", ""))


class _Saver:
    """Saves rows, and after them the states."""

    def __init__(self, state_file: Path, rows: Rows) -> None:
        self._file = state_file
        self._rows = rows
        self._states: dict[str, JsonObject] = {}
        self._unsaved_rows = 0
        self._saved_at = time.monotonic()
        with suppress(FileNotFoundError):
            self._keep(orjson.loads(state_file.read_bytes()))

    @property
    def states(self) -> list[JsonObject]:
        """The latest state of each stream."""
        return list(self._states.values())

    def take(self, message: JsonObject) -> None:
        """Keep a record or a state, and save both from time to time."""
        match message["type"]:
            case "RECORD":
                self._rows.add(message["record"]["stream"], message["record"]["data"])
                self._unsaved_rows += 1
            case "STATE":
                self._keep([message["state"]])
                if self._unsaved_rows >= _ROWS_PER_SAVE or time.monotonic() - self._saved_at >= _SECONDS_PER_SAVE:
                    self._save()
            case "TRACE" if message["trace"]["type"] == "STREAM_STATUS":
                status = message["trace"]["stream_status"]
                if status["status"] == "COMPLETE":
                    self._rows.finish(status["stream_descriptor"]["name"])

    def close(self, finish: Iterable[str]) -> None:
        """Save what remains; `finish` lists incomplete streams whose rows are to be shown nevertheless."""
        for stream in finish:
            self._rows.finish(stream)
        self._save()

    def _keep(self, states: list[JsonObject]) -> None:
        for state in states:
            self._states[state["stream"]["stream_descriptor"]["name"]] = state

    def _save(self) -> None:
        self._rows.flush()
        new = self._file.with_name(f"{self._file.name}.new")
        new.write_bytes(orjson.dumps(self.states, option=orjson.OPT_INDENT_2))
        new.replace(self._file)
        self._unsaved_rows, self._saved_at = 0, time.monotonic()
