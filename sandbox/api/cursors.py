"""Pagination by opaque cursors, as nearly everywhere in Segment's API, including the endpoints that deviate."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.errors import invalid
from sandbox.api.paging import Page, Paging
from sandbox.api.present import LARGEST_COUNT, Present
from sandbox.api.timeline import Record

_NESTED = ("pagination[{}]", "pagination.{}")
_FLAT = ("{}",)


class LastNext(Enum):
    """The `next` of a last page."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"


@dataclass(frozen=True)
class Cursor:
    """A position in a collection; `end` fixes the end of a growing collection while its pages are read."""

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
            ValueError: if it is not a cursor.
        """
        content = json.loads(base64.b64decode(opaque, validate=True))
        try:
            end = datetime.fromisoformat(content["endTime"]) if "endTime" in content else None
            return cls(str(content["collection"]), int(content["pageToken"]), end)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{opaque} is not a cursor.") from error


@dataclass(frozen=True)
class Cursors(Paging):
    """Pages by `cursor` and `count`; `pagination` contains the cursor of the next page.

    Attributes:
        last_next: the `next` of the last page.
        with_total: whether pages have `totalEntries`.
        with_previous: whether pages have `previous`; false for forward-only lists.
        largest: the largest page size that may be requested.
        default: the default page size.
        flat: whether the parameters are `count` and `cursor` instead of members of `pagination`.
        counts: whether the cursor is the number of records before the page instead of being opaque.
        required: whether the vendor's documentation requires the parameters.
    """

    last_next: LastNext = LastNext.ABSENT
    with_total: bool = True
    with_previous: bool = True
    largest: int = LARGEST_COUNT
    default: int = 200
    flat: bool = False
    counts: bool = False
    required: bool = True

    @property
    def parameters(self) -> frozenset[str]:
        """The query parameters that request a page."""
        return frozenset(spelling.format(name) for spelling in self._spellings for name in ("count", "cursor"))

    def page(self, request: Request, given: Mapping[str, str], present: Present) -> "CursorPage":
        """Return the requested page; the parameters can have any of their spellings.

        A cursor is only valid with the path and all other parameters of the request that returned it. The vendor may
        be more lenient here.

        Raises:
            ApiError: 422 for a count that is not between 1 and the largest, a cursor of another request, both spellings
                at once, or missing parameters that are required.
        """
        filters = sorted((name, value) for name, value in given.items() if name not in self.parameters)
        collection = "&".join([request.scope["path"], *(f"{name}={value}" for name, value in filters)])
        if present.pagination_required and self.required and not self.parameters & given.keys():
            raise invalid("pagination is required.", "pagination")
        label, value = self._given(given, "cursor")
        cursor = self._cursor(value, collection, label)
        label, value = self._given(given, "count")
        count = self.default if value is None else _number(value, 1, min(self.largest, present.largest_count), label)
        return CursorPage(self, cursor, min(count, present.largest_page or count), present)

    def shown(self, cursor: Cursor) -> str | int:
        """Return a cursor in the form that clients receive."""
        return cursor.offset if self.counts else cursor.encode()

    @property
    def _spellings(self) -> tuple[str, ...]:
        return _FLAT if self.flat else _NESTED

    def _given(self, given: Mapping[str, str], name: str) -> tuple[str, str | None]:
        label = name if self.flat else f"pagination.{name}"
        values = [given[spelling.format(name)] for spelling in self._spellings if spelling.format(name) in given]
        if len(values) > 1:
            raise invalid(f"{label} is given in both spellings.", label)
        return label, values[0] if values else None

    def _cursor(self, value: str | None, collection: str, label: str) -> Cursor:
        if value is None:
            return Cursor(collection)
        if self.counts:
            return Cursor(collection, _number(value, 0, 9999, label))
        try:
            cursor = Cursor.decode(value)
        except ValueError:
            raise invalid("The cursor is malformed.", label) from None
        if cursor.collection != collection:
            raise invalid("The cursor is not one of this collection.", label)
        return cursor


@dataclass(frozen=True)
class CursorPage(Page):
    """The page of a collection that starts at a cursor."""

    paging: Cursors
    cursor: Cursor
    count: int
    present: Present

    def pinned(self, end: datetime) -> "CursorPage":
        """Return the same page with the fixed end stored in its cursors."""
        return replace(self, cursor=replace(self.cursor, end=end))

    def answer(self, key: str, records: Sequence[Json]) -> Record:
        """Return the records on this page, and `pagination`."""
        first = self.cursor.offset
        repeated = 1 if self.present.repeat_records and 0 < first < len(records) else 0
        page = list(records[first - repeated : first + self.count])
        return {key: page, "pagination": self._envelope(len(records))}

    def _envelope(self, total: int) -> Record:
        paging = self.paging
        envelope: Record = {"current": paging.shown(self.cursor)}
        following = self._following(total)
        if following is not None:
            envelope["next"] = paging.shown(following)
        elif paging.last_next is not LastNext.ABSENT:
            envelope["next"] = None if paging.last_next is LastNext.NULL else ""
        if self.cursor.offset and paging.with_previous:
            envelope["previous"] = paging.shown(self._shifted(-self.count))
        if paging.with_total:
            envelope["totalEntries"] = total
        return envelope

    def _following(self, total: int) -> Cursor | None:
        """Return the cursor of the next page, if there is one."""
        after, is_empty = self.present.after_last_page, self.cursor.offset >= total
        if self.cursor.offset + self.count < total or after == "endless":
            return self._shifted(self.count)
        if after == "own cursor" and is_empty:
            return self.cursor
        return self._shifted(self.count) if after in {"empty", "own cursor"} and not is_empty else None

    def _shifted(self, by: int) -> Cursor:
        return replace(self.cursor, offset=max(0, self.cursor.offset + by))


def _number(value: str, smallest: int, largest: int, label: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", value) or not smallest <= int(value) <= largest:
        raise invalid(f"{label} must be an integer from {smallest} to {largest}.", label)
    return int(value)
