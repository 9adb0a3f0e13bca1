"""A limit on calls per second over all connections."""

import threading
import time


class Pace:
    """Lets no more calls begin than a number per second; without a number, as many as come."""

    def __init__(self, per_second: int | None) -> None:
        self.max_calls = per_second
        """The largest batch that does not exceed a second's share."""
        self._per_second = per_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait_for(self, calls: int) -> None:
        """Return when so many calls may begin."""
        if self._per_second is None:
            return
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._free_at)
            self._free_at = begin + calls / self._per_second
        if begin > now:
            time.sleep(begin - now)
