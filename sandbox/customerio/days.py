"""The days that metrics are counted by, and how a request asks for them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import formatdate

from sandbox.api.errors import invalid
from sandbox.api.present import Arguments
from sandbox.api.timeline import DAY, HOUR
from sandbox.api.validation import integer

MIDNIGHT_EST = 5 * HOUR
MOST_STEPS = 45
_TEN_YEARS = 3653 * DAY
_DAYS = ("days", "daily")
_OTHERS = ("hours", "hourly", "weeks", "weekly", "months", "monthly")

Totals = dict[int, Counter[str]]
"""How often each metric was recorded, by day; days are numbered from 1970, wherever they begin."""


@dataclass(frozen=True)
class Days:
    """The days that a request asks for, or that a sync holds."""

    first: int
    count: int
    offset: int
    """How long after midnight UTC a day begins."""

    def day(self, moment: int) -> int:
        """The number of the day in which a moment lies."""
        return (moment - self.offset) // DAY

    def start(self, day: int) -> str:
        """When a day begins, as the connector writes it."""
        return datetime.fromtimestamp(day * DAY + self.offset, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def arrays(self, totals: Totals, names: Iterable[str]) -> dict[str, list[int]]:
        """The totals as the API gives them."""
        days = range(self.first, self.first + self.count)
        return {name: [totals[day][name] if day in totals else 0 for day in days] for name in names}


def between(given: Arguments, offset: int) -> Days:
    """The days from `start` to `end`, which are required, of which each begins `offset` after midnight UTC.

    Raises:
        ApiError: for bounds or units that the API does not take.
    """
    _check(given, "res")
    if not {"start", "end"} <= set(given):
        raise invalid("start and end are required")
    start, end = integer(given, "start", 0), integer(given, "end", 0)
    if not start <= end <= start + _TEN_YEARS:
        raise invalid("end must lie within ten years after start")
    first = (start - offset) // DAY
    return Days(first, (end - offset) // DAY - first + 1, offset)


def last_steps(given: Arguments, now: int) -> Days:
    """The last `steps` days in EST, up to the present one: two at least, and all that there are for 0.

    Raises:
        ApiError: for more than there are, or for units that the API does not take.
    """
    _check(given, "period", "days")
    steps = integer(given, "steps", MOST_STEPS)
    if steps > MOST_STEPS:
        raise invalid(f"steps must not exceed {MOST_STEPS}")
    count = max(steps, 2) if steps else MOST_STEPS
    return Days((now - MIDNIGHT_EST) // DAY - count + 1, count, MIDNIGHT_EST)


def zone_offset(given: Arguments) -> int:
    """How long after midnight UTC the days of `tz` begin.

    Raises:
        ApiError: for a zone that the sandbox does not know.
    """
    zone = given.get("tz", "EST")
    if zone not in {"UTC", "EST"}:
        raise invalid("the sandbox knows tz=UTC and EST only")
    return 0 if zone == "UTC" else MIDNIGHT_EST


def _check(given: Arguments, name: str, default: str | None = None) -> None:
    value = given.get(name, default)
    if value in _OTHERS:
        raise invalid(f"the sandbox knows {name}=days only")
    if value not in _DAYS:
        raise invalid(f"{name} must be days, or another unit")
    if {"type", "unique"} & set(given):
        raise invalid("the sandbox counts neither by type nor unique people")


def http_date(now: int) -> str:
    """The header `Date` of an answer.

    The sandbox's clock stands still, so the first two minutes of a day in EST would never end: they are left out.
    """
    return formatdate(now + max(2 * 60 - (now - MIDNIGHT_EST) % DAY, 0), usegmt=True)
