"""A destination that behaves like those built on Airbyte's bulk CDK: BigQuery, Snowflake, S3 and others.

An overwritten table is written alongside the old one and swapped only once the stream is COMPLETE; other tables grow
with every state; states come back with `id` and `destinationStats`; streams without COMPLETE fail the sync at its end.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from cdp_connectors.json_types import Json
from sandbox.airbyte.protocol import JsonObject, stream_key
from sandbox.airbyte.stand_ins import AnsweringRun

INCOMPLETE = (
    "Some streams either received an INCOMPLETE stream status, or did not receive a stream status at all: {streams}"
)


class BulkCdkLike:
    """Holds the tables of a connection over any number of syncs.

    Once it has returned a state that covers a row, it never loses that row. Other rows are lost with a failed sync,
    which a source must tolerate.
    """

    def __init__(
        self, *, flush_records: int = 0, keeps_uncommitted: bool = False, delay: Callable[[int], float] | None = None
    ) -> None:
        """A destination without tables.

        Args:
            flush_records: return states only after this many records, and at the end.
            keeps_uncommitted: keep the rows of a failed sync that no state covers, as most destinations do.
            delay: seconds to wait before accepting the n-th line of a sync.
        """
        self.config: JsonObject = {}
        self.tables: dict[str, list[JsonObject]] = {}
        """The rows of every table in order of arrival; a deduplicated table has one row per key."""
        self.staged: dict[str, tuple[int | None, list[JsonObject]]] = {}
        """The new content of overwritten tables that are not complete, with its generation."""
        self.flush_records = flush_records
        self.keeps_uncommitted = keeps_uncommitted
        self.delay = delay

    def table(self, stream: str) -> list[JsonObject]:
        """The rows of one table."""
        return self.tables.get(stream, [])

    def start(self, command: str, **inputs: object) -> "BulkCdkLikeRun":  # noqa: ARG002 # as Connector.start
        """Start writing."""
        catalog = inputs["catalog"]
        if not isinstance(catalog, Mapping):
            raise TypeError("catalog")
        return BulkCdkLikeRun(self, catalog)


class BulkCdkLikeRun(AnsweringRun):
    """A running `BulkCdkLike`."""

    def __init__(self, destination: BulkCdkLike, catalog: Mapping[str, Any]) -> None:
        super().__init__()
        self._destination = destination
        self._streams = {stream_key(each["stream"]): each for each in catalog["streams"]}
        self._pending: defaultdict[str, list[JsonObject]] = defaultdict(list)
        self._states: list[tuple[str, JsonObject, list[JsonObject]]] = []
        self._complete: set[str] = set()
        self._line_count = self._unflushed = 0
        for key, configured in self._streams.items():
            generation = configured.get("generation_id")
            truncated = generation and generation == configured.get("minimum_generation_id")
            replaced = truncated or configured["destination_sync_mode"] == "overwrite"
            resumed = generation is not None and destination.staged.get(key, (None, []))[0] == generation
            if replaced and not resumed:
                destination.staged[key] = generation, []

    def take(self, line: bytes) -> None:
        """Accept a record, a state or a COMPLETE."""
        self._line_count += 1
        if self._destination.delay:
            time.sleep(self._destination.delay(self._line_count))
        message = orjson.loads(line)
        match message["type"]:
            case "RECORD":
                self._pending[stream_key(message["record"])].append(message["record"]["data"])
                self._unflushed += 1
            case "STATE":
                key = stream_key(message["state"]["stream"]["stream_descriptor"])
                self._states.append((key, message["state"], self._pending.pop(key, [])))
                if self._unflushed >= self._destination.flush_records:
                    self._flush()
            case "TRACE":
                status = message["trace"]["stream_status"]
                if status["status"] == "COMPLETE":
                    self._complete.add(stream_key(status["stream_descriptor"]))

    def close_input(self) -> None:
        """Return the remaining states, swap the tables of complete streams, and fail if any stream is incomplete."""
        if self.exit_code is not None:
            return
        self._flush()
        for key, rows in self._pending.items():
            if key in self._complete or self._destination.keeps_uncommitted:
                self._store(key, rows)
        for key in self._complete & self._destination.staged.keys():
            _, rows = self._destination.staged.pop(key)
            self._destination.tables[key] = self._merged(key, rows)
        incomplete = sorted(self._streams.keys() - self._complete)
        if incomplete:
            self.answer(_error(INCOMPLETE.format(streams=", ".join(incomplete))))
        self.end(1 if incomplete else 0)

    def _flush(self) -> None:
        for key, state, rows in self._states:
            self._store(key, rows)
            stats = {"recordCount": float(len(rows))}
            self.answer(orjson.dumps({"type": "STATE", "state": {**state, "destinationStats": stats}}))
        self._states.clear()
        self._unflushed = 0

    def _store(self, key: str, rows: list[JsonObject]) -> None:
        if key in self._destination.staged:
            self._destination.staged[key][1].extend(rows)
        elif rows:
            self._destination.tables[key] = self._merged(key, [*self._destination.table(key), *rows])

    def _merged(self, key: str, rows: list[JsonObject]) -> list[JsonObject]:
        configured = self._streams[key]
        deduplicates = configured["destination_sync_mode"] == "append_dedup"
        return _deduplicated(rows, configured) if deduplicates else rows


def _deduplicated(rows: list[JsonObject], configured: Mapping[str, Any]) -> list[JsonObject]:
    """The row with the greatest cursor per key; of equal cursors, the last."""
    keys = [path[0] for path in configured["primary_key"]]
    cursor = (configured.get("cursor_field") or [""])[0]
    newest: dict[bytes, JsonObject] = {}
    for row in rows:
        key = orjson.dumps([row.get(name) for name in keys])
        held = newest.get(key)
        if held is None or _order(row.get(cursor)) >= _order(held.get(cursor)):
            newest[key] = row
    return list(newest.values())


def _order(cursor: Json) -> tuple[bool, Json]:
    return cursor is not None, cursor if cursor is not None else 0


def _error(message: str) -> bytes:
    error = {"message": message, "failure_type": "transient_error"}
    trace = {"type": "ERROR", "emitted_at": time.time() * 1000, "error": error}
    return orjson.dumps({"type": "TRACE", "trace": trace})
