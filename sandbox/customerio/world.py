"""The simulated Customer.io workspace: everything that will ever be seen of it, and what is seen of it now."""

from bisect import bisect_left, bisect_right
from operator import attrgetter
from random import Random

from sandbox.clock import Clock
from sandbox.customerio.activities import Activity, generate_activities
from sandbox.customerio.configuration import Configuration
from sandbox.customerio.deliveries import Delivery, generate_deliveries
from sandbox.customerio.history import Row
from sandbox.customerio.people import Person, generate_people
from sandbox.customerio.senders import generate_senders, generate_suppressions


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

    def __init__(self, clock: Clock, *, seed: int, scale: float) -> None:
        """Generate the workspace as it stands at `clock.now`, and what happens to it in the four days after."""
        self._clock = clock
        self.region_keys = {"us": "sandbox-key-us", "eu": "sandbox-key-eu"}
        start = self.now
        random = Random(seed)
        self.people: list[Person] = generate_people(random, start, _scaled(20_000, scale))
        self._present: tuple[int, list[Person]] = (0, [])
        self._people_by_cio_id = {person.cio_id: person for person in self.people}
        self._deliveries: list[Delivery] = generate_deliveries(random, start, _scaled(30_000, scale), self.people)
        self._activities: list[Activity] = generate_activities(random, start, _scaled(5_000, scale), self.people)
        self.senders = generate_senders(start)
        self._suppressions = generate_suppressions(random, start, _scaled(1_500, scale))
        self._configuration = Configuration(random, start, scale)

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
        counts = {"messages_sent": 1200, "billable_messages_sent": 1100, "object_types": 3, "objects": 60}
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

    def deliveries(self, start: int, end: int) -> list[Delivery]:
        """The deliveries created from `start` to `end`, both included, newest first."""
        created = attrgetter("created")
        first = bisect_left(self._deliveries, start, key=created)
        last = bisect_right(self._deliveries, min(end, self.now), key=created)
        return self._deliveries[first:last][::-1]

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
            "activities": lambda: [activity.row for activity in self.activities()],
            "sender_identities": lambda: self.senders.at(self.now),
            "eps_suppression": self._expected_suppressions,
            "ip_addresses": lambda: [{"ip_address": address} for address in self.ip_addresses],
            "reporting_webhooks": self._expected_webhooks,
        }
        return special[stream]() if stream in special else self.listed(stream)

    def _expected_customers(self) -> list[Row]:
        return [person.at(self.now) | {"cio_id": person.cio_id} for person in self.present_people()]

    def _expected_messages(self) -> list[Row]:
        rows = [delivery.at(self.now) for delivery in self.deliveries(0, self.now)]
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
