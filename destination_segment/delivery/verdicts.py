"""Segment's verdicts on the calls of all lanes."""

import threading
from collections.abc import Iterator
from queue import SimpleQueue

from destination_segment.delivery.origin import CallOrigin, Rejection
from destination_segment.delivery.retries import RejectionError

_MOST_REJECTED_AT_FIRST = 100
"""After so many rejections without an acceptance, no further call is tried."""


class Verdicts:
    """Whether Segment accepted anything, and the rejections that nobody took note of yet. Lanes share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rejections: SimpleQueue[Rejection] = SimpleQueue()
        self._rejected = 0
        self._any_accepted = False
        self._first_rejection: RejectionError | None = None

    def accept(self) -> None:
        """Segment accepted a call, or a batch of them."""
        self._any_accepted = True

    def reject(self, origin: CallOrigin, reason: str) -> None:
        """Segment rejected a call for its content."""
        self._rejections.put(origin.rejection(reason))

    def reject_batched(self, origin: CallOrigin, reason: str, rejection: RejectionError) -> None:
        """Segment rejected a single call of a batch for its content.

        Raises:
            RejectionError: it rejected many calls and accepted none; that is the configuration, not their content.
        """
        with self._lock:
            self._rejected += 1
            self._first_rejection = self._first_rejection or rejection
            if not self._any_accepted and self._rejected >= _MOST_REJECTED_AT_FIRST:
                raise rejection.of_everything()
        self.reject(origin, reason)

    @property
    def total_rejection(self) -> RejectionError | None:
        """That Segment rejected calls and accepted none: it is the configuration, as far as anyone can tell."""
        rejection = self._first_rejection
        if not rejection or not rejection.may_be_credentials or self._any_accepted:
            return None
        return rejection.of_everything()

    def new_rejections(self) -> Iterator[Rejection]:
        """The rejections since the last time."""
        while not self._rejections.empty():
            yield self._rejections.get()
