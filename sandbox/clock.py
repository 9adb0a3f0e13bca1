"""The sandbox's clock."""

from datetime import datetime, timedelta, timezone


class Clock:
    """A clock that is stopped until it is advanced.

    All data is generated up front; the clock determines how much of it is visible.
    """

    def __init__(self, now: datetime | None = None) -> None:
        """Start at `now` (aware, UTC), or two days and two minutes before the real time.

        Advanced by two days, it is still behind a connector's clock by more than the one-minute margin of Segment's
        windows, so that a connector reads everything.
        """
        self._now = now or datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=2, minutes=2)

    @property
    def now(self) -> datetime:
        """The current time of the sandbox, UTC."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Advance the clock and return the new time.

        Raises:
            ValueError: for a negative `by`.
        """
        if by < timedelta(0):
            raise ValueError("Time in the sandbox only moves forward.")
        self._now += by
        return self._now
