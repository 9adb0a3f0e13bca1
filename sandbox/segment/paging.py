"""Paging with opaque cursors."""

import base64
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum

from sandbox.segment.seeded import Record
from sandbox.segment.validation import invalid

_DEFAULT_COUNT = 200
_LARGEST_COUNT = 1000
_SPELLINGS = ("pagination[{}]", "pagination.{}")

PARAMETERS = frozenset(spelling.format(name) for spelling in _SPELLINGS for name in ("count", "cursor"))


class LastNext(Enum):
    """What an endpoint sends as `next` on its last page."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"


@dataclass(frozen=True)
class Cursor:
    """A place in a collection; `endTime` pins the walk through a collection that grows."""

    collection: str
    offset: int = 0
    endTime: str | None = None  # noqa: N815 - the vendor's spelling, visible in the decoded cursor

    def encode(self) -> str:
        """Return the opaque form."""
        return base64.b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def decode(cls, opaque: str, collection: str) -> "Cursor":
        """Read the opaque form.

        Raises:
            RequestRefused: 422 unless it was made for this collection. A collection asked for with other filters is
                another collection. The vendor may be more lenient here.
        """
        try:
            cursor = cls(**json.loads(base64.b64decode(opaque, validate=True)))
        except (TypeError, ValueError):
            cursor = None
        if cursor is None or cursor.collection != collection:
            raise invalid("The cursor is not one of this collection.", "pagination.cursor")
        return cursor


@dataclass(frozen=True)
class Page:
    """Which page of a collection is asked for."""

    cursor: Cursor
    count: int

    @classmethod
    def asked_for(cls, given: dict[str, str], collection: str) -> "Page":
        """Read the paging parameters, in either of their two spellings.

        Raises:
            RequestRefused: 422 for a count outside of 1 to 1000, a foreign cursor, or both spellings at once.
        """
        opaque = _parameter(given, "cursor")
        cursor = Cursor(collection) if opaque is None else Cursor.decode(opaque, collection)
        count = _parameter(given, "count")
        if count is None:
            return cls(cursor, _DEFAULT_COUNT)
        if not (count.isascii() and count.isdigit() and 1 <= int(count) <= _LARGEST_COUNT):
            raise invalid(f"pagination.count must be an integer from 1 to {_LARGEST_COUNT}.", "pagination.count")
        return cls(cursor, int(count))

    def pinned(self, end: datetime) -> "Page":
        """Return the same page with the end of its walk written into its cursors."""
        return Page(Cursor(self.cursor.collection, self.cursor.offset, end.isoformat()), self.count)

    def cut(self, records: list[Record]) -> list[Record]:
        """Return the records on this page."""
        return records[self.cursor.offset : self.cursor.offset + self.count]

    def envelope(self, total: int, last_next: LastNext, *, with_total: bool) -> Record:
        """Return the `pagination` member of the answer."""
        envelope: Record = {"current": self.cursor.encode()}
        if self.cursor.offset + self.count < total:
            envelope["next"] = self._shifted(self.count).encode()
        elif last_next is not LastNext.ABSENT:
            envelope["next"] = None if last_next is LastNext.NULL else ""
        if self.cursor.offset:
            envelope["previous"] = self._shifted(-self.count).encode()
        if with_total:
            envelope["totalEntries"] = total
        return envelope

    def _shifted(self, by: int) -> Cursor:
        return Cursor(self.cursor.collection, max(0, self.cursor.offset + by), self.cursor.endTime)


def _parameter(given: dict[str, str], name: str) -> str | None:
    values = [given[spelling.format(name)] for spelling in _SPELLINGS if spelling.format(name) in given]
    if len(values) > 1:
        raise invalid(f"pagination.{name} is given in both spellings.", f"pagination.{name}")
    return values[0] if values else None
