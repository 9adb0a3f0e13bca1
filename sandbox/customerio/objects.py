"""The objects (companies, courses) of the simulated workspace, and the people they are related to."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random

from sandbox.api.timeline import DAY, FOREVER, HOUR, Dated, Record, at, epoch, versions, visible
from sandbox.customerio.people import Person

KINDS = {"1": ("company", 2 / 3), "2": ("course", 1 / 3)}
"""The object types that have objects, and their share of all objects; the third type has none."""


class Objects:
    """All objects, and the people related to each."""

    def __init__(self, random: Random, start: int, count: int, people: Sequence[Person]) -> None:
        """Generate `count` objects and a few new ones; some change or are deleted in the four days after `start`."""
        self._tables = {
            kind: [_history(random, start, kind, number) for number in range(1, max(int(count * share), 2) + 2)]
            for kind, (_, share) in KINDS.items()
        }
        self._by_id = {history[0].record["identifiers"]["cio_object_id"]: history for history in self._histories()}
        self._related: dict[str, list[Person]] = {}
        self._relating: dict[str, list[str]] = {}
        for history in self._histories():
            identifier = history[0].record["identifiers"]["cio_object_id"]
            wanted = {"ob010002": 120, "ob010003": 0}.get(identifier, random.randrange(9))
            related = random.sample(people, min(wanted, len(people)))
            self._related[identifier] = sorted(related, key=lambda person: person.cio_id)
            for person in related:
                self._relating.setdefault(person.cio_id, []).append(identifier)

    def of(self, object_type: str, now: datetime) -> list[Record]:
        """Return the objects of a type, as the endpoint of their attributes returns them."""
        return [row for history in self._tables.get(object_type, []) for row in visible(history, now)]

    def one(self, cio_object_id: str, now: datetime) -> Record:
        """Return the object with this id, which exists."""
        return visible(self._by_id[cio_object_id], now)[0]

    def all(self, now: datetime) -> list[Record]:
        """Return the objects of all types."""
        return [row for kind in self._tables for row in self.of(kind, now)]

    def related_people(self, cio_object_id: str, now: datetime) -> list[Record]:
        """Return the identifiers of the people to whom an object is related."""
        return [person.identifiers for person in self._related[cio_object_id] if person.exists(epoch(now))]

    def related_objects(self, cio_id: str, now: datetime) -> list[Record]:
        """Return the objects that a person is related to, as the person's endpoint returns them."""
        if cio_id not in self._relating:
            return []
        present = {row["identifiers"]["cio_object_id"]: row for row in self.all(now)}
        return [
            {
                "object_type_id": int(present[identifier]["object_type_id"]),
                "identifiers": present[identifier]["identifiers"],
                "attributes": {"role": ("owner", "member")[len(identifier + cio_id) % 2]},
                "timestamps": {"role": present[identifier]["timestamps"]["created_at"]},
            }
            for identifier in self._relating[cio_id]
            if identifier in present
        ]

    def _histories(self) -> Iterator[list[Dated]]:
        for table in self._tables.values():
            yield from table


def _history(random: Random, start: int, kind: str, number: int) -> list[Dated]:
    """The versions of an object; every fifth has no name, and the first appears later."""
    created = start + random.randrange(HOUR, 4 * DAY) if number == 1 else start - random.randrange(DAY, 500 * DAY)
    name = f"{KINDS[kind][0]}-{number}"
    attributes: Record = {"size": number * 10, "active": number % 2 == 0, "created_at": created}
    if number % 5:
        attributes |= {"name": name}
    row: Record = {
        "attributes": attributes,
        "timestamps": dict.fromkeys(attributes, created),
        "identifiers": {"cio_object_id": f"ob{int(kind):02d}{number:04d}", "object_id": name},
        "object_type_id": kind,
    }
    moment = start + random.randrange(HOUR, 4 * DAY)
    grown = {
        "attributes": attributes | {"size": number * 11},
        "timestamps": row["timestamps"] | {"size": moment},
    }
    changes = [(at(moment), grown)] if number % 4 == 0 else []
    until = at(start + random.randrange(HOUR, 4 * DAY)) if number % 13 == 0 else FOREVER
    return versions(row, at(created), changes, until)
