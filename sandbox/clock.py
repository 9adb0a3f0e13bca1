"""The sandbox's clock."""

from datetime import datetime, timedelta, timezone


class Clock:
    """A clock that stands still until it is advanced.

    All data is generated at once; the clock decides how much of it is visible.
    """

    def __init__(self, now: datetime | None = None) -> None:
        """Start at `now` (aware, UTC), or two days and two minutes before the real now.

        Advanced by two days, it is behind a connector's clock by more than the minute that Segment's windows keep from
        the present, so that a connector still reads all that there is.
        """
        self._now = now or datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=2, minutes=2)

    @property
    def now(self) -> datetime:
        """The current time of the sandbox, UTC."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Let time pass and return the new time.

        Raises:
            ValueError: for a negative `by`.
        """
        if by < timedelta(0):
            raise ValueError("Time in the sandbox only moves forward.")
        self._now += by
        return self._now
