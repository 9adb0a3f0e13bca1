"""The totals of the workspace's deliveries, which grow for weeks.

A delivery is counted in the period of its creation, and each of its metrics from the time at which it is recorded.
Deliveries older than their sender are not counted. A newsletter is counted until half a year after it was last sent,
and a draft never.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from sandbox.api.present import Arguments
from sandbox.api.timeline import DAY, Dated, Record, first_versions
from sandbox.customerio.deliveries import Delivery
from sandbox.customerio.periods import Periods

SERIES = (
    *("attempted", "bounced", "clicked", "human_clicked", "prefetch_clicked", "converted", "created", "deferred"),
    *("delivered", "drafted", "failed", "opened", "human_opened", "prefetch_opened", "sent", "spammed", "suppressed"),
    *("undeliverable", "topic_unsubscribed", "unsubscribed"),
)
_KINDS = ("campaigns", "broadcasts", "newsletters", "transactional")
WEBHOOK_SERIES = ("2xx", "3xx", "4xx", "5xx")
SERIES_OF_2026 = (
    *("machine_clicked", "replied", "untracked", "open_untracked", "link_untracked"),
    *("tracking_consent_granted", "tracking_consent_denied"),
)
_HALF_A_YEAR = 180 * DAY
JOURNEY_SERIES = (*("started", "activated", "exited_early", "finished", "converted", "never_activated", "messaged"),)


Count = Callable[[Delivery, int], Iterable[str]]
"""Yields the names of the metrics that a delivery has at a given time."""


class Sent:
    """The deliveries by their sender: a campaign, one of its actions, a newsletter and so on."""

    def __init__(self, deliveries: Iterable[Delivery], parents: Mapping[str, list[Dated]]) -> None:
        """Index the deliveries; `parents` contains the senders by the name of their list."""
        self.parents = parents
        self._created = {
            (kind, each.record["id"]): int(each.record.get("created_at") or each.record["created"])
            for kind in _KINDS
            for each in first_versions(parents[kind])
        }
        campaigns = [each.record for each in first_versions(parents["campaigns"])]
        self._stopped = {each["id"]: int(each["updated"]) for each in campaigns if each["state"] != "running"}
        self._by_origin: defaultdict[tuple[str, int], list[Delivery]] = defaultdict(list)
        sent_at = {each.record["id"]: each.record.get("sent_at") for each in first_versions(parents["newsletters"])}
        for delivery in deliveries:
            if "newsletter_id" in delivery.origin and not _counts(delivery, sent_at[delivery.origin["newsletter_id"]]):
                continue
            for name, identifier in delivery.origin.items():
                self._by_origin[name, identifier].append(delivery)

    def stopped(self, campaign: int) -> int | None:
        """Return the time since which no journey starts in a campaign, or None if it is running."""
        return self._stopped.get(campaign)

    def created(self, kind: str, parent: int) -> int:
        """Return the creation time of a campaign, newsletter and so on, in epoch seconds."""
        return self._created[kind, parent]

    def actions(self, kind: str, ids: Arguments) -> list[int]:
        """Return the ids of all actions of a campaign or broadcast."""
        parent = next(each.record for each in self.parents[kind] if each.record["id"] == next(iter(ids.values())))
        return [action["id"] for action in parent["actions"]]

    def totals(
        self, origin: tuple[str, int], since: int, periods: Periods, now: int, count: Count
    ) -> dict[int, Counter[str]]:
        """Return the counts of the deliveries from `origin` (a field and its value) since a moment."""
        totals: dict[int, Counter[str]] = defaultdict(Counter)
        for delivery in self._by_origin[origin]:
            position = periods.position(delivery.created)
            if position is not None and since <= delivery.created <= now:
                totals[position].update(count(delivery, now))
        return totals


def _counts(delivery: Delivery, sent_at: int | None) -> bool:
    return sent_at is not None and delivery.created < sent_at + _HALF_A_YEAR


def recorded_metrics(delivery: Delivery, now: int) -> Iterator[str]:
    """Yield the names of a delivery's metrics."""
    recorded = [name for name, moment in delivery.metrics.items() if moment <= now]
    yield from (name for name in recorded if name in SERIES)
    if "delivered" in recorded:
        yield "tracking_consent_granted" if delivery.number % 3 else "tracking_consent_denied"
        if delivery.number % 3 == 0:
            yield from ("untracked", "open_untracked", "link_untracked")
    if "opened" in recorded and delivery.number % 13 == 0:
        yield "replied"
    if "clicked" in recorded and delivery.number % 5 == 0:
        yield "machine_clicked"


def clicked_links(delivery: Delivery, now: int) -> Iterator[str]:
    """Yield the links that were clicked, as `link:` and a number."""
    return (name for name, moment in delivery.metrics.items() if moment <= now and name.startswith("link:"))


def journey_metrics(delivery: Delivery, now: int) -> Iterator[str]:
    """Yield the outcomes of the journey that a delivery belongs to."""
    recorded = set(recorded_metrics(delivery, now))
    yield "started"
    yield "activated" if "attempted" in recorded else "never_activated"
    if "delivered" in recorded:
        yield "messaged"
    if now >= delivery.created + 7 * DAY:
        yield "exited_early" if "bounced" in recorded else "finished"
    if "converted" in recorded:
        yield "converted"


def link_of(name: str) -> Record:
    """Return the link of a name such as `link:1`."""
    number = int(name.removeprefix("link:"))
    return {"id": number, "href": f"https://shop.example.com/offer-{number}"}
