"""Requests for metrics, made only where there can be any."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, ClassVar

from airbyte_cdk.sources.declarative.interpolation.interpolated_boolean import InterpolatedBoolean
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.types import Config, StreamSlice

from source_customerio.components.periods import EST, MOST_STEPS, UTC, beginning, count_between, later, written

_A_DAY = timedelta(days=1)
_AN_HOUR = timedelta(hours=1)
_EVER = datetime.fromtimestamp(0, UTC)
_SHARED = 100
"""The minimum number of periods of a shared request; below 120, because the API returns at most ten years of months."""
_Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Request:
    """A request for metrics.

    Attributes:
        url: the address of the metrics.
        resolution: the size of a period.
        since: the beginning of the stream's window.
        needed: the first period that has to be known.
        first: the first period that is requested.
        until: the end of the window.
        read: makes the request.
    """

    url: str
    resolution: str
    since: datetime
    needed: datetime
    first: datetime
    until: datetime
    read: Callable[[], list[_Row]]


@dataclass
class _Known:
    """Results of earlier requests for a parent's metrics."""

    lock: Lock
    first: datetime | None = None
    until: datetime | None = None
    last: datetime | None = None
    """The start of the last period in which anything was counted."""

    def learn(self, request: _Request) -> list[_Row]:
        """Make the request, and remember its result."""
        rows = request.read()
        starts = [datetime.fromisoformat(row["period_start"].replace("Z", "+00:00")) for row in rows]
        self.first, self.until, self.last = request.first, request.until, max(starts, default=None)
        return rows

    def covers(self, request: _Request) -> bool:
        """True if an earlier request covers this one."""
        if self.first is None or self.until is None:
            return False
        return self.first <= request.needed and self.until >= request.until - _AN_HOUR

    def counted(self, request: _Request) -> bool:
        """True if anything was counted in the window."""
        return self.last is not None and self.last >= request.since - _A_DAY  # days in EST overlap two in UTC


class Activity:
    """The parents that counted anything, remembered for the duration of a sync.

    The streams of a source run in different threads; a parent's metrics are requested by the first that needs them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[str, ...], _Known] = {}

    def rows(self, request: _Request) -> list[_Row]:
        """The parent's own metrics; makes no request if an earlier one has shown that there are none."""
        with self._of(request) as known:
            return [] if known.covers(request) and not known.counted(request) else known.learn(request)

    def counted(self, request: _Request) -> bool:
        """True if the parent counted anything; makes a request if that is not known yet."""
        with self._of(request) as known:
            if not known.covers(request):
                known.learn(request)
            return known.counted(request)

    @contextmanager
    def _of(self, request: _Request) -> Iterator[_Known]:
        with self._lock:
            known = self._known.setdefault((request.url, request.resolution), _Known(Lock()))
        with known.lock:
            yield known


@dataclass
class MetricsRetriever(Retriever):
    """The `rows` of a parent in each configured resolution, requested only where anything can have been counted.

    `rows` finds its parameters in `stream_slice.extra_fields`: `resolution`, `start` and `end` in epoch seconds, and
    `steps`. Periods are read in full, so the current one and the one in which the lookback begins are read again.

    Nothing is requested if `can_count` is false, or if the metrics that contain these, `within`, counted nothing in the
    window: 0 for a campaign is 0 for its actions and links. If there are several, the first contains the next. They,
    and `rows` that are such metrics for other streams (`shared`), are requested once per sync and parent, further back
    than needed, because the windows of the streams differ.

    If `rows` are requested by a number of steps, which go back 45 days, the first sync reads older numbers by month. No
    declared component can make a request depend on the response to another.
    """

    rows: SimpleRetriever
    config: Config
    parameters: InitVar[Mapping[str, Any]]
    within: list[SimpleRetriever] = field(default_factory=list)
    shared: bool = False
    can_count: str = "{{ true }}"
    by_steps: bool = False

    activity: ClassVar[Activity] = Activity()
    """Shared by the streams of one source, which sets an empty one before it builds them."""

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Compile the condition."""
        self._activity = self.activity
        self._can_count = InterpolatedBoolean(condition=self.can_count, parameters=parameters)

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[_Row]:
        """Yield the rows of all resolutions."""
        if stream_slice is None or not self._can_count.eval(self.config, stream_slice=stream_slice):
            return
        start, end = (_parsed(stream_slice.cursor_slice[bound]) for bound in ("start_time", "end_time"))
        wanted = self.config.get("metrics_resolutions") or ["days"]
        for resolution in wanted:
            yield from self._rows_by(resolution, records_schema, stream_slice, start, end)
        if self.by_steps and "months" not in wanted and self._is_first(start) and _reaches_back(start, end):
            current = written(beginning(end.astimezone(EST), "months"))
            months = self._rows_by("months", records_schema, stream_slice, start, end)
            yield from (row for row in months if row["period_start"] < current)

    def _rows_by(
        self, resolution: str, schema: Mapping[str, Any], stream_slice: StreamSlice, start: datetime, end: datetime
    ) -> Iterator[_Row]:
        window = schema, stream_slice, resolution, start, end
        if not all(self._activity.counted(self._request(outer, *window, shared=True)) for outer in self.within):
            return
        request = self._request(self.rows, *window, shared=self.shared)
        rows = self._activity.rows(request) if self.shared else request.read()
        yield from (row for row in rows if row["period_start"] >= written(request.since))

    def _request(
        self,
        retriever: SimpleRetriever,
        schema: Mapping[str, Any],
        stream_slice: StreamSlice,
        resolution: str,
        start: datetime,
        end: datetime,
        *,
        shared: bool,
    ) -> _Request:
        created = datetime.fromtimestamp(stream_slice.extra_fields.get("created") or 0, UTC)

        def period_of(moment: datetime) -> datetime:
            return beginning(min(max(moment, created), end), resolution)

        since = start if resolution == "days" else beginning(start, resolution)
        needed = period_of(since)
        earlier = max(later(beginning(end, resolution), resolution, -_SHARED), self._start_date)
        first = min(needed, period_of(earlier)) if shared else needed
        periods = count_between(first, end, resolution) + 1  # in EST, the window touches one more
        window = {
            "resolution": resolution,
            "start": int(first.timestamp()),
            "end": int(end.timestamp()),
            "steps": max(min(periods, MOST_STEPS[resolution]), 2),  # 1 means 2
        }
        requested = StreamSlice(
            partition=stream_slice.partition,
            cursor_slice=stream_slice.cursor_slice,
            extra_fields={**stream_slice.extra_fields, **window},
        )

        def read() -> list[_Row]:
            return [{**row} for row in retriever.read_records(schema, requested) if isinstance(row, Mapping)]

        url = retriever.requester.get_url(stream_state=None, stream_slice=requested, next_page_token=None)
        return _Request(url, resolution, since, needed, first, end, read)

    def _is_first(self, start: datetime) -> bool:
        """True if the stream has no state, so that it begins at the start date."""
        return start <= self._start_date

    @property
    def _start_date(self) -> datetime:
        return _parsed((self.config.get("start_date") or "1970-01-01")[:10] + "T00:00:00Z")


def _parsed(moment: str) -> datetime:
    return datetime.fromisoformat(moment.replace("Z", "+00:00"))


def _reaches_back(start: datetime, end: datetime) -> bool:
    return end - start > MOST_STEPS["days"] * _A_DAY
