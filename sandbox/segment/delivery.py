"""Event Delivery: how many events a destination received, failed or retried within a window of time."""

from datetime import datetime, time, timedelta, timezone
from itertools import accumulate

from sandbox.segment.seeded import Dated, Record, Seeded

_BEHIND = timedelta(days=40)
_AHEAD = timedelta(days=40)
_DAY = timedelta(days=1)


class _Counter:
    """The events that were sent to one destination up to any moment."""

    def __init__(self, chance: Seeded, destination: Dated, origin: datetime) -> None:
        self._first = datetime.combine((origin - _BEHIND).date(), time(), timezone.utc)
        size = int(chance.lognormvariate(6, 1.2)) + 20 if destination.record["enabled"] else 0
        self._daily = [int(size * chance.uniform(0.5, 1.5)) for _ in range((_BEHIND + _AHEAD).days)]
        self._before = list(accumulate(self._daily, initial=0))
        self._born = destination.since
        self.latency = chance.randrange(40, 900)

    def sent(self, start: datetime, end: datetime) -> tuple[int, int]:
        """Return the events sent until the start and until the end of a window; their difference is its total."""
        return self._until(max(start, self._born)), self._until(max(end, self._born))

    def _until(self, moment: datetime) -> int:
        passed = max(timedelta(0), moment - self._first)
        day = min(passed // _DAY, len(self._daily) - 1)
        return self._before[day] + self._daily[day] * int((passed % _DAY).total_seconds()) // 86400


class Delivery:
    """Delivery metrics of every destination.

    A window's totals are the same whenever it is asked for and add up: those of a day are those of its hours.
    """

    def __init__(self, destinations: list[Dated], origin: datetime, *, seed: int) -> None:
        chance = Seeded(f"{seed}/delivery")
        self._counters: dict[str, _Counter] = {}
        for destination in destinations:
            counter = _Counter(chance, destination, origin)
            self._counters.setdefault(destination.record["id"], counter)

    def summary(self, destination: Record, start: datetime, end: datetime) -> Record:
        """Return the vendor's summary over a window, its end excluded."""
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
