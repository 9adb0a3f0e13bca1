"""The write path: records in, calls out, and states back once everything before them was accepted."""

import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import orjson
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateMessage,
    AirbyteStateStats,
    Type,
)
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.failures import config_error
from destination_segment.calls.api_call import ApiCall
from destination_segment.calls.stream import Stream, StreamKey
from destination_segment.delivery.lanes import Lanes
from destination_segment.spec.values import UnsendableError

logger = logging.getLogger("airbyte")

_SECONDS_BETWEEN_FLUSHES = 1.0
_MOST_HELD_STATES = 1_000


@dataclass(frozen=True)
class Origin:
    """The record that a call comes from."""

    stream: Stream
    position: int
    number: int
    """Its place among the stream's records, from 1."""
    primary_key: list[Any]

    @property
    def name(self) -> str:
        """The record as a sentence names it; its content stays out of the log."""
        return f"with key {orjson.dumps(self.primary_key).decode()}" if self.primary_key else f"number {self.number}"


class Writer:
    """Writes one input. A record's position is its number in the input; a state's, that of the record before it."""

    def __init__(self, streams: Iterable[Stream], lanes: Lanes, *, skip_invalid: bool) -> None:
        self._streams = {stream.key: stream for stream in streams}
        self._lanes = lanes
        self._skip_invalid = skip_invalid
        self._position = 0
        self._first_unsent: int | None = None
        self._refusals: SimpleQueue[tuple[Origin, str]] = SimpleQueue()
        self._held_states: deque[tuple[int, AirbyteMessage]] = deque()
        self._flushed_at = time.monotonic()
        self._read: Counter[StreamKey] = Counter()
        self._unsent: Counter[tuple[StreamKey, str]] = Counter()
        self._sent_since_state: Counter[StreamKey] = Counter()

    def write(self, messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """Send the records; give the states back in their order, each once all records before it were accepted.

        Raises:
            AirbyteTracedException: Segment did not accept a call; or, after everything else was sent, there were
                records that cannot be sent and must not be skipped.
        """
        try:
            for message in messages:
                if message.type is Type.RECORD and message.record:
                    self._send(message.record)
                elif message.type is Type.STATE and message.state:
                    self._hold(message, message.state)
                    yield from self._accepted_states()
            self._lanes.drain()
        except AirbyteTracedException:
            yield from self._accepted_states()
            raise
        yield from self._accepted_states()
        self._conclude()

    def _send(self, message: AirbyteRecordMessage) -> None:
        stream = self._streams.get((message.namespace, message.stream))
        if stream is None:
            raise config_error(f"The input has records of stream '{message.stream}', which the catalog does not list.")
        self._position += 1
        self._read[stream.key] += 1
        origin = Origin(stream, self._position, self._read[stream.key], stream.primary_key(message.data))
        try:
            calls = stream.calls(message.data)
        except UnsendableError as unfit:
            self._leave_out(origin, str(unfit))
            return
        self._sent_since_state[stream.key] += 1
        for call in calls:
            lane = self._lanes[call.order_key]
            if isinstance(call.content, ApiCall):
                self._note_refusals()
                lane.request(origin.position, call.content, lambda reason: self._refusals.put((origin, reason)))
            else:
                lane.add(origin.position, call.content)

    def _leave_out(self, origin: Origin, reason: str) -> None:
        self._unsent[origin.stream.key, reason] += 1
        if not self._skip_invalid:
            self._first_unsent = min(self._first_unsent or origin.position, origin.position)
        logger.warning("The record of stream '%s' %s was not sent: %s.", origin.stream.key[1], origin.name, reason)

    def _hold(self, message: AirbyteMessage, state: AirbyteStateMessage) -> None:
        records = sum(self._sent_since_state.pop(key, 0) for key in self._counted_by(state))
        state.destinationStats = AirbyteStateStats(recordCount=float(records))
        self._held_states.append((self._position, message))
        self._lanes.raise_failure()
        if len(self._held_states) > _MOST_HELD_STATES:
            self._lanes.drain()
        elif time.monotonic() - self._flushed_at >= _SECONDS_BETWEEN_FLUSHES:
            self._lanes.flush()
            self._flushed_at = time.monotonic()

    def _counted_by(self, state: AirbyteStateMessage) -> list[StreamKey]:
        """The streams whose records a state counts: its own, or all."""
        if not state.stream:
            return list(self._streams)
        descriptor = state.stream.stream_descriptor
        return [(descriptor.namespace, descriptor.name)]

    def _accepted_states(self) -> Iterator[AirbyteMessage]:
        if not self._held_states:
            return
        oldest = self._lanes.oldest()
        self._note_refusals()  # after the look at the lanes: a refused call does not hold its lane
        barriers = [barrier for barrier in (oldest, self._first_unsent) if barrier is not None]
        barrier = min(barriers, default=self._position + 1)
        while self._held_states and self._held_states[0][0] < barrier:
            yield self._held_states.popleft()[1]

    def _note_refusals(self) -> None:
        while not self._refusals.empty():
            origin, reason = self._refusals.get()
            self._leave_out(origin, reason)
            self._uncount(origin)

    def _uncount(self, origin: Origin) -> None:
        for position, message in self._held_states:
            if position >= origin.position and message.state and origin.stream.key in self._counted_by(message.state):
                stats = message.state.destinationStats
                if stats and stats.recordCount:
                    stats.recordCount -= 1
                return
        self._sent_since_state[origin.stream.key] -= 1

    def _conclude(self) -> None:
        self._note_refusals()
        for key, read in self._read.items():
            unsent = sum(count for (stream, _), count in self._unsent.items() if stream == key)
            logger.info("Stream '%s': %d records read, %d sent, %d left out.", key[1], read, read - unsent, unsent)
        if self._unsent and not self._skip_invalid:
            reasons = "; ".join(
                f"{count:,} of stream '{key[1]}': {reason}" for (key, reason), count in self._unsent.most_common()
            )
            raise config_error(
                f"{self._unsent.total():,} record(s) cannot be sent, all others were. {reasons}. The log has their "
                "keys. Correct the records or the mapping, or choose to skip such records."
            )
