"""Hours, days, weeks (from Sunday) and months: their beginnings in UTC and in Eastern time."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

UTC = timezone.utc
EST = timezone(timedelta(hours=-5), "EST")
NEW_YORK = ZoneInfo("America/New_York")
DAY = 86_400
MOST_STEPS: Mapping[str, int] = {"hours": 24, "days": 45, "weeks": 12, "months": 121}
"""The number of periods that the API goes back, including the current one."""

_SPELLINGS = {"hourly": "hours", "daily": "days", "weekly": "weeks", "monthly": "months"}
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)(?: [A-Z]+)?")
_SETTLING = 120
"""Seconds after the start of a period during which a response may still end with the period before."""


def resolution_named(written: str) -> str:
    """The resolution in the spelling of the setting: `hours` for `hourly`."""
    return _SPELLINGS.get(written, written)


def beginning(moment: datetime, resolution: str) -> datetime:
    """The beginning of the moment's period, in the moment's own zone."""
    if resolution == "hours":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if resolution == "weeks":
        return day - timedelta(days=day.isoweekday() % 7)
    return day.replace(day=1) if resolution == "months" else day


def later(start: datetime, resolution: str, periods: int) -> datetime:
    """The beginning of the period that comes `periods` after `start`, by the clock of its zone."""
    if resolution == "hours":
        return (start.astimezone(UTC) + timedelta(hours=periods)).astimezone(start.tzinfo)
    if resolution == "months":
        years, month = divmod(start.month - 1 + periods, 12)
        return start.replace(year=start.year + years, month=month + 1)
    return start + timedelta(days=periods * (7 if resolution == "weeks" else 1))


def count_between(start: datetime, end: datetime, resolution: str) -> int:
    """The number of periods from the one containing `start` to the one containing `end`, both included."""
    first, last = beginning(start, resolution), beginning(end, resolution)
    if resolution == "months":
        return (last.year - first.year) * 12 + last.month - first.month + 1
    length = {"hours": 3_600, "days": DAY, "weeks": 7 * DAY}[resolution]
    return round((last - first).total_seconds() / length) + 1


def written(moment: datetime) -> str:
    """The moment as it is written in records: ISO 8601, in UTC."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def parsed(value: object) -> datetime | None:
    """Parse a time written as `2025-01-01 00:00:00 +0000 UTC`, ISO 8601 or epoch seconds; None for other values."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    match = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return None
    day, clock, offset = match.groups()
    return datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset == 'Z' else offset[:3] + ':' + offset[-2:]}")


def zone_of(start: datetime, end: datetime | None, resolution: str) -> tzinfo:
    """The zone whose periods `start` and `end` delimit: that of their offset, EST, or Eastern time with summer time.

    Periods of Eastern time can be written in UTC; they then begin at 04:00 or 05:00.
    """
    eastern = {EST.utcoffset(None), timedelta(hours=-4)}
    in_utc = not start.utcoffset()
    if in_utc and beginning(start, resolution) == start:
        return UTC
    if not in_utc and not {start.utcoffset(), (end or start).utcoffset()} & eastern:
        return start.tzinfo or UTC
    bounds = [moment for moment in (start, end) if moment and moment.minute == moment.second == 0]
    in_summer_time = any(
        (_begins_day(moment, NEW_YORK) and not _begins_day(moment, EST)) or moment.utcoffset() == timedelta(hours=-4)
        for moment in bounds
    )
    if in_summer_time:
        return NEW_YORK
    return EST if _begins_day(start, EST) or not in_utc else UTC


def seconds_until_certain(moment: datetime, resolution: str) -> float:
    """Seconds until the period of the last number in an undated response is unambiguous; 0 if it already is.

    Customer.io's documents say both "Eastern time" and "EST". While New York has summer time, the two disagree about
    the day between 04:00 and 05:00 UTC.
    """
    if resolution == "hours":
        return max(_SETTLING - moment.timestamp() % 3_600, 0)
    since_midnight = (moment.timestamp() - 5 * 3_600) % DAY
    if since_midnight < _SETTLING:
        return _SETTLING - since_midnight
    if moment.astimezone(NEW_YORK).dst() and since_midnight >= DAY - 3_600:
        return DAY - since_midnight + _SETTLING
    return 0


def _begins_day(moment: datetime, zone: tzinfo) -> bool:
    local = moment.astimezone(zone)
    return local.hour == local.minute == local.second == 0
