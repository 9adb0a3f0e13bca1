"""Usage: API calls and monthly tracked users (MTU), day by day, cumulative within the usage period."""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from starlette.requests import Request

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint
from sandbox.api.present import Present
from sandbox.api.timeline import Dated, Record, Seeded, midnight
from sandbox.api.validation import parameters, requested_month

UsageRows: TypeAlias = Callable[[date, datetime], list[Record]]
"""The rows of the month that begins on a date, as known at a given time."""

_DAY = timedelta(days=1)
_AHEAD = timedelta(days=40)
_HISTORY_MONTHS = 18
_LATE_DAYS = 3
_OBJECT_CATEGORIES = frozenset({"CRM", "Helpdesk", "Payments"})
_COUNTERS = ("anonymous", "anonymousIdentified", "identified", "neverIdentified")


@dataclass(frozen=True)
class Meter:
    """The meter of one source, or of the entire workspace.

    `daily` contains the API calls of each day from `first_day` on; `shares` the new users of each MTU counter in a
    period, in thousandths of the day's API calls; `billing_days` the days of the month on which the billing periods
    of the users begin.
    """

    first_day: date
    daily: list[int]
    shares: tuple[int, ...]
    billing_days: tuple[int, ...]

    def calls(self, day: date, now: datetime) -> int:
        """Return the API calls of a day as known at `now`.

        Today's count grows with the hour. The last three days of a month lack late calls until the second day of the
        next month begins.
        """
        index = (day - self.first_day).days
        if not 0 <= index < len(self.daily):
            return 0
        calls = self.daily[index]
        next_month = _next_month(day)
        if next_month - day <= _LATE_DAYS * _DAY and now.date() <= next_month:
            calls -= calls // 30
        if day == now.date():
            calls = calls * (now.hour * 3600 + now.minute * 60 + now.second) // 86400
        return calls


class Usage:
    """The usage of the workspace and its sources over eighteen months, and well beyond `origin`."""

    def __init__(self, sources: list[Dated], origin: datetime, *, seed: int) -> None:
        self._random = Seeded(f"{seed}/usage")
        self._last_day = origin.date() + _AHEAD
        self.first_month = origin.date().replace(day=1)
        for _ in range(_HISTORY_MONTHS - 1):
            self.first_month = (self.first_month - _DAY).replace(day=1)
        self._sources = sources
        self._meters = {dated.record["id"]: self._meter(number, dated) for number, dated in enumerate(sources)}
        self._workspace = self._workspace_meter()
        self.api_calls_per_source = self._within_history(self._api_calls_per_source)
        self.api_calls_workspace = self._within_history(self._api_calls_workspace)
        self.mtu_per_source = self._within_history(self._mtu_per_source)
        self.mtu_workspace = self._within_history(self._mtu_workspace)

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tags API Calls and Monthly Tracked Users."""
        listings = (
            ("api-calls/daily", "APICalls", "api_calls_workspace", self.api_calls_workspace, LastNext.ABSENT),
            ("api-calls/sources/daily", "APICalls", "api_calls_per_source", self.api_calls_per_source, LastNext.NULL),
            ("mtu/daily", "MTU", "mtu_workspace", self.mtu_workspace, LastNext.NULL),
            ("mtu/sources/daily", "MTU", "mtu_per_source", self.mtu_per_source, LastNext.ABSENT),
        )
        return [
            _UsageListing(
                path=f"/usage/{path}",
                stream=f"usage_{name}_daily",
                primary_key=(
                    *(("sourceId",) if "sources" in path else ()),
                    *(("periodStart",) if kind == "MTU" else ()),
                    "timestamp",
                ),
                key=f"daily{'PerSource' if 'sources' in path else 'Workspace'}{kind}Usage",
                of_month=rows,
                first_month=self.first_month,
                paging=Cursors(last_next),
            )
            for path, kind, name, rows, last_next in listings
        ]

    def settled_calls(self, source_id: str, day: date) -> int:
        """Return the API calls of a source on a day, after all have arrived."""
        meter = self._meters[source_id]
        index = (day - meter.first_day).days
        return meter.daily[index] if 0 <= index < len(meter.daily) else 0

    def _within_history(self, rows: UsageRows) -> UsageRows:
        """Return a cached version of `rows` that is empty before the first and after the current month."""
        cached = lru_cache(maxsize=64)(rows)
        return lambda month, now: cached(month, now) if self.first_month <= month <= now.date() else []

    def _meter(self, number: int, source: Dated) -> Meter:
        """Meter a source; a fifth of them are billed from the 15th, another fifth from both the 1st and the 15th."""
        first_day = max(source.since.date(), self.first_month)
        size = int(self._random.lognormvariate(7, 1.5)) + 50
        daily = []
        for index in range((self._last_day - first_day).days + 1):
            weekend = (first_day + index * _DAY).isoweekday() > 5  # noqa: PLR2004 # Saturday and Sunday
            daily.append(int(size * self._random.uniform(0.7, 1.3) * (0.6 if weekend else 1)))
        shares = tuple(self._random.randrange(5, 60) for _ in _COUNTERS)
        return Meter(first_day, daily, shares, ((1,), (15,), (1, 15), (1,), (1,))[number % 5])

    def _workspace_meter(self) -> Meter:
        daily = [0] * ((self._last_day - self.first_month).days + 1)
        for meter in self._meters.values():
            offset = (meter.first_day - self.first_month).days
            for index, calls in enumerate(meter.daily, start=offset):
                daily[index] += calls
        return Meter(self.first_month, daily, (21, 17, 25, 4), (1, 15))

    def _api_calls_per_source(self, month: date, now: datetime) -> list[Record]:
        return [
            {"sourceId": source_id, **row}
            for source_id, meter in self._metered(now)
            for row in _api_call_rows(meter, month, now)
        ]

    def _api_calls_workspace(self, month: date, now: datetime) -> list[Record]:
        totals: dict[str, int] = {}
        for row in self.api_calls_per_source(month, now):
            totals[row["timestamp"]] = totals.get(row["timestamp"], 0) + int(row["apiCalls"])
        return [{"apiCalls": str(total), "timestamp": timestamp} for timestamp, total in sorted(totals.items())]

    def _mtu_per_source(self, month: date, now: datetime) -> list[Record]:
        """Return the rows of event sources; object sources have no tracked users."""
        objects = {dated.record["id"] for dated in self._sources if _is_object_source(dated.record)}
        return [
            {"sourceId": source_id, **row}
            for source_id, meter in self._metered(now)
            if source_id not in objects
            for row in _mtu_rows(meter, month, now)
        ]

    def _mtu_workspace(self, month: date, now: datetime) -> list[Record]:
        return _mtu_rows(self._workspace, month, now)

    def _metered(self, now: datetime) -> list[tuple[str, Meter]]:
        return [(dated.record["id"], self._meters[dated.record["id"]]) for dated in self._sources if dated.since <= now]


@dataclass(frozen=True, kw_only=True)
class _UsageListing(Endpoint):
    """The days of the month in the parameter `period`, which a connector adds to its rows."""

    key: str
    of_month: UsageRows
    first_month: date
    paging: Cursors

    def answer(self, request: Request, present: Present) -> Record:
        given = parameters(request, present, self.paging.parameters | {"period"})
        page = self.paging.page(request, given, present)
        return page.answer(self.key, self.of_month(requested_month(given), present.now))

    def rows(self, present: Present, start: datetime) -> list[Record]:
        """Return the rows of every month that ends after `start`."""
        month, rows = max(start.date().replace(day=1), self.first_month), []
        while month <= present.now.date():
            rows += [{**row, "period": month.isoformat()} for row in self.of_month(month, present.now)]
            month = _next_month(month)
        return rows


def _is_object_source(source: Record) -> bool:
    return not _OBJECT_CATEGORIES.isdisjoint(source["metadata"]["categories"])


def _api_call_rows(meter: Meter, month: date, now: datetime) -> list[Record]:
    rows, total = [], 0
    for day in _days(max(month, meter.first_day), _next_month(month), now):
        total += meter.calls(day, now)
        rows.append({"apiCalls": str(total), "timestamp": _timestamp(day)})
    return rows


def _mtu_rows(meter: Meter, month: date, now: datetime) -> list[Record]:
    """Return a row for each day of the month and each billing period that the day belongs to."""
    periods = [period for billing_day in meter.billing_days for period in _billing_periods(month, billing_day)]
    return [row for period in periods for row in _billing_period_rows(meter, month, period, now)]


def _billing_period_rows(meter: Meter, month: date, period: tuple[date, date], now: datetime) -> list[Record]:
    start, end = period
    rows, total = [], 0
    for day in _days(max(start, meter.first_day), min(end, _next_month(month)), now):
        total += meter.calls(day, now)
        if day >= month:
            counts = {name: str(total * share // 1000) for name, share in zip(_COUNTERS, meter.shares, strict=True)}
            bounds = {"periodStart": _epoch(start), "periodEnd": _epoch(end)}
            rows.append({**bounds, **counts, "timestamp": _timestamp(day)})
    return rows


def _billing_periods(month: date, billing_day: int) -> list[tuple[date, date]]:
    """Return the billing periods, with exclusive ends, that overlap the calendar month."""
    if billing_day == 1:
        return [(month, _next_month(month))]
    renewal = month.replace(day=billing_day)
    previous = (month - _DAY).replace(day=billing_day)
    return [(previous, renewal), (renewal, _next_month(month).replace(day=billing_day))]


def _days(first: date, end: date, now: datetime) -> list[date]:
    last = min(end - _DAY, now.date())
    return [first + index * _DAY for index in range((last - first).days + 1)]


def _next_month(day: date) -> date:
    return day.replace(day=1) + timedelta(days=calendar.monthrange(day.year, day.month)[1])


def _epoch(day: date) -> int:
    return int(midnight(day).timestamp())


def _timestamp(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z"
