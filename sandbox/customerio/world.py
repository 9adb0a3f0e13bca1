"""The simulated Customer.io workspace: its content over time, and the behaviour of its API."""

from collections.abc import Mapping
from datetime import datetime, timezone
from random import Random

from sandbox.api.endpoints import Endpoint, Listing, Parents
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import Dated, Record, epoch, visible
from sandbox.clock import Clock
from sandbox.customerio.activities import generate_activities
from sandbox.customerio.audience import Audience
from sandbox.customerio.configuration import Configuration
from sandbox.customerio.content import Content, content_endpoints
from sandbox.customerio.deliveries import generate_deliveries, generate_drafts
from sandbox.customerio.library import Library, library_endpoints
from sandbox.customerio.lists import Activities, Messages, configuration_endpoints
from sandbox.customerio.metrics import Sent, metrics_endpoints
from sandbox.customerio.object_endpoints import object_endpoints
from sandbox.customerio.objects import Objects
from sandbox.customerio.people import generate_people
from sandbox.customerio.senders import generate_senders, generate_suppressions, sender_endpoints
from sandbox.customerio.subscriptions import Subscriptions
from sandbox.customerio.triggers import Triggers
from sandbox.customerio.workspace_people import WorkspacePeople

_START = datetime.min.replace(tzinfo=timezone.utc)


class CustomerioWorld:
    """A workspace of 20,000 people (times `scale`), with a history of eight months and a future of four days.

    The same seed, scale and start of the clock give the same workspace.
    """

    region_keys: Mapping[str, str]
    """The App API key of each region."""
    rate_limit_per_second: int | None = None
    """How many requests all keys may make together within any second; None for no limit."""
    daily_quota: int | None = None
    """How many more requests are answered before the day's quota is used up; None for no quota."""
    largest_page: int | None = None
    """How many rows a page that has a `next` holds at most, whatever `limit` says; None for the usual maximum."""
    removed: set[str]
    """Objects that are still listed, but whose own endpoints answer 404: `campaigns/3`, `objects/1/ob010002`."""

    def __init__(self, clock: Clock, *, seed: int, scale: float) -> None:
        """Generate the workspace as it is at `clock.now`, and what happens to it in the four days after."""
        self._clock = clock
        self.removed = set()
        self.region_keys = {"us": "sandbox-key-us", "eu": "sandbox-key-eu"}
        start = self.now
        random = Random(seed)
        settings, contents, related, designs = (Random(f"{seed} {part}") for part in ("set", "sent", "rel", "made"))
        self.people = WorkspacePeople(generate_people(random, start, _scaled(20_000, scale)))
        people = self.people.ever
        deliveries = generate_deliveries(random, start, _scaled(30_000, scale), people, _scaled(240, scale))
        self.activities = Activities(ever=generate_activities(random, start, _scaled(5_000, scale), people))
        senders = generate_senders(start)
        suppressed = generate_suppressions(random, start, _scaled(1_500, scale))
        configuration = Configuration(settings, start, scale)
        self._tables = tables = configuration.tables
        drafts = generate_drafts(contents, start, _scaled(400, scale), people)
        self.messages = Messages(sent=deliveries, drafts=drafts)
        self._objects = Objects(related, start, _scaled(120, scale), people)
        parents = tables | {"transactional": tables["transactional_messages"], "sender_identities": senders}
        each = {
            "campaigns": _each(parents["campaigns"], "campaign_id"),
            "broadcasts": _each(parents["broadcasts"], "broadcast_id"),
            "newsletters": _each(parents["newsletters"], "newsletter_id"),
            "transactional": _each(parents["transactional"], "transactional_id"),
            "segments": _each(parents["segments"], "segment_id"),
            "sender_identities": _each(parents["sender_identities"], "sender_id"),
        }
        content = Content(contents, start, parents)
        self.audience = Audience(self.people, content, tables)
        self.endpoints: list[Endpoint] = [
            Listing(
                path="/workspaces",
                stream="workspaces",
                key="workspaces",
                records=lambda _, now: self._workspaces(now),
                paging=None,
            ),
            *configuration_endpoints(tables, configuration.ip_addresses),
            *sender_endpoints(senders, suppressed),
            self.messages,
            Messages(stream="draft_messages", of_drafts=True, sent=deliveries, drafts=drafts),
            self.activities,
            *self.people.endpoints(),
            *content_endpoints(content, each),
            *Triggers(contents, start, tables["broadcasts"]).endpoints(each["broadcasts"]),
            *self.audience.endpoints(each),
            *object_endpoints(self._objects, self.people),
            *library_endpoints(Library(designs, start, _scaled(1_100, scale)), tables["collections"]),
            *Subscriptions(self.people, tables["topics"], start).endpoints(),
            *metrics_endpoints(Sent(deliveries, parents)),
        ]

    @property
    def now(self) -> int:
        """The sandbox's time in epoch seconds."""
        return epoch(self._clock.now)

    @property
    def present(self) -> Present:
        """The sandbox's time, and the behaviour of the API."""
        return Present(self._clock.now, strict=False, largest_page=self.largest_page, removed=frozenset(self.removed))

    def expected(self, stream: str) -> list[Record]:
        """Return the rows that a complete read of the stream must contain now, as source-customerio emits them.

        Raises:
            KeyError: for an unknown stream.
        """
        streams = {endpoint.stream: endpoint for endpoint in self.endpoints}
        return streams[stream].rows(self.present, _START)

    def _workspaces(self, now: datetime) -> list[Record]:
        """Return all workspaces of the account; the second one has other keys."""
        objects = len(self._objects.all(now))
        counts = {"messages_sent": 1200, "billable_messages_sent": 1100, "object_types": 3, "objects": objects}
        return [
            {"id": 1, "name": "Production", "people": len(self.people.at(now)), **counts},
            {"id": 2, "name": "Staging", "people": 3, **dict.fromkeys(counts, 0)},
        ]


def _each(table: list[Dated], argument: str) -> Parents:
    def each(now: datetime) -> list[Arguments]:
        return [{argument: record["id"]} for record in visible(table, now)]

    return each


def _scaled(count: int, scale: float) -> int:
    return max(int(count * scale), 1)
