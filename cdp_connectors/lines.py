"""Finished lines: many records of a stream as the bytes to write to standard output.

The CDK wraps each record into a message, counts it, and serializes it; for a record of 32 columns that is most of the
time of a sync. A retriever that can make the lines itself yields one *carrier* instead: an ordinary record whose only
further field contains the lines of many records. It passes through the CDK's queue in order like any record, marks its
stream as running, and moves the cursor. `LineEntrypoint` removes it before it would be serialized, writes its lines,
and corrects what the CDK counts.

The CDK's message repository is not suitable for lines: a thread can take out what another one put in, so that a state
could precede its records.
"""

import os
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteMessage, AirbyteStateStats, ConnectorSpecification, Type

from cdp_connectors.cdk_repairs import exclusive_output, uncounted_records
from cdp_connectors.json_types import Json
from cdp_connectors.process_end import ENDING

_FIELD = "finished lines"
_PIECE = 1 << 18


class LineRoom:
    """Memory for lines that are not written yet, shared by the threads that make them."""

    def __init__(self, size: int) -> None:
        """`size` in bytes; a single carrier may exceed it."""
        self._size = size
        self._taken = 0
        self._changed = threading.Condition()

    def carrier(self, data: bytes, count: int) -> Mapping[str, Any]:
        """The field that makes a record a carrier of `count` lines; waits until there is room for them."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + len(data) <= self._size)
            self._taken += len(data)
        return {_FIELD: Lines(data, count, self)}

    def give_back(self, size: int) -> None:
        """Release memory for other lines."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()


class Lines:
    """The lines of `count` records of one stream, each with its line break."""

    __slots__ = ("_data", "_room", "count")

    def __init__(self, data: bytes, count: int, room: LineRoom) -> None:
        if (found := data.count(b"\n")) != count:
            raise ValueError(f"{count} records became {found} lines")
        self._data = data
        self._room = room
        self.count = count

    def write(self) -> None:
        """Write the lines to standard output after everything printed so far, never only a part of a line."""
        try:
            output = sys.__stdout__.fileno()  # type: ignore[union-attr] # a process without it has ended
            for piece in _pieces(self._data):
                if ENDING.is_set():
                    threading.Event().wait()  # the lock is unfair: the thread that ends the process might never get it
                with exclusive_output():
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[os.write(output, rest) :]
        finally:
            self._room.give_back(len(self._data))


def _pieces(data: bytes) -> Iterator[memoryview]:
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + _PIECE) + 1 or data.index(b"\n", start) + 1
        yield memoryview(data)[start:end]
        start = end


def lines_of(message: AirbyteMessage) -> Lines | None:
    """The lines that a message carries, or None if it is not a carrier."""
    if message.type is not Type.RECORD or message.record is None:
        return None
    lines = message.record.data.get(_FIELD)
    return lines if isinstance(lines, Lines) else None


def record_count(message: AirbyteMessage) -> int:
    """The number of records in a message: one, those of a carrier, or none."""
    lines = lines_of(message)
    return lines.count if lines else int(message.type is Type.RECORD)


class LineEntrypoint(AirbyteEntrypoint):
    """`AirbyteEntrypoint` that writes finished lines where their carrier is due."""

    def read(
        self, source_spec: ConnectorSpecification, config: Json, catalog: Json, state: Json
    ) -> Iterable[AirbyteMessage]:
        """The messages of a sync, except carriers, whose lines are written here.

        Every message yielded before a carrier has been printed by then, since the CDK prints each message before it
        requests the next. A state's `sourceStats` counts the lines.
        """
        uncounted: Counter[tuple[str, str | None]] = Counter()
        for message in super().read(source_spec, config, catalog, state):
            lines = lines_of(message)
            if lines and message.record:
                uncounted[message.record.stream, message.record.namespace] += lines.count - 1
                uncounted_records[message.record.stream] += lines.count - 1
                lines.write()
                continue
            if message.type is Type.STATE and message.state and message.state.stream:
                stream = message.state.stream.stream_descriptor
                stats = message.state.sourceStats or AirbyteStateStats(recordCount=0.0)
                stats.recordCount = (stats.recordCount or 0.0) + uncounted.pop((stream.name, stream.namespace), 0)
                message.state.sourceStats = stats
            yield message
