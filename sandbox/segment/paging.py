"""Paging with opaque cursors."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from starlette.requests import Request

from sandbox.segment.seeded import Record
from sandbox.segment.validation import invalid

_DEFAULT_COUNT = 200
LARGEST_COUNT = 1000
_SPELLINGS = ("pagination[{}]", "pagination.{}")

PARAMETERS = frozenset(spelling.format(name) for spelling in _SPELLINGS for name in ("count", "cursor"))


class LastNext(Enum):
    """What an endpoint sends as `next` on its last page."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"


@dataclass(frozen=True)
class Cursor:
    """A place in a collection; `end` pins the walk through a collection that grows."""

    collection: str
    offset: int = 0
    end: datetime | None = None

    def encode(self) -> str:
        """Return the opaque form."""
        content = {"collection": self.collection, "pageToken": self.offset}
        if self.end:
            content["endTime"] = self.end.isoformat()
        return base64.b64encode(json.dumps(content).encode()).decode()

    @classmethod
    def decode(cls, opaque: str) -> "Cursor":
        """Read the opaque form.

        Raises:
            ValueError: when it is not one.
        """
        content = json.loads(base64.b64decode(opaque, validate=True))
        try:
            end = datetime.fromisoformat(content["endTime"]) if "endTime" in content else None
            return cls(str(content["collection"]), int(content["pageToken"]), end)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{opaque} is not a cursor.") from error


@dataclass(frozen=True)
class Page:
    """Which page of a collection is asked for."""

    cursor: Cursor
    count: int

    @classmethod
    def asked_for(cls, request: Request, given: Mapping[str, str], largest_count: int = LARGEST_COUNT) -> "Page":
        """Read the paging parameters, in either of their two spellings.

        A cursor belongs to the path and to all other parameters of the request that it comes from. The vendor may be
        more lenient here.

        Raises:
            RequestRefused: 422 for a count outside of 1 to `largest_count`, a foreign cursor, or both spellings.
        """
        filters = sorted((name, value) for name, value in given.items() if name not in PARAMETERS)
        collection = "&".join([request.scope["path"], *(f"{name}={value}" for name, value in filters)])
        cursor = _cursor(_parameter(given, "cursor"), collection)
        return cls(cursor, _count(_parameter(given, "count"), largest_count))

    def pinned(self, end: datetime) -> "Page":
        """Return the same page with the end of its walk written into its cursors."""
        return replace(self, cursor=replace(self.cursor, end=end))

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
        return replace(self.cursor, offset=max(0, self.cursor.offset + by))


def _parameter(given: Mapping[str, str], name: str) -> str | None:
    values = [given[spelling.format(name)] for spelling in _SPELLINGS if spelling.format(name) in given]
    if len(values) > 1:
        raise invalid(f"pagination.{name} is given in both spellings.", f"pagination.{name}")
    return values[0] if values else None


def _cursor(opaque: str | None, collection: str) -> Cursor:
    if opaque is None:
        return Cursor(collection)
    try:
        cursor = Cursor.decode(opaque)
    except ValueError:
        raise invalid("The cursor is malformed.", "pagination.cursor") from None
    if cursor.collection != collection:
        raise invalid("The cursor is not one of this collection.", "pagination.cursor")
    return cursor


def _count(value: str | None, largest: int) -> int:
    if value is None:
        return _DEFAULT_COUNT
    if not re.fullmatch("[0-9]{1,4}", value) or not 1 <= int(value) <= largest:
        raise invalid(f"pagination.count must be an integer from 1 to {largest}.", "pagination.count")
    return int(value)
