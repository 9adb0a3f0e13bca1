"""The totals of the workspace's deliveries: metrics by day, which grow for weeks after the day.

A delivery counts on the day of its creation, and each of its metrics from the moment at which it is recorded. What is
older than its sender does not count.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from sandbox.api.endpoints import Endpoint, OfParents
from sandbox.api.errors import invalid
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import DAY, Dated, Record, epoch, first_versions, visible
from sandbox.api.validation import integer, parameters
from sandbox.customerio.days import MIDNIGHT_EST, MOST_STEPS, Days, Totals, between, last_steps, zone_offset
from sandbox.customerio.deliveries import Delivery

_SERIES = (
    *("attempted", "bounced", "clicked", "human_clicked", "prefetch_clicked", "converted", "created", "deferred"),
    *("delivered", "drafted", "failed", "opened", "human_opened", "prefetch_opened", "sent", "spammed", "suppressed"),
    *("undeliverable", "topic_unsubscribed", "unsubscribed"),
)
_KINDS = ("campaigns", "broadcasts", "newsletters", "transactional")
_WEBHOOK_SERIES = ("2xx", "3xx", "4xx", "5xx")
_JOURNEY_SERIES = (*("started", "activated", "exited_early", "finished", "converted", "never_activated", "messaged"),)


class Sent:
    """The deliveries by their sender: a campaign, one of its actions, a newsletter and so on."""

    def __init__(self, deliveries: Iterable[Delivery], parents: Mapping[str, list[Dated]]) -> None:
        """Index the deliveries; `parents` has the senders by the list that they are in."""
        self.parents = parents
        self._created = {
            (kind, each.record["id"]): int(each.record.get("created_at") or each.record["created"])
            for kind in _KINDS
            for each in first_versions(parents[kind])
        }
        self._by_origin: defaultdict[tuple[str, int], list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            for name, identifier in delivery.origin.items():
                self._by_origin[name, identifier].append(delivery)

    def created(self, kind: str, parent: int) -> int:
        """Return when a campaign, newsletter and so on was created, in epoch seconds."""
        return self._created[kind, parent]

    def totals(
        self,
        origin: tuple[str, int],
        since: int,
        days: Days,
        now: int,
        count: Callable[[Delivery, int], Iterable[str]],
    ) -> Totals:
        """Return what `count` finds in the deliveries from `origin` (a field and its value) since a moment, by day."""
        totals: Totals = defaultdict(Counter)
        for delivery in self._by_origin[origin]:
            if since <= delivery.created <= now:
                totals[days.day(delivery.created)].update(count(delivery, now))
        return totals


@dataclass(frozen=True, kw_only=True)
class Metrics(OfParents):
    """Metrics of what sends messages.

    Attributes:
        origin: the field of a delivery that names its sender.
        envelope: `metric`, `journey_metric`, or `links`.
    """

    sent: Sent
    origin: str
    envelope: str = "metric"

    def answer(self, request: Request, present: Present) -> Record:
        """Return the series of the requested days."""
        given = parameters(request, present)
        arguments = self._arguments(request, given, present)
        now = epoch(present.now)
        return self._body(arguments, self._days(given, now), now)

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 - all that can be read
        """Return the rows of the days on which anything was counted: since the creation, or of the last 45 days."""
        now = epoch(present.now)
        return [row for arguments in self._existing(present) for row in self._dated_rows(arguments, now)]

    def _dated_rows(self, arguments: Arguments, now: int) -> Iterator[Record]:
        offset = 0 if self._by_date else MIDNIGHT_EST
        today, first = (now - offset) // DAY, self._created(arguments) // DAY
        if self._by_date:
            yield from self._rows(arguments, Days(first, today - first + 1, offset), now)
        else:
            yield from self._rows(arguments, Days(today - MOST_STEPS + 1, MOST_STEPS, offset), now)

    @property
    def _by_date(self) -> bool:
        return self._kind == "campaigns" and self.envelope != "links"

    def _created(self, arguments: Arguments) -> int:
        return self.sent.created(self._kind, next(iter(arguments.values())))

    def _days(self, given: Arguments, now: int) -> Days:
        if self.envelope == "journey_metric":
            return between(given, integer(given, "start", 0) % DAY)
        if self._by_date:
            if given.get("version") not in {"1", "2"}:
                raise invalid("version must be 1 or 2")
            if given["version"] == "2":
                return between(given, zone_offset(given))
        return last_steps(given, now)

    def _totals(
        self, arguments: Arguments, days: Days, now: int, count: Callable[[Delivery, int], Iterable[str]]
    ) -> Totals:
        ids = {name: arguments[name] for name in self.adds}
        origin = self.origin, next(reversed(ids.values()))
        return self.sent.totals(origin, self._created(ids), days, now, count)

    def _body(self, arguments: Arguments, days: Days, now: int) -> Record:
        if self.envelope == "journey_metric":
            return {"journey_metric": days.arrays(self._totals(arguments, days, now, _journeys), _JOURNEY_SERIES)}
        if self.envelope == "metric":
            names = _SERIES if self._kind == "transactional" else _SERIES + _WEBHOOK_SERIES
            return {"metric": {"series": days.arrays(self._totals(arguments, days, now, _recorded), names)}}
        totals = self._totals(arguments, days, now, _links)
        links = sorted({link for counted in totals.values() for link in counted})
        return {
            "links": [
                {"link": _link(link), "metric": {"series": {"clicked": days.arrays(totals, [link])[link]}}}
                for link in links
            ]
            or None
        }

    def _rows(self, arguments: Arguments, days: Days, now: int) -> Iterator[Record]:
        body = self._body(arguments, days, now)[self.envelope]
        ids = self._row({}, arguments)
        if self.envelope != "links":
            yield from _dated(ids, days, body.get("series", body))
            return
        for each in body or []:
            link = {"link_id": each["link"]["id"], "href": each["link"]["href"]}
            yield from _dated(ids | link, days, each["metric"]["series"])


def metrics_endpoints(sent: Sent) -> list[Endpoint]:
    """Return every endpoint of metrics."""
    senders = {
        "campaign": ("/campaigns/{campaign_id}", "campaign_id"),
        "campaign_action": ("/campaigns/{campaign_id}/actions/{action_id}", "action_id"),
        "broadcast": ("/broadcasts/{broadcast_id}", "broadcast_id"),
        "broadcast_action": ("/broadcasts/{broadcast_id}/actions/{action_id}", "action_id"),
        "newsletter": ("/newsletters/{newsletter_id}", "newsletter_id"),
        "newsletter_variant": ("/newsletters/{newsletter_id}/contents/{variant_id}", "content_id"),
        "transactional": ("/transactional/{transactional_id}", "transactional_message_id"),
    }

    def metrics(stream: str, path: str, origin: str, envelope: str = "metric") -> Metrics:
        ids = re.findall("{(.+?)}", path)
        of_link = ("link_id",) if envelope == "links" else ()
        return Metrics(
            path=path,
            stream=stream,
            primary_key=(*ids, *of_link, "resolution", "period_start"),
            sent=sent,
            origin=origin,
            envelope=envelope,
            of=_each(sent, path.split("/")[1], ids),
            adds={name: name for name in ids},
        )

    return [
        metrics(
            "campaign_journey_metrics", "/campaigns/{campaign_id}/journey_metrics", "campaign_id", "journey_metric"
        ),
        *(metrics(f"{name}_metrics", f"{path}/metrics", origin) for name, (path, origin) in senders.items()),
        *(
            metrics(f"{name}_link_metrics", f"{path}/metrics/links", origin, "links")
            for name, (path, origin) in senders.items()
        ),
    ]


def _each(sent: Sent, kind: str, names: list[str]) -> Callable[[datetime], list[Arguments]]:
    """Return the senders of a kind, or the actions or variants that they contain, by the names of their ids."""

    def each(now: datetime) -> list[Arguments]:
        parents = visible(sent.parents[kind], now)
        if len(names) == 1:
            return [{names[0]: parent["id"]} for parent in parents]
        return [{names[0]: parent["id"], names[1]: child} for parent in parents for child in _children(parent)]

    return each


def _children(parent: Record) -> list[int]:
    return parent["content_ids"] if "content_ids" in parent else [action["id"] for action in parent["actions"]]


def _recorded(delivery: Delivery, now: int) -> Iterator[str]:
    return (name for name, moment in delivery.metrics.items() if moment <= now and name in _SERIES)


def _links(delivery: Delivery, now: int) -> Iterator[str]:
    return (name for name, moment in delivery.metrics.items() if moment <= now and name.startswith("link:"))


def _journeys(delivery: Delivery, now: int) -> Iterator[str]:
    """What became of the journey that a delivery stands for."""
    recorded = set(_recorded(delivery, now))
    yield "started"
    yield "activated" if "attempted" in recorded else "never_activated"
    if "delivered" in recorded:
        yield "messaged"
    if now >= delivery.created + 7 * DAY:
        yield "exited_early" if "bounced" in recorded else "finished"
    if "converted" in recorded:
        yield "converted"


def _link(name: str) -> Record:
    number = int(name.removeprefix("link:"))
    return {"id": number, "href": f"https://shop.example.com/offer-{number}"}


def _dated(added: Record, days: Days, series: Mapping[str, list[int]]) -> Iterator[Record]:
    for position in range(days.count):
        numbers = {name: values[position] for name, values in series.items()}
        if any(numbers.values()):
            yield added | {"resolution": "days", "period_start": days.start(days.first + position)} | numbers
