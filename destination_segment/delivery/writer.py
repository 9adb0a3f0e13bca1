"""The write path: records in, calls out, and states back once everything before them was accepted."""

import math
import time
from collections.abc import Iterable, Iterator

from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.failures import config_error
from cdp_connectors.json_types import JsonObject
from destination_segment.calls.api_call import ApiCall
from destination_segment.calls.configured_stream import StreamKey
from destination_segment.calls.encoding import exactly_read
from destination_segment.calls.stream import Call, Stream, Unsendable
from destination_segment.delivery.held_states import HeldState, HeldStates
from destination_segment.delivery.lanes import Lanes
from destination_segment.delivery.messages import message_of, state_of
from destination_segment.delivery.origin import CallOrigin, Origin, Rejection
from destination_segment.delivery.rejected_records import RejectedRecords
from destination_segment.delivery.tallies import Tallies
from destination_segment.delivery.verdicts import Verdicts
from destination_segment.spec.values import InexactNumberError

_SECONDS_BETWEEN_FLUSHES = 1.0
_MOST_HELD_STATES = 1_000


class Writer:
    """Writes one input. A record's position is its number in the input; a state's, that of the record before it."""

    def __init__(
        self,
        streams: Iterable[Stream],
        lanes: Lanes,
        verdicts: Verdicts,
        rejected_records: RejectedRecords,
        *,
        skip_invalid: bool,
    ) -> None:
        self._streams = {stream.key: stream for stream in streams}
        self._tallies = Tallies(self._streams)
        self._lanes = lanes
        self._verdicts = verdicts
        self._rejected_records = rejected_records
        self._skip_invalid = skip_invalid
        self._position = 0
        self._first_unsent: int | None = None
        self._first_rejected: int | None = None
        self._held_states = HeldStates()
        self._flushed_at = time.monotonic()
        self._paused_at = 0

    def write(self, lines: Iterable[bytes | None]) -> Iterator[str]:
        """Send the records; return the states in order, each once all records before it were accepted.

        Args:
            lines: the messages, one per line; None from time to time, so that states also leave while no line arrives.

        Yields:
            Lines of states.

        Raises:
            AirbyteTracedException: Segment did not accept a call; or, after everything else was sent, there were
                records that cannot be sent and must not be skipped.
        """
        try:
            yield from self._write(lines)
            self._lanes.drain()
        except AirbyteTracedException:
            yield from self._accepted_states(at_once=True)
            self._tallies.log()
            raise
        yield from self._accepted_states(at_once=True)
        self._tallies.log()
        self._raise_problems()

    def _write(self, lines: Iterable[bytes | None]) -> Iterator[str]:
        number = 0
        for line in lines:
            if line is None:
                self._pause()
                yield from self._accepted_states()
                continue
            number += 1
            if not line or line.isspace():
                continue
            message, flaw = message_of(line, number)
            if message["type"] == "RECORD":
                self._send(message["record"], line, flaw)
            elif message["type"] == "STATE":
                self._hold(state_of(line))
                yield from self._accepted_states()

    def _send(self, message: JsonObject, line: bytes, flaw: str | None) -> None:
        stream = self._streams.get((message.get("namespace"), message["stream"]))
        if stream is None:
            raise config_error(
                f"Received records for stream '{message['stream']}', which is not in the configured catalog."
            )
        record, tally = message["data"], self._tallies[stream.key]
        self._position += 1
        tally.count_read()
        try:
            key = stream.primary_key(record)
            calls, unsendable = stream.calls(record, key) if flaw is None else ([], [Unsendable("The record", flaw)])
        except InexactNumberError:
            record = exactly_read(line)["record"]["data"]
            key = stream.primary_key(record)
            calls, unsendable = stream.calls(record, key)
        kept_line = line if self._rejected_records.keeps_records else None
        origin = Origin(stream, self._position, tally.read, key, kept_line)
        for mapping, reason in unsendable:
            self._reject(Rejection(origin, mapping, reason))
        for call in calls:
            self._add(call, origin)
        if not calls and not unsendable:
            if stream.is_deleted(record):
                tally.deleted += 1
            else:
                tally.filtered += 1

    def _add(self, call: Call, origin: Origin) -> None:
        lane, call_origin = self._lanes[call.order_key], CallOrigin(origin, call.mapping)
        if isinstance(call.content, ApiCall):
            self._note_verdicts()
            lane.request(call.content, call_origin)
        else:
            lane.add(call.content, call_origin)

    def _reject(self, rejection: Rejection) -> None:
        origin = rejection.origin
        tally = self._tallies[origin.stream.key]
        self._rejected_records.add(rejection)
        tally.log_rejection(rejection)
        if not self._skip_invalid:
            self._first_unsent = min(self._first_unsent or origin.position, origin.position)
        if not origin.is_rejected:
            origin.is_rejected = True
            tally.rejected += 1
            if not self._held_states.count_rejection(origin):
                tally.rejected_since_state += 1

    def _hold(self, message: JsonObject) -> None:
        streams = self._counted_by(message["state"])
        records, rejected = self._tallies.take_since_state(streams)
        self._held_states.add(HeldState(self._position, streams, message, records, rejected))
        self._flush_if_due(self._position)
        if len(self._held_states) > _MOST_HELD_STATES:
            self._lanes.drain()

    def _pause(self) -> None:
        """Send what held states wait for; if no record arrived since the last pause, send everything."""
        is_idle, self._paused_at = self._paused_at == self._position, self._position
        self._flush_if_due(self._position if is_idle else self._held_states.newest_position)

    def _flush_if_due(self, up_to: int) -> None:
        self._lanes.raise_failure()
        if time.monotonic() - self._flushed_at >= _SECONDS_BETWEEN_FLUSHES:
            self._lanes.flush_if_free(up_to)
            self._flushed_at = time.monotonic()

    def _counted_by(self, state: JsonObject) -> list[StreamKey]:
        """The streams whose records a state counts: its own, or all."""
        stream = state.get("stream")
        descriptor = stream.get("stream_descriptor") if isinstance(stream, dict) else None
        if not isinstance(descriptor, dict):
            return list(self._streams)
        return [(descriptor.get("namespace"), descriptor.get("name", ""))]

    def _accepted_states(self, *, at_once: bool = False) -> Iterator[str]:
        oldest = self._lanes.oldest()
        self._note_verdicts()  # must follow oldest(): a rejected call no longer blocks its lane
        first_rejected = self._first_rejected if self._verdicts.total_rejection else None
        barriers = [barrier for barrier in (oldest, self._first_unsent, first_rejected) if barrier is not None]
        barrier = min(barriers, default=math.inf)
        if (at_once or self._held_states.any_before(barrier)) and self._rejected_records.save(at_once=at_once):
            yield from self._held_states.release_before(barrier)

    def _note_verdicts(self) -> None:
        for rejection in self._verdicts.new_rejections():
            position = rejection.origin.position
            self._first_rejected = min(self._first_rejected or position, position)
            self._reject(rejection)

    def _raise_problems(self) -> None:
        """Raise errors that must fail the sync.

        Raises:
            AirbyteTracedException: a `config_error`: Segment rejected everything, or records could not be sent.
        """
        if total_rejection := self._verdicts.total_rejection:
            raise total_rejection
        problem = self._tallies.problem()
        if problem and not self._skip_invalid:
            raise config_error(problem)
