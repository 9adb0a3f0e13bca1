"""The activities of the simulated workspace."""

from dataclasses import dataclass
from random import Random

from sandbox.api.timeline import DAY, HOUR, Record
from sandbox.customerio.people import Person

_TYPES = ("event", "page", "attribute_change", "sent_email", "opened_email", "_o:1:object_attribute_change")


@dataclass(frozen=True)
class Activity:
    """One immutable activity: `arrived` determines its place in the list, `timestamp` is set by the sender."""

    number: int
    arrived: int
    timestamp: int
    kind: str
    person: Person

    @property
    def row(self) -> Record:
        """The activity as `GET /v1/activities` returns it."""
        identifiers = self.person.identifiers
        row: Record = {
            "id": f"01K{self.number:023d}",
            "type": self.kind,
            "timestamp": self.timestamp,
            "customer_id": identifiers["id"],
            "customer_identifiers": identifiers,
            "data": self._data(),
        }
        if self.kind.endswith("_email"):
            row |= {"delivery_id": f"delivery-{self.number}", "delivery_type": "email"}
        return row

    @property
    def row_of_2026(self) -> Record:
        """The activity with the fields added in 2026: the name of an event or screen, the URL of a page."""
        if self.kind == "event":
            return self.row | {"name": self._data()["name"]}
        return self.row | ({"url": f"https://shop.example.com/{self.number % 17}"} if self.kind == "page" else {})

    def _data(self) -> Record:
        if self.kind == "attribute_change":
            return {"plan": {"from": "free", "to": "basic"}}
        if self.kind.endswith("_email"):
            return {"delivery_id": f"delivery-{self.number}", "opened": self.timestamp}
        return {"name": f"event {self.number % 17}", "cart": {"items": [self.number % 5], "currency": "EUR"}}


def generate_activities(random: Random, start: int, count: int, people: list[Person]) -> list[Activity]:
    """Activities in order of arrival: `count` in the month before `start`, more in the four days after.

    One in forty was sent hours or days after it happened. A day after `start`, a bulk import delivers 250 activities
    that happened weeks before.
    """
    bulk = start + DAY
    arrivals = [start - random.randrange(30 * DAY) for _ in range(count)]
    arrivals += [start + random.randrange(4 * DAY) for _ in range(count * 4 // 30)]
    arrivals += [bulk] * 250
    return [
        Activity(number, arrived, _timestamp(random, arrived, bulk), random.choice(_TYPES), random.choice(people))
        for number, arrived in enumerate(sorted(arrivals))
    ]


def _timestamp(random: Random, arrived: int, bulk: int) -> int:
    if arrived == bulk:
        return arrived - random.randrange(14 * DAY, 20 * DAY)
    if random.random() < 1 / 40:
        return arrived - random.randrange(HOUR, 10 * DAY)
    return arrived
