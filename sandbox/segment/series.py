"""Counts over time, in buckets of a granularity and grouped by dimensions."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

from sandbox.api.errors import invalid
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import Record, midnight, timestamp
from sandbox.api.validation import choice, moment, window

_DAY = timedelta(days=1)
_LATE = timedelta(days=1)
_STEPS = {"MINUTE": timedelta(minutes=1), "HOUR": timedelta(hours=1), "DAY": _DAY}

Limits: TypeAlias = Mapping[str, tuple[timedelta, timedelta]]
"""How far back a granularity reaches, and its longest window."""


@dataclass(frozen=True)
class Counter:
    """The counts of one kind of event; `of_day` returns those of a full day, after all events have arrived."""

    dimensions: Record
    of_day: Callable[[date], int]


@dataclass(frozen=True)
class Window:
    """A time window with an exclusive end, in buckets of a granularity."""

    start: datetime
    end: datetime
    granularity: str
    now: datetime

    @classmethod
    def requested(cls, given: Arguments, present: Present, limits: Limits | None = None) -> "Window":
        """Read `granularity`, `startTime` and `endTime`, which are required.

        Raises:
            ApiError: 422 if one is missing or malformed, or if the window is beyond the limits.
        """
        now = present.now
        granularity = choice(given, "granularity", tuple(_STEPS))
        for name in ("startTime", "endTime"):
            if name not in given:
                raise invalid(f"{name} is required.", name)
        start, end = moment(given, "startTime", now), moment(given, "endTime", now)
        reach, longest = limits[granularity] if limits else (None, None)
        window(present, start, end, earliest=now - reach if reach else start, longest=longest)
        return cls(start, end, granularity, now)

    def counts(self, counter: Counter) -> dict[datetime, int]:
        """Return the nonzero counts by the start of their bucket.

        A fortieth of a day's events arrives within a day after it; today's counts grow with the hour.
        """
        step, day, counted = _STEPS[self.granularity], midnight(self.start.date()), {}
        end = min(self.end, self.now)
        while day < end:
            whole = counter.of_day(day.date())
            if self.now < day + _DAY + _LATE:
                whole -= whole // 40
            bucket = max(day, day + (self.start - day) // step * step)
            while whole and bucket < min(end, day + _DAY):
                following = min(bucket + step, end)
                count = _until(whole, following - day) - _until(whole, max(bucket, self.start) - day)
                if count:
                    counted[bucket] = count
                bucket += step
            day += _DAY
        return counted


def _until(whole: int, passed: timedelta) -> int:
    return whole * int(passed.total_seconds()) // 86400


def grouped(
    counters: Iterable[Counter], span: Window, names: Collection[str]
) -> list[tuple[Record, dict[datetime, int]]]:
    """Return the counts for every combination of the named dimensions; dimensions that a counter lacks are omitted."""
    groups: dict[str, tuple[Record, dict[datetime, int]]] = {}
    for counter in counters:
        counts = span.counts(counter)
        if counts:
            dimensions = {name: counter.dimensions[name] for name in names if name in counter.dimensions}
            _, total = groups.setdefault(str(dimensions), (dimensions, {}))
            for bucket, count in counts.items():
                total[bucket] = total.get(bucket, 0) + count
    return list(groups.values())


def points(counts: Mapping[datetime, int]) -> list[Record]:
    """Return counts as the API's series, oldest first."""
    return [{"time": timestamp(bucket), "count": counts[bucket]} for bucket in sorted(counts)]
