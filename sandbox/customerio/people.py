"""The people of the simulated workspace."""

import json
from dataclasses import dataclass
from random import Random

from sandbox.api.timeline import DAY, HOUR, Record

_PLANS = ("free", "basic", "team", "business")
_COUNTRIES = ("AT", "BR", "CA", "DE", "ES", "FR", "JP", "NL", "NZ", "US")
_PLATFORMS = ("ios", "android")


@dataclass(frozen=True)
class Person:
    """The complete history of a person; `at` returns the API's row."""

    number: int
    known_by: str
    """`both`, `email`, `id`, or `neither`."""
    created: int
    changed: int | None
    """The time at which the person switches to another plan."""
    deleted: int | None
    country: str
    plan: int
    devices: int
    unsubscribed: bool

    @property
    def cio_id(self) -> str:
        """Customer.io's own identifier; it looks like a number in scientific notation, like real ones."""
        return f"{30 + self.number // 100_000}e{self.number % 100_000:05d}"

    @property
    def identifiers(self) -> Record:
        """The identifiers as the API returns them: null for those that the person does not have."""
        return {
            "cio_id": self.cio_id,
            "email": f"reader-{self.number}@example.com" if self.known_by in {"both", "email"} else None,
            "id": f"customer-{self.number}" if self.known_by in {"both", "id"} else None,
        }

    def exists(self, now: int) -> bool:
        """True if the person is in the workspace at `now`."""
        return self.created <= now and (self.deleted is None or now < self.deleted)

    def at(self, now: int) -> Record:
        """The person as `POST /v1/customers/attributes` returns it."""
        identifiers = self.identifiers
        moved = self.changed is not None and now >= self.changed
        attributes = {name: value for name, value in identifiers.items() if value is not None}
        attributes |= {
            "plan": _PLANS[(self.plan + moved) % len(_PLANS)],
            "country": self.country,
            "Favourite Colour": "blue",
            "lifetime_value": f"{self.number % 977}.50",
            "created_at": str(self.created),
            "cio_subscription_preferences": json.dumps({"topics": {"topic_1": not self.unsubscribed}}),
        }
        timestamps = dict.fromkeys(attributes, self.created)
        timestamps["plan"] = self.changed if self.changed is not None and moved else self.created
        return {
            "id": identifiers["id"] or "",
            "identifiers": identifiers,
            "attributes": attributes,
            "timestamps": timestamps,
            "unsubscribed": self.unsubscribed,
            "devices": [
                {
                    "id": f"device-{self.number}-{device}",
                    "platform": _PLATFORMS[(self.number + device) % 2],
                    "last_used": self.created + device * HOUR,
                    "attributes": {"app_version": "4.2", "push_enabled": "true"},
                }
                for device in range(self.devices)
            ],
        }


def number_of(cio_id: str) -> int:
    """The number of the person with this `cio_id`."""
    hundred_thousands, rest = cio_id.split("e")
    return (int(hundred_thousands) - 30) * 100_000 + int(rest)


def generate_people(random: Random, start: int, count: int) -> list[Person]:
    """People in the order of their `cio_id`.

    `count` exist at `start`; in the four days after it, one in a hundred is added, one in fifty switches to another
    plan, and one in two hundred is deleted.
    """
    kinds = random.choices(("both", "email", "id", "neither"), (80, 14, 5, 1), k=count + count // 100)
    return [
        Person(
            number=number,
            known_by=kind,
            created=start + random.randrange(4 * DAY) if number > count else start - random.randrange(700 * DAY),
            changed=start + random.randrange(4 * DAY) if number <= count and random.random() < 1 / 50 else None,
            deleted=start + random.randrange(HOUR, 4 * DAY) if number <= count and random.random() < 1 / 200 else None,
            country=random.choice(_COUNTRIES),
            plan=random.randrange(len(_PLANS)),
            devices=random.choices((0, 1, 2), (80, 15, 5))[0],
            unsubscribed=random.random() < 1 / 25,
        )
        for number, kind in enumerate(kinds, 1)
    ]
