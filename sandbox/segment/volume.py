"""Event volume: the number of events of each source, by kind."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from starlette.requests import Request

from sandbox.api.cursors import Cursors
from sandbox.api.endpoints import Endpoint
from sandbox.api.present import Present
from sandbox.api.timeline import Dated, Record, Seeded, midnight
from sandbox.api.validation import parameters, values
from sandbox.segment.series import Counter, Window, grouped, points
from sandbox.segment.usage import Usage
from sandbox.segment.workspace import Workspace

HISTORY = timedelta(days=120)
"""The length of the history of volumes."""
_DIMENSIONS = ("eventName", "eventType", "source")
_TYPES = ("alias", "group", "identify", "page", "screen", "track")
_KINDS: tuple[Record, ...] = (
    {"eventType": "track", "eventName": "Order Completed"},
    {"eventType": "identify"},
    {"eventType": "page", "eventName": "Home"},
    {"eventType": "track", "eventName": "Product Viewed"},
    {"eventType": "screen", "eventName": "Welcome"},
)


class Volume:
    """The settled API calls of each source, divided among one to three kinds of events."""

    def __init__(self, workspace: Workspace, usage: Usage, sources: list[Dated]) -> None:
        chance = workspace.chance("volume")
        self.first_day = (workspace.origin - HISTORY).date()
        self._usage = usage
        self._sources = sources
        self._counters = {dated.record["id"]: self._counters_of(chance, dated.record) for dated in sources}

    def of_source(self, source_id: str) -> list[Counter]:
        """Return the event counters of one source."""
        return self._counters[source_id]

    def of_sources(self, now: datetime) -> list[Counter]:
        """Return the event counters of all sources that exist."""
        return [each for dated in self._sources if dated.since <= now for each in self._counters[dated.record["id"]]]

    def _counters_of(self, chance: Seeded, source: Record) -> list[Counter]:
        kinds = chance.sample(_KINDS, k=chance.choice((1, 2, 2, 3)))
        cuts = [0, *sorted(chance.sample(range(50, 950), k=len(kinds) - 1)), 1000]
        described = {name: source[name] for name in ("id", "name", "slug") if name in source}
        version = {"appVersion": chance.choice(("1.4.0", "2.0.1"))} if chance.happens(0.3) else {}
        return [
            self._counter({**kind, **version, "source": described}, first, last)
            for kind, first, last in zip(kinds, cuts, cuts[1:], strict=False)
        ]

    def _counter(self, dimensions: Record, first: int, last: int) -> Counter:
        source_id = dimensions["source"]["id"]

        def of_day(day: date) -> int:
            calls = self._usage.settled_calls(source_id, day) if day >= self.first_day else 0
            return calls * last // 1000 - calls * first // 1000

        return Counter(dimensions, of_day)


@dataclass(frozen=True, kw_only=True)
class EventsVolume(Endpoint):
    """The endpoint of a window's volume, as series; a connector makes a row of each of their elements."""

    path: str = "/events/volume"
    stream: str = "events_volume"
    primary_key: tuple[str, ...] = ("sourceId", "eventName", "eventType", "granularity", "time")
    per_minute: int | None = 60
    workspace_id: str
    volume: Volume
    paging: Cursors = Cursors(required=False)  # noqa: RUF009 # it cannot change

    def answer(self, request: Request, present: Present) -> Record:
        """Return the series of the requested combinations."""
        arrays = ("groupBy", "sourceId", "eventName", "eventType", "appVersion")
        given = parameters(request, present, self.paging.parameters | {"granularity", "startTime", "endTime"}, arrays)
        page = self.paging.page(request, given, present)
        names = values(given, "groupBy", _DIMENSIONS)
        values(given, "eventType", _TYPES)
        span = Window.requested(given, present)
        filters = {name: values(given, name) for name in arrays[1:] if name in given}
        counters = [each for each in self.volume.of_sources(present.now) if _passes(each.dimensions, filters)]
        result = [
            {**dimensions, "total": sum(counts.values()), "series": points(counts)}
            for dimensions, counts in grouped(counters, span, names)
        ]
        query: Record = {name: given[name] for name in ("granularity", "startTime", "endTime")}
        query |= {"workspaceId": self.workspace_id, **dict.fromkeys(arrays), **filters, "groupBy": names or None}
        return {"path": self.path, "query": query, **page.answer("result", result)}

    def rows(self, present: Present, start: datetime) -> list[Record]:
        """Return a row for every source, kind of event and day from `start` on."""
        first = max(midnight(start.date()), midnight(self.volume.first_day))
        span = Window(first, present.now, "DAY", present.now)
        return [
            {
                "eventName": "",
                **dimensions,
                "sourceId": dimensions["source"]["id"],
                "granularity": "DAY",
                **point,
            }
            for dimensions, counts in grouped(self.volume.of_sources(present.now), span, _DIMENSIONS)
            for point in points(counts)
        ]


def _passes(dimensions: Record, filters: dict[str, list[str]]) -> bool:
    found = {**dimensions, "sourceId": dimensions["source"]["id"]}
    return all(found.get(name) in wanted for name, wanted in filters.items())
