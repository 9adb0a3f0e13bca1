"""Delivery Overview: the outcomes of a source's events, step by step on their way to a destination."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from starlette.requests import Request

from sandbox.api.cursors import Cursors
from sandbox.api.endpoints import Endpoint, OfParents
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import Record, midnight, visible
from sandbox.api.validation import parameters, values
from sandbox.segment.activations import Activations
from sandbox.segment.connections import Connections
from sandbox.segment.series import Counter, Window, grouped, points
from sandbox.segment.volume import Volume

_DAY = timedelta(days=1)
_REACH = timedelta(days=30)
_LIMITS = {
    "MINUTE": (timedelta(hours=48), timedelta(hours=4)),
    "HOUR": (_REACH, timedelta(days=14)),
    "DAY": (_REACH, _REACH),
}
_GROUPS = ("eventName", "eventType")
_REASONS = (*_GROUPS, "discardReason")
_AT_DESTINATION = ("subscriptionId", "activationId", "audienceId", "spaceId")


@dataclass(frozen=True)
class _Step:
    """A step of the pipeline: which thousandths of a source's events it counts, by the reason of their discard.

    `groups` are the dimensions by which a connector groups the step.
    """

    name: str
    reasons: tuple[tuple[str | None, int, int], ...]
    groups: tuple[str, ...] = _REASONS
    at_destination: bool = False
    retries: bool = False

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions by which the vendor can group the step's counts."""
        return (*self.groups, "appVersion", *(_AT_DESTINATION if self.at_destination else ()))


_STEPS = (
    _Step("successfully-received", ((None, 0, 1000),), _GROUPS),
    _Step("failed-on-ingest", (("invalid_timestamp", 0, 4),)),
    _Step("filtered-at-source", (("source_schema_blocked", 4, 20), ("source_insert_function", 20, 25))),
    _Step(
        "filtered-at-destination",
        (("destination_filters", 25, 55), ("mapping_not_triggered", 55, 60)),
        at_destination=True,
    ),
    _Step("failed-delivery", (("bad_request", 60, 66), ("timeout", 66, 70)), at_destination=True),
    _Step(
        "successful-delivery",
        (("successes.attempt.1", 70, 960), ("successes.attempt.2", 960, 1000)),
        at_destination=True,
        retries=True,
    ),
)


class DeliveryOverview:
    """Delivery Overview of all sources, and of destinations that are enabled and not in device mode."""

    def __init__(self, volume: Volume, connections: Connections, activations: Activations) -> None:
        self._volume = volume
        self._connections = connections
        self._activations = lru_cache(maxsize=4)(activations.by_destination)

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tag Delivery Overview."""
        return [
            Overview(
                path=f"/delivery-overview/{step.name}",
                stream=f"delivery_overview_{step.name.replace('-', '_')}",
                primary_key=(*_ids(step), *step.groups, "granularity", "time"),
                of=self._each_destination if step.at_destination else self._connections.each_source,
                required=_ids(step),
                step=step,
                overview=self,
            )
            for step in _STEPS
        ]

    def counters(self, step: _Step, arguments: Arguments, now: datetime) -> Iterator[Counter]:
        """Yield the counters of a step for a source, or of a destination and its source."""
        if step.at_destination:
            destination = self._connections.destination(arguments["destinationConfigId"], now)
            if not destination["enabled"] or self._connections.is_device_mode(destination):
                return
        for number, counter in enumerate(self._volume.of_source(arguments["sourceId"])):
            senders = self._senders(arguments["destinationConfigId"], number, now) if step.at_destination else [{}]
            for reason, first, last in step.reasons:
                bounds = [first + (last - first) * part // len(senders) for part in range(len(senders) + 1)]
                for sender, lower, upper in zip(senders, bounds, bounds[1:], strict=False):
                    dimensions = counter.dimensions | sender | ({"discardReason": reason} if reason else {})
                    yield Counter(dimensions, _share(counter, lower, upper))

    def _senders(self, destination: str, number: int, now: datetime) -> list[Record]:
        """Return the senders of a kind of event to a destination: up to two subscriptions, and an audience."""
        subscriptions = self._connections.subscriptions_of(destination, now)
        activations = self._activations(now).get(destination, [])
        sent: Record = {}
        if activations:
            activation = activations[number % len(activations)]
            sent |= {"activationId": activation["id"]} | {name: activation[name] for name in ("audienceId", "spaceId")}
        ids = {subscriptions[(number + which) % len(subscriptions)]["id"] for which in range(2) if subscriptions}
        return [{**sent, "subscriptionId": each} for each in sorted(ids)] or [sent]

    def _each_destination(self, now: datetime) -> list[Arguments]:
        destinations = visible(self._connections.destinations, now)
        return [{"sourceId": each["sourceId"], "destinationConfigId": each["id"]} for each in destinations]


@dataclass(frozen=True, kw_only=True)
class Overview(OfParents):
    """The endpoint of one step; a connector makes a row of every element of its series."""

    step: _Step
    overview: DeliveryOverview
    paging: Cursors = Cursors()  # noqa: RUF009 # it cannot change

    def answer(self, request: Request, present: Present) -> Record:
        """Return the series of the requested groups."""
        known = {*self.paging.parameters, *self.required, "startTime", "endTime", "granularity"}
        given = parameters(request, present, known, ("groupBy",))
        page = self.paging.page(request, given, present)
        arguments = self._arguments(request, given, present)
        names = values(given, "groupBy", self.step.dimensions)
        span = Window.requested(given, present, _LIMITS)
        groups = grouped(self._counters(arguments, present), span, names)
        dataset = [self._series(_named(dimensions, present), counts) for dimensions, counts in groups]
        total = sum(each["total"] for each in dataset)
        return {"total": total, **page.answer("dataset", dataset)}

    def rows(self, present: Present, start: datetime) -> list[Record]:
        """Return a row for every day from the earliest that the vendor still serves to today."""
        return self.rows_by("DAY", (), present, start)

    def rows_by(self, granularity: str, groups: tuple[str, ...], present: Present, start: datetime) -> list[Record]:
        """Return the rows of `DAY` or `HOUR`, from the first full day that the vendor still serves.

        `groups` are dimensions in addition to those by which a connector always groups.
        """
        earliest = (present.now - _REACH + _DAY - timedelta(microseconds=1)).date()
        span = Window(midnight(max(start.date(), earliest)), present.now, granularity, present.now)
        names = (*self.step.groups, *groups)
        empty = dict.fromkeys(names, "")
        ids = (*self.required,)
        return [
            {**empty, **dimensions, "granularity": granularity, **{name: arguments[name] for name in ids}, **point}
            for arguments in self._existing(present)
            for dimensions, counts in grouped(self._counters(arguments, present), span, names)
            for point in self._series(dimensions, counts)["series"]
        ]

    def _counters(self, arguments: Arguments, present: Present) -> Iterator[Counter]:
        return self.overview.counters(self.step, arguments, present.now)

    def _series(self, dimensions: Record, counts: dict[datetime, int]) -> Record:
        series = points(counts)
        made: Record = {**dimensions, "total": sum(counts.values()), "series": series}
        if self.step.retries:
            for point in series:
                point["retryCount"] = point["count"] // 25
            made["totalRetryCount"] = sum(point["retryCount"] for point in series)
        return made


def _named(dimensions: Record, present: Present) -> Record:
    hidden = _AT_DESTINATION if present.unnamed_groups else ()
    return {name: value for name, value in dimensions.items() if name not in hidden}


def _ids(step: _Step) -> tuple[str, ...]:
    return ("sourceId", "destinationConfigId") if step.at_destination else ("sourceId",)


def _share(counter: Counter, first: int, last: int) -> Callable[[date], int]:
    def of_day(day: date) -> int:
        whole = counter.of_day(day)
        return whole * last // 1000 - whole * first // 1000

    return of_day
