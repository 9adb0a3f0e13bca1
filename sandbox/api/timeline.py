"""What every generator of the workspace's content needs: seeded chance, and objects that live for a time."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, TypeAlias

Record: TypeAlias = dict[str, Any]

FOREVER = datetime.max.replace(tzinfo=timezone.utc)
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Seeded(random.Random):
    """Chance that repeats itself: the same seed gives the same content."""

    def identifier(self, length: int = 22) -> str:
        """Return an identifier in the vendor's base-58 style."""
        return "".join(self.choices(_ALPHABET, k=length))

    def happens(self, probability: float) -> bool:
        """Return true with this probability, 0 to 1."""
        return self.random() < probability

    def moment(self, first: datetime, last: datetime) -> datetime:
        """Return a moment between the two, in whole seconds."""
        return first + timedelta(seconds=self.randrange(max(1, int((last - first).total_seconds()))))


@dataclass(frozen=True)
class Dated:
    """A record that can be seen from `since` until just before `until`.

    A change of an object is two of these with the same identifier, the one ending when the other begins.
    """

    record: Record
    since: datetime
    until: datetime = FOREVER


def visible(objects: Iterable[Dated], now: datetime) -> list[Record]:
    """Return the records that can be seen at `now`, in their given order."""
    return [dated.record for dated in objects if dated.since <= now < dated.until]


def midnight(day: date) -> datetime:
    """Return the beginning of a day, UTC."""
    return datetime.combine(day, time(), timezone.utc)


def timestamp(moment: datetime) -> str:
    """Return a moment as most of the API's records have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def scaled(count: int, scale: float) -> int:
    """Return `count` multiplied by `scale`, and at least one."""
    return max(1, round(count * scale))
