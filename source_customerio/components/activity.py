"""Requests for metrics where there can be any."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, ClassVar

from airbyte_cdk.sources.declarative.interpolation.interpolated_boolean import InterpolatedBoolean
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.types import Config, StreamSlice

from source_customerio.components.periods import EST, MOST_STEPS, UTC, beginning, count_between, written

_A_DAY = timedelta(days=1)
_AN_HOUR = timedelta(hours=1)
_Row = Mapping[str, Any]


@dataclass
class _Known:
    """Knowledge of a parent from earlier requests."""

    lock: Lock
    since: datetime | None = None
    until: datetime | None = None
    last: datetime | None = None
    """The start of the last period in which anything was counted."""


class Activity:
    """Which parents counted anything, for as long as one sync lasts.

    The streams of a source run in different threads; a parent's metrics are requested by the first that needs them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[Any, ...], _Known] = {}

    def rows_since(
        self, parent: tuple[Any, ...], since: datetime, until: datetime, read: Callable[[], Iterable[_Row]]
    ) -> list[_Row]:
        """The parent's own metrics: without a request where an earlier one has shown that there are none."""
        known = self._of(parent)
        with known.lock:
            if self._covers(known, since, until) and not self._counted(known, since):
                return []
            rows = self._learn(known, since, until, read)
            return [row for row in rows if row["period_start"] >= written(since)]

    def counted_since(
        self, parent: tuple[Any, ...], since: datetime, until: datetime, read: Callable[[], Iterable[_Row]]
    ) -> bool:
        """Whether the parent counted anything, by what is known or else by a request."""
        known = self._of(parent)
        with known.lock:
            if not self._covers(known, since, until):
                self._learn(known, since, until, read)
            return self._counted(known, since)

    def _of(self, parent: tuple[Any, ...]) -> _Known:
        with self._lock:
            return self._known.setdefault(parent, _Known(Lock()))

    @staticmethod
    def _learn(known: _Known, since: datetime, until: datetime, read: Callable[[], Iterable[_Row]]) -> list[_Row]:
        rows = list(read())
        starts = [datetime.fromisoformat(row["period_start"].replace("Z", "+00:00")) for row in rows]
        known.since, known.until, known.last = since, until, max(starts, default=None)
        return rows

    @staticmethod
    def _covers(known: _Known, since: datetime, until: datetime) -> bool:
        if known.since is None or known.until is None:
            return False
        return known.since <= since and known.until >= until - _AN_HOUR

    @staticmethod
    def _counted(known: _Known, since: datetime) -> bool:
        return known.last is not None and known.last >= since - _A_DAY  # days in EST overlap two in UTC


@dataclass
class MetricsRetriever(Retriever):
    """The `rows` of a parent in each resolution of the setting, requested only where anything can have been counted.

    `rows` finds what to request in `stream_slice.extra_fields`: `resolution`, `start` and `end` in epoch seconds, and
    `steps`. Periods are read whole, so that the current one and the one in which the lookback begins are read again.

    Nothing is requested where `can_count` is false, and of what is below a parent only if `parent_rows`, the metrics of
    the parent itself, have counted anything in the window: 0 of a campaign is 0 of its actions and links.
    `parent_field` is the parent's id in the slice; `parent_name` sets apart metrics of the same parent that count
    something else.

    On a first sync, what days do not reach is read by months, once, if `months_before` is set. No declared component
    can make a request depend on the answer to another.
    """

    rows: SimpleRetriever
    config: Config
    parameters: InitVar[Mapping[str, Any]]
    parent_field: str
    parent_name: str = ""
    parent_rows: SimpleRetriever | None = None
    can_count: str = "{{ true }}"
    months_before: bool = False

    activity: ClassVar[Activity] = Activity()
    """Shared by the streams that are built together; a source begins to build with an empty one."""

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Prepare the condition."""
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
        if self.months_before and "months" not in wanted and self._is_first(start) and _reaches_back(start, end):
            current = written(beginning(end.astimezone(EST), "months"))
            months = self._rows_by("months", records_schema, stream_slice, start, end)
            yield from (row for row in months if row["period_start"] < current)

    def _rows_by(
        self, resolution: str, schema: Mapping[str, Any], stream_slice: StreamSlice, start: datetime, end: datetime
    ) -> Iterator[_Row]:
        created = datetime.fromtimestamp(stream_slice.extra_fields.get("created") or 0, UTC)
        since = start if resolution == "days" else beginning(start, resolution)
        first = beginning(min(max(since, created), end), resolution)
        periods = count_between(first, end, resolution) + 1  # of EST, the window touches one more
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
        keys = {**stream_slice.extra_fields, **stream_slice.partition}
        parent = (self.parent_field, self.parent_name, str(keys[self.parent_field]), resolution)

        def read(retriever: SimpleRetriever) -> Iterator[_Row]:
            return ({**row} for row in retriever.read_records(schema, requested) if isinstance(row, Mapping))

        if self.parent_rows is None:
            yield from self._activity.rows_since(parent, since, end, lambda: read(self.rows))
        elif self._activity.counted_since(parent, since, end, lambda parents=self.parent_rows: read(parents)):  # type: ignore[misc]
            yield from (row for row in read(self.rows) if row["period_start"] >= written(since))

    def _is_first(self, start: datetime) -> bool:
        """Whether the stream has no state, so that it begins at the start date."""
        return written(start)[:10] <= (self.config.get("start_date") or "1970-01-01")[:10]


def _parsed(moment: str) -> datetime:
    return datetime.fromisoformat(moment.replace("Z", "+00:00"))


def _reaches_back(start: datetime, end: datetime) -> bool:
    return end - start > MOST_STEPS["days"] * _A_DAY
