"""A limit on calls per second over all connections."""

import threading
import time


class Pace:
    """Limits how many calls begin per second; None for no limit."""

    def __init__(self, per_second: int | None) -> None:
        self.max_calls = per_second
        """Calls in the largest batch that stays within the limit of one second."""
        self._per_second = per_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait_for(self, calls: int) -> None:
        """Wait until this many calls may begin."""
        if self._per_second is None:
            return
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._free_at)
            self._free_at = begin + calls / self._per_second
        if begin > now:
            time.sleep(begin - now)
