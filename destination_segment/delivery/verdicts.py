"""Segment's verdicts on the calls of all lanes."""

import threading
from collections.abc import Iterator
from queue import SimpleQueue

from destination_segment.delivery.origin import CallOrigin, Rejection
from destination_segment.delivery.retries import RejectionError

_MOST_REJECTED_AT_FIRST = 100
"""After this many rejections without an acceptance, nothing more is sent."""


class Verdicts:
    """The rejections not yet processed, and whether Segment accepted anything; shared by all lanes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rejections: SimpleQueue[Rejection] = SimpleQueue()
        self._rejected = 0
        self._any_accepted = False
        self._first_rejection: RejectionError | None = None

    def accept(self) -> None:
        """Record that Segment accepted a call or a batch."""
        self._any_accepted = True

    def reject(self, origin: CallOrigin, reason: str) -> None:
        """Record that Segment rejected a call for its content."""
        self._rejections.put(origin.rejection(reason))

    def reject_batched(self, origin: CallOrigin, reason: str, rejection: RejectionError) -> None:
        """Record that Segment rejected a single call of a batch for its content.

        Raises:
            RejectionError: it rejected many calls and accepted none, which points to the configuration.
        """
        with self._lock:
            self._rejected += 1
            self._first_rejection = self._first_rejection or rejection
            if not self._any_accepted and self._rejected >= _MOST_REJECTED_AT_FIRST:
                raise rejection.of_everything()
        self.reject(origin, reason)

    @property
    def total_rejection(self) -> RejectionError | None:
        """The error if Segment rejected calls and accepted none, which points to the configuration; otherwise None."""
        rejection = self._first_rejection
        if not rejection or not rejection.may_be_credentials or self._any_accepted:
            return None
        return rejection.of_everything()

    def new_rejections(self) -> Iterator[Rejection]:
        """The rejections since the last call."""
        while not self._rejections.empty():
            yield self._rejections.get()
