"""The periods by which metrics are counted, and the parameters that request them."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from email.utils import formatdate
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.api.errors import invalid
from sandbox.api.present import Arguments
from sandbox.api.timeline import DAY, HOUR, Record, at, epoch
from sandbox.api.validation import integer
from sandbox.customerio.behaviour import Behaviour

EST = timezone(timedelta(hours=-5))
STEPS = {"hours": (24, 24), "days": (45, 45), "weeks": (12, 12), "months": (121, 12)}
"""The maximum number of steps for each resolution, and the default."""
_TEN_YEARS = 3653 * DAY
_UNITS = {name: name for name in STEPS} | {"hourly": "hours", "daily": "days", "weekly": "weeks", "monthly": "months"}
_FORMATS = {"text": "%Y-%m-%d %H:%M:%S +0000 UTC", "iso": "%Y-%m-%dT%H:%M:%SZ"}

Totals = Mapping[int, Counter[str]]
"""The counts of each metric by the position of the period."""


@dataclass(frozen=True)
class Periods:
    """Adjacent periods of one resolution; `bounds` are their starts and the end of the last, in epoch seconds."""

    resolution: str
    bounds: tuple[int, ...]

    @property
    def count(self) -> int:
        """The number of periods."""
        return len(self.bounds) - 1

    def position(self, moment: int) -> int | None:
        """Return the position of the period that contains a time, or None."""
        position = bisect_right(self.bounds, moment) - 1
        return position if 0 <= position < self.count else None

    def start(self, position: int) -> str:
        """Return the start of a period, as the connector writes it."""
        return at(self.bounds[position]).strftime("%Y-%m-%dT%H:%M:%SZ")

    def arrays(self, totals: Totals, names: Iterable[str]) -> dict[str, list[int]]:
        """Return the totals as the API returns them."""
        return {name: [totals[n][name] if n in totals else 0 for n in range(self.count)] for name in names}

    def dates(self, behaviour: Behaviour) -> Record:
        """Return the dates in a response, if any."""
        if behaviour.metrics_dates == "absent":
            return {}
        pattern = _FORMATS[behaviour.metrics_dates]
        end = self.bounds[-1 if behaviour.metrics_end == "exclusive" else -2]
        start, end_text = (at(moment).strftime(pattern) for moment in (self.bounds[0], end))
        return {"start": start, "end": end_text, "res": self.resolution}


def periods(resolution: str, first: int, last: int, zone: tzinfo) -> Periods:
    """Return the periods from the one that contains `first` to the one that contains `last`."""
    bounds = [_beginning(resolution, at(first).astimezone(zone))]
    while bounds[-1].timestamp() <= last:
        bounds.append(_following(resolution, bounds[-1]))
    return Periods(resolution, tuple(map(epoch, bounds)))


def by_date(given: Arguments, name: str, zone: tzinfo, behaviour: Behaviour) -> Periods:
    """Return the periods from `start` to `end`, which are required; the parameter `name` is their resolution.

    Raises:
        ApiError: for bounds or units that the API rejects.
    """
    resolution = _resolution(given, name)
    if not {"start", "end"} <= set(given):
        raise invalid("start and end are required")
    start, end = integer(given, "start", 0), integer(given, "end", 0)
    if not start <= end <= start + _TEN_YEARS:
        raise invalid("end must lie within ten years after start")
    last = end - 1 if behaviour.metrics_end == "exclusive" and end > start else end
    found = periods(resolution, start, last, zone)
    longest = behaviour.metrics_longest
    if longest is None or found.count <= longest:
        return found
    kept = found.bounds[: longest + 1] if behaviour.metrics_keep == "first" else found.bounds[-longest - 1 :]
    return Periods(resolution, kept)


def by_steps(given: Arguments, now: int, behaviour: Behaviour) -> Periods:
    """Return the last `steps` periods up to the current one: at least two, or for 0 as many as allowed.

    Raises:
        ApiError: for too many steps, or for units that the API rejects.
    """
    resolution = _resolution(given, "period", "days")
    most, default = STEPS[resolution]
    steps = integer(given, "steps", default)
    if steps > most:
        raise invalid(f"steps must not exceed {most}")
    return last_periods(resolution, max(steps, 2) if steps else most, now, behaviour)


def last_periods(resolution: str, count: int, now: int, behaviour: Behaviour) -> Periods:
    """Return this many periods up to the current one, in the zone of requests by steps."""
    zone = steps_zone(behaviour)
    longest = {"hours": HOUR, "days": DAY, "weeks": 7 * DAY, "months": 31 * DAY}[resolution]
    found = periods(resolution, now - (count + 1) * longest, now, zone)
    return Periods(resolution, found.bounds[-count - 1 :])


def steps_zone(behaviour: Behaviour) -> tzinfo:
    """Return the zone of requests by steps."""
    return EST if behaviour.metrics_zone == "EST" else ZoneInfo(behaviour.metrics_zone)


def requested_zone(given: Arguments) -> tzinfo:
    """Return the zone `tz`, EST by default.

    Raises:
        ApiError: for an unknown zone.
    """
    name = given.get("tz", "EST")
    if name in {"UTC", "EST"}:
        return timezone.utc if name == "UTC" else EST
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise invalid(f"{name} is not a time zone") from error


def _resolution(given: Arguments, name: str, default: str = "") -> str:
    value = given.get(name, default)
    if value not in _UNITS:
        raise invalid(f"{name} must be days, or another unit")
    if {"type", "unique"} & set(given):
        raise invalid("the sandbox supports neither counts by type nor unique counts")
    return _UNITS[value]


def _beginning(resolution: str, moment: datetime) -> datetime:
    """Return the start of the period that contains a time; weeks start on Sunday."""
    if resolution == "hours":
        return moment.replace(minute=0, second=0, microsecond=0)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if resolution == "weeks":
        return midnight - timedelta(days=midnight.isoweekday() % 7)
    return midnight.replace(day=1) if resolution == "months" else midnight


def _following(resolution: str, beginning: datetime) -> datetime:
    """Return the start of the next period; days and longer periods follow the zone's calendar."""
    if resolution == "hours":
        return (beginning.astimezone(timezone.utc) + timedelta(hours=1)).astimezone(beginning.tzinfo)
    if resolution == "months":
        return (beginning + timedelta(days=32)).replace(day=1)
    return beginning + timedelta(days=7 if resolution == "weeks" else 1)


def http_date(now: int, behaviour: Behaviour) -> str:
    """Return the header `Date` of a response.

    The sandbox's clock is stopped, so the first two minutes of a day in the zone of requests by steps would never
    end: they are skipped.
    """
    midnight = epoch(_beginning("days", at(now).astimezone(steps_zone(behaviour))))
    return formatdate(now + max(2 * 60 - (now - midnight), 0), usegmt=True)
