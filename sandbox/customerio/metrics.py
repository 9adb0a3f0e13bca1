"""What the simulated workspace's deliveries add up to: metrics by day, which grow for weeks after the day.

A delivery counts on the day of its creation, and each of its metrics from the moment at which it is recorded. What is
older than its sender does not count.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from starlette.requests import Request

from sandbox.customerio.days import MIDNIGHT_EST, MOST_STEPS, Days, Totals, between, last_steps, zone_offset
from sandbox.customerio.deliveries import Delivery
from sandbox.customerio.history import DAY, Row
from sandbox.customerio.paging import BadRequest, integer
from sandbox.customerio.resources import Endpoint, NotFound, Parents

_SERIES = (
    *("attempted", "bounced", "clicked", "human_clicked", "prefetch_clicked", "converted", "created", "deferred"),
    *("delivered", "drafted", "failed", "opened", "human_opened", "prefetch_opened", "sent", "spammed", "suppressed"),
    *("undeliverable", "topic_unsubscribed", "unsubscribed"),
)
_WEBHOOK_SERIES = ("2xx", "3xx", "4xx", "5xx")
_JOURNEY_SERIES = (*("started", "activated", "exited_early", "finished", "converted", "never_activated", "messaged"),)


class Sent:
    """The deliveries by what sent them."""

    def __init__(self, deliveries: Iterable[Delivery], now: Callable[[], int]) -> None:
        self.now = now
        self._by_origin: defaultdict[tuple[str, int], list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            for name, identifier in delivery.origin.items():
                self._by_origin[name, identifier].append(delivery)

    def totals(self, sender: "Sender", days: Days, count: Callable[[Delivery, int], Iterable[str]]) -> Totals:
        """What `count` finds in each delivery of the sender, by day."""
        totals: Totals = defaultdict(Counter)
        for delivery in self._by_origin[sender.origin]:
            if sender.created <= delivery.created <= self.now():
                totals[days.day(delivery.created)].update(count(delivery, self.now()))
        return totals


@dataclass(frozen=True)
class Sender:
    """A campaign, one of its actions, a newsletter and so on."""

    origin: tuple[str, int]
    """The field of its deliveries that names it, and its id."""
    ids: Row
    """The fields that the connector adds."""
    created: int


@dataclass(frozen=True)
class MetricsOf:
    """One endpoint of metrics and its stream."""

    stream: str
    path: str
    sent: Sent
    origin: str
    """The field of a delivery that names what sent it."""
    envelope: str = "metric"

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint."""

        async def answer(request: Request) -> Row:
            ids = request.path_params
            parent = parents.parent(self._kind, ids[self._parameters[0]])
            child = ids.get(self._parameters[-1], "")
            if not child.isdigit():
                raise BadRequest(f"{child} is no id")
            senders = [sender for sender in self._senders(parent) if sender.origin[1] == int(child)]
            if not senders:
                raise NotFound
            return self._body(senders[0], self._days(request))

        return Endpoint(self.path, answer)

    def expected(self, parents: Parents) -> list[Row]:
        """The rows of the days on which anything was counted: since the creation, or of the last 45 days."""
        offset = 0 if self._by_date else MIDNIGHT_EST
        today = (self.sent.now() - offset) // DAY
        return [
            row
            for parent in parents.parents(self._kind)
            for sender in self._senders(parent)
            for row in self._rows(
                sender,
                Days(sender.created // DAY, today - sender.created // DAY + 1, offset)
                if self._by_date
                else Days(today - MOST_STEPS + 1, MOST_STEPS, offset),
            )
        ]

    @property
    def _kind(self) -> str:
        return self.path.partition("/")[0]

    @property
    def _parameters(self) -> list[str]:
        return [step.strip("{}") for step in self.path.split("/") if "{" in step]

    @property
    def _by_date(self) -> bool:
        return self._kind == "campaigns" and self.envelope != "links"

    def _senders(self, parent: Row) -> Iterator[Sender]:
        """The parent itself, or what it contains."""
        created = parent["created_at"] if "created_at" in parent else parent["created"]
        names = self._parameters
        ids = {names[0]: parent["id"]}
        if len(names) == 1:
            yield Sender((self.origin, parent["id"]), ids, created)
            return
        children = parent["content_ids"] if "content_ids" in parent else [each["id"] for each in parent["actions"]]
        for child in children:
            yield Sender((self.origin, child), ids | {names[1]: child}, created)

    def _days(self, request: Request) -> Days:
        if self.envelope == "journey_metric":
            return between(request, integer(request, "start", 0) % DAY)
        if self._by_date:
            if request.query_params.get("version") not in {"1", "2"}:
                raise BadRequest("version must be 1 or 2")
            if request.query_params["version"] == "2":
                return between(request, zone_offset(request))
        return last_steps(request, self.sent.now())

    def _body(self, sender: Sender, days: Days) -> Row:
        if self.envelope == "journey_metric":
            return {"journey_metric": days.arrays(self.sent.totals(sender, days, _journeys), _JOURNEY_SERIES)}
        if self.envelope == "metric":
            names = _SERIES if self._kind == "transactional" else _SERIES + _WEBHOOK_SERIES
            return {"metric": {"series": days.arrays(self.sent.totals(sender, days, _recorded), names)}}
        totals = self.sent.totals(sender, days, _links)
        links = sorted({link for counted in totals.values() for link in counted})
        return {
            "links": [
                {"link": _link(link), "metric": {"series": {"clicked": days.arrays(totals, [link])[link]}}}
                for link in links
            ]
            or None
        }

    def _rows(self, sender: Sender, days: Days) -> Iterator[Row]:
        body = self._body(sender, days)[self.envelope]
        if self.envelope != "links":
            yield from _dated(sender.ids, days, body.get("series", body))
            return
        for each in body or []:
            link = {"link_id": each["link"]["id"], "href": each["link"]["href"]}
            yield from _dated(sender.ids | link, days, each["metric"]["series"])


def metrics_resources(deliveries: Iterable[Delivery], now: Callable[[], int]) -> list[MetricsOf]:
    """Every endpoint of metrics."""
    sent = Sent(deliveries, now)
    senders = {
        "campaign": ("campaigns/{campaign_id}", "campaign_id"),
        "campaign_action": ("campaigns/{campaign_id}/actions/{action_id}", "action_id"),
        "broadcast": ("broadcasts/{broadcast_id}", "broadcast_id"),
        "broadcast_action": ("broadcasts/{broadcast_id}/actions/{action_id}", "action_id"),
        "newsletter": ("newsletters/{newsletter_id}", "newsletter_id"),
        "newsletter_variant": ("newsletters/{newsletter_id}/contents/{variant_id}", "content_id"),
        "transactional": ("transactional/{transactional_id}", "transactional_message_id"),
    }
    return [
        MetricsOf(
            "campaign_journey_metrics", "campaigns/{campaign_id}/journey_metrics", sent, "campaign_id", "journey_metric"
        ),
        *(MetricsOf(f"{name}_metrics", f"{path}/metrics", sent, origin) for name, (path, origin) in senders.items()),
        *(
            MetricsOf(f"{name}_link_metrics", f"{path}/metrics/links", sent, origin, "links")
            for name, (path, origin) in senders.items()
        ),
    ]


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


def _link(name: str) -> Row:
    number = int(name.removeprefix("link:"))
    return {"id": number, "href": f"https://shop.example.com/offer-{number}"}


def _dated(added: Row, days: Days, series: dict[str, list[int]]) -> Iterator[Row]:
    for position in range(days.count):
        numbers = {name: values[position] for name, values in series.items()}
        if any(numbers.values()):
            yield added | {"resolution": "days", "period_start": days.start(days.first + position)} | numbers
