"""The simulated Customer.io workspace: its content over time, and the behaviour of its API."""

from collections.abc import Mapping
from datetime import datetime, timezone
from random import Random

from sandbox.api.endpoints import Endpoint, Listing, Operation, Parents
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import Dated, Record, epoch, visible
from sandbox.clock import Clock
from sandbox.customerio.activities import generate_activities
from sandbox.customerio.audience import Audience
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.collections import Collections
from sandbox.customerio.configuration import Configuration
from sandbox.customerio.content import Content
from sandbox.customerio.content_endpoints import content_endpoints
from sandbox.customerio.deliveries import generate_deliveries, generate_drafts, generate_later_deliveries
from sandbox.customerio.exports import Exports
from sandbox.customerio.library import Library, library_endpoints
from sandbox.customerio.lists import Activities, Messages, configuration_endpoints
from sandbox.customerio.metrics import Metrics, metrics_endpoints
from sandbox.customerio.object_endpoints import object_endpoints
from sandbox.customerio.objects import Objects
from sandbox.customerio.people import generate_people
from sandbox.customerio.senders import generate_senders, generate_suppressions, sender_endpoints
from sandbox.customerio.sent import Sent
from sandbox.customerio.subscriptions import Subscriptions
from sandbox.customerio.triggers import Triggers
from sandbox.customerio.workspace_people import WorkspacePeople

_START = datetime.min.replace(tzinfo=timezone.utc)


class CustomerioWorld(Behaviour):
    """A workspace of 20,000 people (times `scale`), with eight months of history and four days of changes.

    New messages are sent for fourteen days. The same seed, scale and start of the clock give the same workspace. The
    switches of the API's behaviour are attributes that can be set at any time.
    """

    region_keys: Mapping[str, str]
    """The App API key of each region."""

    def __init__(self, clock: Clock, *, seed: int, scale: float) -> None:
        """Generate the workspace at `clock.now`, and its changes in the four days after."""
        super().__init__()
        self._clock = clock
        self.region_keys = {"us": "sandbox-key-us", "eu": "sandbox-key-eu"}
        start = self.now
        random = Random(seed)
        settings, contents, related, designs = (Random(f"{seed} {part}") for part in ("set", "sent", "rel", "made"))
        configuration = Configuration(settings, start, scale)
        tables = configuration.tables
        self.people = WorkspacePeople(generate_people(random, start, _scaled(20_000, scale)), tables["segments"], self)
        people = self.people.ever
        volume = _scaled(30_000, scale), people, _scaled(240, scale)
        deliveries = generate_deliveries(random, start, *volume)
        deliveries += generate_later_deliveries(Random(f"{seed} later"), start, *volume)
        self.activities = Activities(
            ever=generate_activities(random, start, _scaled(5_000, scale), people), behaviour=self
        )
        senders = generate_senders(start)
        suppressed = generate_suppressions(random, start, _scaled(1_500, scale))
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
        self.audience = Audience(self.people, content, tables, self)
        self.exports = Exports(tables["exports"], self.people, self)
        collections = Collections(tables["collections"], start, self)
        self.operations: list[Operation] = [*self.exports.operations(), *collections.operations()]
        self.endpoints: list[Endpoint] = [
            Listing(
                path="/workspaces",
                stream="workspaces",
                key="workspaces",
                records=lambda _, now: self._workspaces(now),
                paging=None,
            ),
            *configuration_endpoints(tables, configuration.ip_addresses, self.exports, self),
            *sender_endpoints(senders, suppressed, self),
            self.messages,
            Messages(stream="draft_messages", of_drafts=True, sent=deliveries, drafts=drafts),
            self.activities,
            *self.people.endpoints(),
            *content_endpoints(content, each, self),
            *Triggers(contents, start, tables["broadcasts"]).endpoints(each["broadcasts"]),
            *self.audience.endpoints(each),
            *object_endpoints(self._objects, self.people),
            *library_endpoints(Library(designs, start, _scaled(1_100, scale)), self),
            *collections.endpoints(),
            *Subscriptions(self.people, tables["topics"], start).endpoints(),
            *metrics_endpoints(Sent(deliveries, parents), self),
        ]

    @property
    def now(self) -> int:
        """The sandbox's time in epoch seconds."""
        return epoch(self._clock.now)

    @property
    def present(self) -> Present:
        """The sandbox's time, and the behaviour of the API."""
        return Present(self._clock.now, strict=False, largest_page=self.largest_page, removed=frozenset(self.removed))

    def expected(self, stream: str, resolution: str = "days") -> list[Record]:
        """Return the rows that a complete read of the stream must contain now, as source-customerio emits them.

        `resolution` applies to metrics.

        Raises:
            KeyError: for an unknown stream.
        """
        streams = {endpoint.stream: endpoint for endpoint in self.endpoints}
        endpoint = streams[stream]
        if isinstance(endpoint, Metrics):
            return endpoint.rows_by(resolution, self.present)
        return endpoint.rows(self.present, _START)

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
