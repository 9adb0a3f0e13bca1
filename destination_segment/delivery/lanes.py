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
from destination_segment.delivery.retries import RejectionError

LANES = 8
_BATCHES_IN_FLIGHT = 2  # one on its way, one ready to follow it


class Lane:
    """One worker and its connection: what is added is accepted by Segment in the order in which it was added."""

    def __init__(self, client: SegmentClient) -> None:
        self._client = client
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lane")
        self._open = Batch()
        self._open_since = 0
        self._broken = False
        self._in_flight: deque[tuple[int, Future[None]]] = deque()

    def add(self, position: int, item: bytes) -> None:
        """Add a call, read at a position of the input, to the lane's open batch."""
        if not self._open.has_room_for(item):
            self.flush()
        if not self._open:
            self._open_since = position
        self._open.add(item)

    def request(self, position: int, request: ApiCall, on_refusal: Callable[[str], None]) -> None:
        """Add a request of its own, read at a position of the input.

        If Segment refuses it for its content, the worker calls `on_refusal` with the reason, and goes on.
        """

        def work() -> None:
            try:
                self._client.send_request(request)
            except RejectionError as refusal:
                if not refusal.concerns_content:
                    raise
                on_refusal(f"Segment refused the API call (HTTP {refusal.status})")

        self.flush()
        self._submit(position, work)

    def flush(self) -> None:
        """Send what is open, waiting first if too much is on its way already."""
        if self._open:
            batch, self._open = self._open, Batch()
            self._submit(self._open_since, lambda: self._client.send_batch(batch))

    def oldest(self) -> int | None:
        """The position of the oldest call that is not accepted, or not yet; None if all are."""
        while self._in_flight and _is_accepted(self._in_flight[0][1]):
            self._in_flight.popleft()
        if self._in_flight:
            return self._in_flight[0][0]
        return self._open_since if self._open else None

    def drain(self) -> None:
        """Send everything and wait until it is accepted.

        Raises:
            AirbyteTracedException: Segment did not accept a call.
        """
        self.flush()
        self._await(0)

    def raise_failure(self) -> None:
        """Raise what went wrong with a call, if anything did.

        Raises:
            AirbyteTracedException: Segment did not accept a call.
        """
        if self._in_flight and self._in_flight[0][1].done():
            self._in_flight[0][1].result()

    def close(self) -> None:
        """Give up what is not on its way."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _submit(self, position: int, work: Callable[[], None]) -> None:
        self._await(_BATCHES_IN_FLIGHT - 1)
        self._in_flight.append((position, self._worker.submit(self._run, work)))

    def _run(self, work: Callable[[], None]) -> None:
        """Do the work, unless the work before it failed: nothing may overtake what was not accepted."""
        if not self._broken:
            self._broken = True
            work()
            self._broken = False

    def _await(self, most_left: int) -> None:
        while len(self._in_flight) > most_left:
            self._in_flight[0][1].result()
            self._in_flight.popleft()


class Lanes:
    """All workers. Calls with the same key take the same lane."""

    def __init__(self, connect: Callable[[], SegmentClient], count: int = LANES) -> None:
        self._lanes = [Lane(connect()) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in self._lanes:
            lane.close()

    def __getitem__(self, key: str) -> Lane:
        return self._lanes[crc32(key.encode()) % len(self._lanes)]

    def flush(self) -> None:
        """Send what is open in any lane."""
        for lane in self._lanes:
            lane.flush()

    def drain(self) -> None:
        """Send everything and wait until it is accepted."""
        self.flush()
        for lane in self._lanes:
            lane.drain()

    def raise_failure(self) -> None:
        """Raise what went wrong with a call in any lane, if anything did."""
        for lane in self._lanes:
            lane.raise_failure()

    def oldest(self) -> int | None:
        """The position of the oldest call that is not accepted, or not yet; None if all are."""
        return min((position for lane in self._lanes if (position := lane.oldest()) is not None), default=None)


def _is_accepted(work: Future[None]) -> bool:
    return work.done() and not work.cancelled() and work.exception() is None
