"""The simulated Customer.io workspace: everything that will ever be seen of it, and what is seen of it now."""

from bisect import bisect_left, bisect_right
from operator import attrgetter
from random import Random

from sandbox.clock import Clock
from sandbox.customerio.activities import Activity, generate_activities
from sandbox.customerio.audience import Audience, audience_resources
from sandbox.customerio.configuration import Configuration
from sandbox.customerio.content import Content, content_resources
from sandbox.customerio.deliveries import Delivery, generate_deliveries, generate_drafts
from sandbox.customerio.history import Row
from sandbox.customerio.library import Library, library_resources
from sandbox.customerio.metrics import metrics_resources
from sandbox.customerio.object_endpoints import object_resources
from sandbox.customerio.objects import Objects
from sandbox.customerio.paging import BadRequest
from sandbox.customerio.people import Person, generate_people
from sandbox.customerio.resources import NotFound, Resource, identity
from sandbox.customerio.senders import generate_senders, generate_suppressions
from sandbox.customerio.subscriptions import subscription_resources
from sandbox.customerio.triggers import Triggers, trigger_resources


class CustomerioWorld:
    """A workspace of 20,000 people (times `scale`), with a history of eight months and a future of four days.

    The same seed, scale and start of the clock give the same workspace.
    """

    region_keys: dict[str, str]
    """The App API key of each region."""
    rate_limit_per_second: int | None = None
    """How many requests all keys may make together within any second; None for no limit."""
    daily_quota: int | None = None
    """How many more requests are answered before the day's quota is used up; None for no quota."""
    largest_page: int | None = None
    """How many rows a page that has a `next` holds at most, whatever `limit` says; None for the usual maximum."""
    removed: set[str]
    """What is still listed, but has no endpoints of its own any more: `campaigns/3`, `objects/1/ob010002`."""

    def __init__(self, clock: Clock, *, seed: int, scale: float) -> None:
        """Generate the workspace as it stands at `clock.now`, and what happens to it in the four days after."""
        self._clock = clock
        self.removed = set()
        self.region_keys = {"us": "sandbox-key-us", "eu": "sandbox-key-eu"}
        start = self.now
        random = Random(seed)
        settings, contents, related, designs = (Random(f"{seed} {part}") for part in ("set", "sent", "rel", "made"))
        self.people: list[Person] = generate_people(random, start, _scaled(20_000, scale))
        self._present: tuple[int, list[Person]] = (0, [])
        self._people_by_cio_id = {person.cio_id: person for person in self.people}
        self._deliveries: list[Delivery] = generate_deliveries(
            random, start, _scaled(30_000, scale), self.people, _scaled(240, scale)
        )
        self._activities: list[Activity] = generate_activities(random, start, _scaled(5_000, scale), self.people)
        self.senders = generate_senders(start)
        self._suppressions = generate_suppressions(random, start, _scaled(1_500, scale))
        self._configuration = Configuration(settings, start, scale)
        tables = self._configuration.tables
        self._drafts = generate_drafts(contents, start, _scaled(400, scale), self.people)
        self.objects = Objects(related, start, _scaled(120, scale), self.people)
        content = Content(contents, start, tables | {"transactional": tables["transactional_messages"]})
        self.audience = Audience(self.people, content, self.listed, lambda: self.now)
        self.resources: list[Resource] = [
            *content_resources(content, lambda: self.now),
            *trigger_resources(Triggers(contents, start, tables["broadcasts"]), lambda: self.now),
            *audience_resources(self.audience),
            *object_resources(self.objects, lambda: self.now),
            *library_resources(Library(designs, start, _scaled(1_100, scale)), lambda: self.now),
            *subscription_resources(
                self.present_people, self.person, lambda: self.listed("topics"), lambda: self.now - start
            ),
        ]
        self.metrics = metrics_resources(self._deliveries, lambda: self.now)

    @property
    def now(self) -> int:
        """The present in epoch seconds."""
        return int(self._clock.now.timestamp())

    def listed(self, table: str) -> list[Row]:
        """The rows of one of the configuration's lists, by the name of its stream, as the API returns them."""
        return self._configuration.tables[table].at(self.now)

    @property
    def ip_addresses(self) -> list[str]:
        """The addresses that Customer.io sends from."""
        return self._configuration.ip_addresses

    def workspaces(self) -> list[Row]:
        """All workspaces of the account; the second one has other keys."""
        objects = len(self.objects.all(self.now))
        counts = {"messages_sent": 1200, "billable_messages_sent": 1100, "object_types": 3, "objects": objects}
        return [
            {"id": 1, "name": "Production", "people": len(self.present_people()), **counts},
            {"id": 2, "name": "Staging", "people": 3, **dict.fromkeys(counts, 0)},
        ]

    def present_people(self) -> list[Person]:
        """The people who are in the workspace now, in the order of their `cio_id`."""
        if self._present[0] != self.now:
            self._present = self.now, [person for person in self.people if person.exists(self.now)]
        return self._present[1]

    def person(self, cio_id: str) -> Person | None:
        """The person with this `cio_id`, if there is one now."""
        person = self._people_by_cio_id.get(cio_id)
        return person if person and person.exists(self.now) else None

    def parents(self, kind: str) -> list[Row]:
        """The objects of a kind (`campaigns`, `customers`, ...) that have endpoints of their own now."""
        return [row for row in self._listed_parents(kind) if f"{kind}/{identity(row)}" not in self.removed]

    def parent(self, kind: str, identifier: str) -> Row:
        """The object of a kind with the identifier of its path.

        Raises:
            BadRequest: for an identifier that is malformed.
            NotFound: for an object that there is not, or no more.
        """
        if kind not in {"customers", "objects"} and not identifier.isdigit():
            raise BadRequest(f"{identifier} is no id")
        if kind == "customers":
            found = self.person(identifier)
            rows = [found.identifiers] if found and f"customers/{identifier}" not in self.removed else []
        else:
            rows = [row for row in self.parents(kind) if str(identity(row)) == identifier]
        if not rows:
            raise NotFound
        return rows[0]

    def _listed_parents(self, kind: str) -> list[Row]:
        match kind:
            case "customers":
                return [person.identifiers for person in self.present_people()]
            case "objects":
                return self.objects.all(self.now)
            case "sender_identities":
                return self.senders.at(self.now)
            case "transactional":
                return self.listed("transactional_messages")
        return self.listed(kind)

    def deliveries(self, start: int, end: int, *, drafts: bool = False) -> list[Delivery]:
        """The deliveries created from `start` to `end`, both included, newest first; or those that are drafts."""
        deliveries = self._drafts if drafts else self._deliveries
        created = attrgetter("created")
        first = bisect_left(deliveries, start, key=created)
        last = bisect_right(deliveries, min(end, self.now), key=created)
        return deliveries[first:last][::-1]

    def activities(self) -> list[Activity]:
        """The activities that have arrived, the latest first."""
        return self._activities[: bisect_right(self._activities, self.now, key=attrgetter("arrived"))][::-1]

    def suppressions(self, kind: str, domain: str | None) -> list[Row]:
        """The suppressed addresses of a type, of one sending domain or of the whole account, ordered by address."""
        rows = [
            row
            for (table_kind, table_domain), table in self._suppressions.items()
            if table_kind == kind and domain in {None, table_domain}
            for row in table.at(self.now)
        ]
        return sorted(rows, key=lambda row: str(row["email"]))

    def expected(self, stream: str) -> list[Row]:
        """The rows that a complete sync of the stream holds now, as source-customerio emits them."""
        special = {
            "workspaces": self.workspaces,
            "customers": self._expected_customers,
            "messages": self._expected_messages,
            "draft_messages": lambda: self._expected_messages(drafts=True),
            "activities": lambda: [activity.row for activity in self.activities()],
            "sender_identities": lambda: self.senders.at(self.now),
            "eps_suppression": self._expected_suppressions,
            "ip_addresses": lambda: [{"ip_address": address} for address in self.ip_addresses],
            "reporting_webhooks": self._expected_webhooks,
        }
        for resource in (*self.resources, *self.metrics):
            if resource.stream == stream:
                return resource.expected(self)
        return special[stream]() if stream in special else self.listed(stream)

    def _expected_customers(self) -> list[Row]:
        return [person.at(self.now) | {"cio_id": person.cio_id} for person in self.present_people()]

    def _expected_messages(self, *, drafts: bool = False) -> list[Row]:
        rows = [delivery.at(self.now) for delivery in self.deliveries(0, self.now, drafts=drafts)]
        return [row | {"updated_at": max([row["created"], *row["metrics"].values()])} for row in rows]

    def _expected_suppressions(self) -> list[Row]:
        domains = [None, *sorted({domain for _, domain in self._suppressions})]
        return [
            row | {"suppression_type": kind, "domain": domain or ""}
            for kind in dict.fromkeys(kind for kind, _ in self._suppressions)
            for domain in domains
            for row in self.suppressions(kind, domain)
        ]

    def _expected_webhooks(self) -> list[Row]:
        clean = {
            2: "https://collector.example.com/cio",
            3: "https://collector.example.com/cio?team=***&token=***",
        }
        return [row | {"endpoint": clean.get(row["id"], row["endpoint"])} for row in self.listed("reporting_webhooks")]


def _scaled(count: int, scale: float) -> int:
    return max(int(count * scale), 1)
