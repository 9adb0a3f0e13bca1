"""Event Delivery: the numbers of events that a destination received, failed or retried within a window."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from starlette.requests import Request

from sandbox.api.endpoints import OfParents
from sandbox.api.errors import invalid
from sandbox.api.present import Present
from sandbox.api.timeline import Dated, Record, Seeded, midnight, visible
from sandbox.api.validation import choice, moment, parameters, window
from sandbox.segment.catalog import Catalog
from sandbox.segment.connections import Connections

_BEHIND = timedelta(days=40)
_AHEAD = timedelta(days=40)
_DAY = timedelta(days=1)
_REACH = timedelta(days=14)


@dataclass(frozen=True)
class _Limits:
    """The limits of a granularity: the earliest start, the longest window, and the default length."""

    reach: timedelta
    longest: timedelta
    default: timedelta


_GRANULARITIES = {
    "MINUTE": _Limits(timedelta(hours=48), timedelta(hours=4), timedelta(hours=1)),
    "HOUR": _Limits(timedelta(days=7), timedelta(days=7), timedelta(days=7)),
    "DAY": _Limits(_REACH, _REACH, timedelta(days=30)),
}


class _Counter:
    """The number of events sent to one destination up to any point in time."""

    def __init__(self, chance: Seeded, destination: Dated, origin: datetime) -> None:
        self._first = midnight((origin - _BEHIND).date())
        size = int(chance.lognormvariate(6, 1.2)) + 20 if destination.record["enabled"] else 0
        self._daily = [int(size * chance.uniform(0.5, 1.5)) for _ in range((_BEHIND + _AHEAD).days)]
        self._before = list(accumulate(self._daily, initial=0))
        self._born = destination.since
        self.latency = chance.randrange(40, 900)

    def sent(self, start: datetime, end: datetime) -> tuple[int, int]:
        """Return the numbers of events sent up to the start and the end of a window; their difference is its total."""
        return self._until(max(start, self._born)), self._until(max(end, self._born))

    def _until(self, moment: datetime) -> int:
        passed = max(timedelta(0), moment - self._first)
        day = min(passed // _DAY, len(self._daily) - 1)
        return self._before[day] + self._daily[day] * int((passed % _DAY).total_seconds()) // 86400


class Delivery:
    """Delivery metrics of every destination.

    Totals are the same for every request and add up: those of a day are the sums of its hours.
    """

    def __init__(self, destinations: list[Dated], origin: datetime, *, seed: int) -> None:
        chance = Seeded(f"{seed}/delivery")
        self._counters: dict[str, _Counter] = {}
        for destination in destinations:
            counter = _Counter(chance, destination, origin)
            self._counters.setdefault(destination.record["id"], counter)

    def summary(self, destination: Record, start: datetime, end: datetime) -> Record:
        """Return the vendor's summary of a window with an exclusive end."""
        counter = self._counters[destination["id"]]
        before, until = counter.sent(start, end)

        def total(thousandths: int) -> int:
            return until * thousandths // 1000 - before * thousandths // 1000

        at_once, after_retry, expired, discarded = total(930), total(40), total(10), total(20)
        latency = counter.latency if until > before else 0
        return {
            "sourceId": destination["sourceId"],
            "destinationMetadataId": destination["metadata"]["id"],
            "metrics": [
                {
                    "metricName": "successes",
                    "total": at_once + after_retry,
                    "breakdown": [
                        {"metricName": "successes_on_first_attempt", "value": at_once},
                        {"metricName": "successes_after_retry", "value": after_retry},
                    ],
                },
                {"metricName": "expired", "total": expired},
                {"metricName": "discarded", "total": discarded, "breakdown": None},
                {"metricName": "retried", "total": total(70)},
                _timing("time_to_success", at_once + after_retry, latency * 2),
                _timing("time_to_first_attempt", total(1000), latency),
            ],
        }


def _timing(name: str, total: int, average_ms: int) -> Record:
    return {
        "metricName": name,
        "total": total,
        "breakdown": [
            {"metricName": f"{name}_average", "value": average_ms},
            {"metricName": f"{name}_p95", "value": average_ms * 3.5},
        ],
    }


@dataclass(frozen=True, kw_only=True)
class DeliveryMetrics(OfParents):
    """The endpoint of a destination's summary of a window."""

    path: str = "/destinations/{destinationId}/delivery-metrics"
    stream: str = "destination_delivery_metrics_summary"
    primary_key: tuple[str, ...] = ("sourceId", "destinationId", "granularity", "startTime")
    gate: str | None = "delivery-metrics"
    delivery: Delivery
    connections: Connections
    catalog: Catalog

    def answer(self, request: Request, present: Present) -> Record:
        """Return the summary, if the vendor measures the destination."""
        given = parameters(request, present, ("sourceId", "startTime", "endTime", "granularity"))
        identifier = self._arguments(request, given, present)["destinationId"]
        destination = self.connections.destination(identifier, present.now)
        if given.get("sourceId") != destination["sourceId"]:
            raise invalid("sourceId is required and must be the source of the destination.", "sourceId")
        metadata = destination["metadata"]
        if not self.catalog.has_event_delivery(metadata["id"]):
            mode = self.catalog.delivery_mode(metadata["id"])
            raise invalid(f"Event Delivery does not support {metadata['name']}, which is a {mode} destination.")
        limits = _GRANULARITIES[choice(given, "granularity", _GRANULARITIES, default="MINUTE")]
        now = present.now
        end = moment(given, "endTime", now)
        start = moment(given, "startTime", end - limits.default)
        window(present, start, end, earliest=now - limits.reach, longest=limits.longest)
        return {"deliveryMetricsSummary": self.delivery.summary(destination, min(start, now), min(end, now))}

    def rows(self, present: Present, start: datetime) -> list[Record]:
        """Return a row for every day from the earliest that the vendor still serves to today."""
        now = present.now
        first = max(start.date(), (now - _REACH + _DAY - timedelta(microseconds=1)).date())
        days = [midnight(first) + index * _DAY for index in range((now.date() - first).days + 1)]
        measured = [
            destination
            for destination in visible(self.connections.destinations, now)
            if present.has("destinations", {"destinationId": destination["id"]})
            and self.catalog.has_event_delivery(destination["metadata"]["id"])
        ]
        return [
            {
                **self.delivery.summary(destination, day, min(day + _DAY, now)),
                "destinationId": destination["id"],
                "granularity": "DAY",
                "startTime": day.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "endTime": (day + _DAY).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            for destination in measured
            for day in days
        ]
