"""Concurrency that keeps the order of each user's calls."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from zlib import crc32

from typing_extensions import Self

from destination_segment.calls.api_call import ApiCall
from destination_segment.delivery.batches import Batch
from destination_segment.delivery.client import SegmentClient
from destination_segment.delivery.origin import CallOrigin
from destination_segment.delivery.retries import RejectionError
from destination_segment.delivery.verdicts import Verdicts

LANES = 8
_BATCHES_IN_FLIGHT = 2  # one being sent, one ready to follow it


class Lane:
    """One worker and its connection: Segment accepts calls in the order in which they were added."""

    def __init__(self, client: SegmentClient, verdicts: Verdicts, max_calls: int | None = None) -> None:
        self._client = client
        self._verdicts = verdicts
        self._max_calls = max_calls
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._open: Batch[CallOrigin] = Batch(max_calls)
        self._broken = False
        self._in_flight: deque[tuple[int, Future[None]]] = deque()

    def add(self, call: bytes, origin: CallOrigin) -> None:
        """Add a call to the lane's open batch."""
        if not self._open.has_room_for(call):
            self.flush()
        self._open.add(call, origin)

    def request(self, call: ApiCall, origin: CallOrigin) -> None:
        """Add an API call; if Segment rejects it for its content, that is a verdict and the lane continues."""

        def work() -> None:
            try:
                self._client.send_api_call(call)
            except RejectionError as rejection:
                if not rejection.concerns_content or (call.has_constant_path and rejection.is_unknown_path):
                    raise
                self._verdicts.reject(origin, f"Segment rejected the API call ({rejection.answer})")
            else:
                self._verdicts.accept()

        self.flush()
        self._submit(origin.record.position, work)

    def flush(self) -> None:
        """Send the open batch, waiting first if too many are in flight."""
        if self._open:
            batch, self._open = self._open, Batch(self._max_calls)
            self._submit(_position(batch), lambda: self._deliver(batch))

    def flush_if_free(self, up_to: int) -> None:
        """Send the open batch if it contains calls up to a position, unless it would have to wait."""
        self._forget_done()
        if self._open and _position(self._open) <= up_to and len(self._in_flight) < _BATCHES_IN_FLIGHT:
            self.flush()

    def oldest(self) -> int | None:
        """The position of the oldest call without a verdict; None if every call has one."""
        self._forget_done()
        if self._in_flight:
            return self._in_flight[0][0]
        return _position(self._open) if self._open else None

    def drain(self) -> None:
        """Send everything and wait for the verdicts.

        Raises:
            AirbyteTracedException: a call could not be delivered.
        """
        self.flush()
        self._await(0)

    def raise_failure(self) -> None:
        """Raise the error of a failed call, if there is one.

        Raises:
            AirbyteTracedException: a call could not be delivered.
        """
        if self._in_flight and self._in_flight[0][1].done():
            self._in_flight[0][1].result()

    def close(self) -> None:
        """Discard queued work and close the connection."""
        self._worker.shutdown(cancel_futures=True)
        self._client.close()

    def _forget_done(self) -> None:
        while self._in_flight and _is_done(self._in_flight[0][1]):
            self._in_flight.popleft()

    def _deliver(self, batch: Batch[CallOrigin]) -> None:
        """Send a batch; if Segment rejects its content, halve it until the rejected calls are isolated.

        A 400 or 413 concerns the entire batch, and nothing in the response identifies the call.
        """
        try:
            self._client.send_batch(batch)
        except RejectionError as rejection:
            if not rejection.concerns_content or rejection.is_unknown_path:
                raise
            if len(batch) == 1:
                reason = f"Segment rejected the call ({rejection.answer})"
                self._verdicts.reject_batched(batch.origins[0], reason, rejection)
                return
            for half in batch.halves():
                self._deliver(half)
        else:
            self._verdicts.accept()

    def _submit(self, position: int, work: Callable[[], None]) -> None:
        self._await(_BATCHES_IN_FLIGHT - 1)
        self._in_flight.append((position, self._worker.submit(self._run, work)))

    def _run(self, work: Callable[[], None]) -> None:
        """Do the work, unless earlier work failed: nothing may overtake a call that was not accepted."""
        if not self._broken:
            self._broken = True
            work()
            self._broken = False

    def _await(self, most_left: int) -> None:
        while len(self._in_flight) > most_left:
            self._in_flight[0][1].result()
            self._in_flight.popleft()


class Lanes:
    """All workers. Calls with the same key use the same lane."""

    def __init__(
        self,
        connect: Callable[[], SegmentClient],
        verdicts: Verdicts,
        *,
        count: int = LANES,
        max_calls: int | None = None,
    ) -> None:
        self._lanes = [Lane(connect(), verdicts, max_calls) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in self._lanes:
            lane.close()

    def __getitem__(self, key: str) -> Lane:
        return self._lanes[crc32(key.encode(errors="surrogatepass")) % len(self._lanes)]

    def flush_if_free(self, up_to: int) -> None:
        """In every lane that would not have to wait, send the open batch if it contains calls up to a position."""
        for lane in self._lanes:
            lane.flush_if_free(up_to)

    def drain(self) -> None:
        """Send everything and wait for the verdicts."""
        for lane in self._lanes:
            lane.flush()
        for lane in self._lanes:
            lane.drain()

    def raise_failure(self) -> None:
        """Raise the error of a failed call in any lane, if there is one."""
        for lane in self._lanes:
            lane.raise_failure()

    def oldest(self) -> int | None:
        """The position of the oldest call without a verdict; None if every call has one."""
        return min((position for lane in self._lanes if (position := lane.oldest()) is not None), default=None)


def _position(batch: Batch[CallOrigin]) -> int:
    """The position of the record of the batch's first call."""
    return batch.origins[0].record.position


def _is_done(work: Future[None]) -> bool:
    return work.done() and work.exception() is None
