"""The platform's handling of each message from the source to the destination."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from sandbox.airbyte.attempt import Attempt, Failure
from sandbox.airbyte.catalog import DestinationNames
from sandbox.airbyte.counts import Counts
from sandbox.airbyte.fields import Fields
from sandbox.airbyte.mappers import Mapper
from sandbox.airbyte.protocol import (
    JsonObject,
    MessageReader,
    SyncRuleError,
    body_of,
    excerpt,
    is_replicated,
    state_key,
    stream_key,
)
from sandbox.airbyte.statuses import StreamStatuses


class SourceSide:
    """Checks, counts and changes the source's messages, in the platform's order."""

    def __init__(
        self,
        attempt: Attempt,
        catalog: Mapping[str, Any],
        names: DestinationNames,
        mappers: Sequence[Mapper],
        *,
        supports_refreshes: bool,
        keep: bool,
    ) -> None:
        self.statuses = StreamStatuses([stream_key(each["stream"]) for each in catalog["streams"]])
        self.counts = Counts()
        self._attempt = attempt
        self._catalog = catalog
        self._names = names
        self._mappers = mappers
        self._unchanged = names == DestinationNames()
        self._supports_refreshes = supports_refreshes
        self._keep = keep
        self._reader = MessageReader(catalog)
        self._fields = Fields(catalog)
        self._last_heartbeat = time.monotonic()
        attempt.emitted, attempt.committed = self.counts.emitted, self.counts.committed
        attempt.rejected = self.counts.rejected
        attempt.dropped_fields, attempt.schema_errors = self._fields.dropped, self._fields.errors
        attempt.checksum_errors = self.counts.errors

    def read(self, line: bytes) -> JsonObject | None:
        """The message of a line, if it takes part in the sync.

        Raises:
            SyncRuleError: the message ends the sync.
        """
        self._attempt.line_count += 1
        message = self._reader.read(line)
        if message is None:
            if line.endswith(b"\n"):
                self._attempt.skipped_lines.append(excerpt(line))
            else:
                self._attempt.torn_line = excerpt(line)
            return None
        if message["type"] in {"RECORD", "STATE"}:
            now = time.monotonic()
            self._attempt.largest_gap = max(self._attempt.largest_gap, now - self._last_heartbeat)
            self._last_heartbeat = now
        elif message["type"] == "LOG":
            self._attempt.logs.append(message["log"])
            return None
        return message if is_replicated(message) else None

    def process(self, line: bytes, message: JsonObject) -> Iterator[bytes]:
        """The lines that the destination receives for a message: only records and states, no traces.

        Raises:
            SyncRuleError: the message ends the sync.
        """
        body = body_of(message)
        match message["type"]:
            case "RECORD":
                yield from self._record(line, body)
            case "STATE":
                yield self._state(body)
            case "CONTROL":
                self._attempt.controls.append(body)
            case "TRACE" if body["type"] == "ERROR":
                self._attempt.failures.append(Failure.of_trace("source", body))
            case "TRACE" if body["type"] == "STREAM_STATUS":
                self._status(body["stream_status"])

    def finish(self) -> Iterator[bytes]:
        """The last lines for the destination after the source exited with 0: missing states and COMPLETE."""
        stateful = {state_key(state) for state in self._attempt.source_states}
        for configured in self._catalog["streams"]:
            stream = configured["stream"]
            resumable = stream.get("is_resumable") is True
            if configured["sync_mode"] == "full_refresh" and not resumable and stream_key(stream) not in stateful:
                yield self._state(
                    {"type": "STREAM", "stream": {"stream_descriptor": _descriptor(stream), "stream_state": {}}}
                )
        if self._supports_refreshes:
            for configured in self._catalog["streams"]:
                yield _complete(self._names.renamed(_descriptor(configured["stream"])))

    def settle(self) -> None:
        """Finalize the statuses and counts of the attempt."""
        self.statuses.settle()
        self._attempt.stream_status, self._attempt.source_status = self.statuses.shown, self.statuses.reported
        if self._attempt.status == "succeeded":
            self._attempt.committed = Counter(self.counts.emitted)

    def _record(self, line: bytes, record: JsonObject) -> Iterator[bytes]:
        key, original = stream_key(record), record["data"]
        data = self._fields.select(key, original)
        self.counts.add_record(key)
        self.statuses.add_record(key)
        if self._keep:
            self._attempt.records[key].append(data)
        mapped: JsonObject | None = data
        for mapper in self._mappers:
            if mapped is not None and mapper.stream == record["stream"]:
                mapped = mapper.record(mapped)
        if mapped is None:
            self.counts.add_filtered(key)
        elif mapped is original and self._unchanged:
            yield line.rstrip(b"\n")
        else:
            yield orjson.dumps({"type": "RECORD", "record": self._names.record({**record, "data": mapped})})

    def _state(self, state: JsonObject) -> bytes:
        key = state_key(state)
        if not self.statuses.knows(key):
            raise SyncRuleError(f"A state of stream {key}, which is not in the configured catalog")
        enriched = self.counts.enrich(key, state)
        self.statuses.add_state(key, enriched["id"])
        self._attempt.source_states.append(enriched)
        return orjson.dumps({"type": "STATE", "state": self._names.state(enriched)})

    def _status(self, status: JsonObject) -> None:
        key = stream_key(status["stream_descriptor"])
        if self.statuses.knows(key):
            reasons = [reason["type"] for reason in status.get("reasons") or ()]
            self.statuses.report(key, status["status"], reasons)
        elif status["status"] == "COMPLETE" and self._supports_refreshes:
            raise SyncRuleError(f"COMPLETE for stream {key}, which is not in the configured catalog")


def _descriptor(stream: Mapping[str, Any]) -> JsonObject:
    return {name: stream[name] for name in ("name", "namespace") if stream.get(name) is not None}


def _complete(descriptor: JsonObject) -> bytes:
    now = time.time() * 1000
    status = {"stream_descriptor": descriptor, "status": "COMPLETE"}
    return orjson.dumps(
        {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": now, "stream_status": status}}
    )
