"""Counts for each stream of a sync, for its closing log line, and whether its state can be trusted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_current = threading.local()


@dataclass
class StreamRead:
    """The counts of one stream, updated by several threads."""

    rows: int = 0
    requests: int = 0
    retries: int = 0
    seconds_waited: float = 0.0
    """Time spent waiting for rate limits, the vendor's and the connector's own."""
    answered: bool = False
    """True if a request succeeded."""
    parents_skipped: int = 0
    first_skipped: str = ""
    """The reason for the first parent that was skipped."""
    unanswered: set[str] = field(default_factory=set)
    """Those of this stream and its lists of parents for which all parents so far were absent."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count this thread's requests for this stream."""
        previous = current_read()
        _current.read = self
        try:
            yield
        finally:
            _current.read = previous

    def count_request(self, *, retry: bool) -> None:
        """Count a request that was sent."""
        with self._lock:
            self.requests += 1
            self.retries += retry

    def count_wait(self, seconds: float) -> None:
        """Count time spent waiting for a rate limit."""
        with self._lock:
            self.seconds_waited += seconds

    def count_skipped(self, reason: str) -> None:
        """Count a parent that was skipped."""
        with self._lock:
            self.first_skipped = self.first_skipped or reason
            self.parents_skipped += 1

    @property
    def may_save_state(self) -> bool:
        """True if a state of the stream can be trusted.

        As long as all parents were absent, it cannot: if the others are absent as well, the stream fails, and what the
        state has passed would never be requested again.
        """
        return not self.unanswered

    def __str__(self) -> str:
        counts = [
            f"{self.rows:,} rows",
            f"{self.requests:,} requests",
            f"{self.retries:,} retries",
            f"{self.seconds_waited:,.0f} s waited for rate limits",
        ]
        if self.parents_skipped:
            counts.append(f"{self.parents_skipped:,} parents skipped (the first: {self.first_skipped})")
        return ", ".join(counts)


def current_read() -> StreamRead | None:
    """The stream that this thread works for, or None outside of any stream."""
    return getattr(_current, "read", None)
