"""The bounded queues between the threads of a sync."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

SIZE = 1_000
_POLL_SECONDS = 0.1
_END = object()


class MessageQueue:
    """A queue of up to `SIZE` messages that ends when its writer closes it or the sync is cancelled."""

    def __init__(self, cancelled: threading.Event) -> None:
        self._cancelled = cancelled
        self._queue: queue.Queue[Any] = queue.Queue(SIZE)
        self._remaining: int | None = None

    def __len__(self) -> int:
        return self._queue.qsize()

    def __iter__(self) -> Iterator[Any]:
        while not self._cancelled.is_set():
            try:
                item = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if item is _END:
                return
            if self._remaining is None:
                yield item
            elif self._remaining > 0:
                self._remaining -= 1
                yield item

    def put(self, item: object) -> None:
        """Append an item, waiting for room; after a cancellation it is dropped."""
        while not self._cancelled.is_set():
            try:
                self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return

    def close(self) -> None:
        """End the queue after its current items."""
        self.put(_END)

    def keep_only(self, count: int) -> None:
        """Deliver only this many of the remaining items."""
        self._remaining = count
