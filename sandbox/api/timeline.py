"""Seeded randomness, and records that appear, change and disappear as time passes in the sandbox."""

import random
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TypeAlias

from cdp_connectors.json_types import JsonObject

Record: TypeAlias = JsonObject

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Seconds."""
FOREVER = datetime.max.replace(tzinfo=timezone.utc)
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Seeded(random.Random):
    """Repeatable randomness: the same seed gives the same content."""

    def identifier(self, length: int = 22) -> str:
        """Return an identifier in the vendor's base-58 style."""
        return "".join(self.choices(_ALPHABET, k=length))

    def happens(self, probability: float) -> bool:
        """Return True with this probability, from 0 to 1."""
        return self.random() < probability

    def moment(self, first: datetime, last: datetime) -> datetime:
        """Return a time between the two, in whole seconds."""
        return first + timedelta(seconds=self.randrange(max(1, int((last - first).total_seconds()))))


@dataclass(frozen=True)
class Dated:
    """A record that is visible from `since` (inclusive) to `until` (exclusive).

    A changed object consists of several of these with the same identifier, each ending when the next begins.
    """

    record: Record
    since: datetime
    until: datetime = FOREVER


def visible(objects: Iterable[Dated], now: datetime) -> list[Record]:
    """Return the records that are visible at `now`, in their given order."""
    return [dated.record for dated in objects if dated.since <= now < dated.until]


def versions(
    record: Record, since: datetime, changes: Iterable[tuple[datetime, Record]] = (), until: datetime = FOREVER
) -> list[Dated]:
    """Return the versions of a record: from the time of each change, its fields replace the earlier ones."""
    moments, made = [since, *(max(since, moment) for moment, _ in changes)], [record]
    made += [record := record | fields for _, fields in changes]
    ends = [min(end, until) for end in (*moments[1:], until)]
    return [Dated(*version) for version in zip(made, moments, ends, strict=True)]


def first_versions(objects: Iterable[Dated], key: str = "id") -> list[Dated]:
    """Return the first version of each record, in their given order; `key` identifies a record."""
    found: dict[Hashable, Dated] = {}
    for dated in objects:
        found.setdefault(dated.record[key], dated)
    return list(found.values())


def at(seconds: int) -> datetime:
    """Return the UTC time of epoch seconds."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def epoch(moment: datetime) -> int:
    """Return a time as epoch seconds, rounded down."""
    return int(moment.timestamp())


def midnight(day: date) -> datetime:
    """Return the beginning of a day, UTC."""
    return datetime.combine(day, time(), timezone.utc)


def timestamp(moment: datetime) -> str:
    """Return a time in the format of most of the API's records."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def scaled(count: int, scale: float) -> int:
    """Return `count` multiplied by `scale`, but at least 1."""
    return max(1, round(count * scale))
