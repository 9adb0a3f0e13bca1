"""Reading a list whose newest records come first."""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import requests
from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.types import Config, StreamSlice

from cdp_connectors.cdk_repairs import RejectedRequestError, extra_state
from cdp_connectors.json_types import Json
from cdp_connectors.pagination import EndlessPageGuard, PageCursor
from cdp_connectors.states import state_message

_UNFINISHED = "unfinished"
_REJECTED = {400, 404, 410, 422}


@dataclass(frozen=True)
class Position:
    """The position up to which a list was read.

    Attributes:
        since: the start of the window that is being read, in epoch seconds.
        page: the token of the last page that was read; empty if none was.
        moment: the newest time on that page, in epoch seconds.
        newest: the newest time in the list so far, in epoch seconds.
    """

    since: int
    page: str = ""
    moment: int = 0
    newest: int = 0

    @classmethod
    def of(cls, saved: Json) -> "Position | None":
        """The position saved in a state, or None if there is none."""
        try:
            return cls(int(saved["since"]), str(saved["page"]), int(saved["moment"]), int(saved["newest"]))
        except (KeyError, TypeError, ValueError):
            return None


class Walk:
    """One pass through the list; `NewestFirst` reports each page to it."""

    def __init__(self, begun: Position) -> None:
        self.reached = begun
        self.pages = 0
        self.stale_pages = 0
        """The number of consecutive pages, up to the last, that were older than needed."""

    def turn(self, page: str, moments: list[int]) -> None:
        """Count a page that was read, and remember its position; the first page has no token."""
        now = time.time()
        newest = max([self.reached.newest, *(moment for moment in moments if moment <= now)])
        self.reached = replace(self.reached, newest=newest)
        if moments and page:
            self.reached = replace(self.reached, page=page, moment=max(moments))
        self.pages += 1


@dataclass
class NewestFirst(EndlessPageGuard):
    """Page through a list whose newest records come first, until `patience` pages in a row are older than the window.

    The window begins at the slice's `start_time`: the saved state minus the lookback, or the start date. A page counts
    as older if all its timestamps are before that. One such page is no proof, because events that were sent late are
    listed among new ones; so several in a row are needed.

    `is_data_feed` of the built-in cursor stops at the first *record* that is older, and drops the older ones it read.
    """

    patience: int = 1

    def onward(
        self,
        cursor: PageCursor,
        previous: Json,
        response: requests.Response,
        stream_slice: Any,  # noqa: ANN401 # one of `ResumableWalk`
    ) -> PageCursor | None:
        """The next page's cursor, or None after the last page that can hold anything new."""
        walk: Walk = stream_slice.extra_fields["walk"]
        page = str(previous or stream_slice.extra_fields["page"])
        activities = response.json()["activities"] or []
        walk.turn(page, [each["timestamp"] for each in activities if each.get("timestamp")])
        start = int(stream_slice.cursor_slice["start_time"])
        is_stale = activities and all((activity.get("timestamp") or start) < start for activity in activities)
        walk.stale_pages = walk.stale_pages + 1 if is_stale else 0
        return None if walk.stale_pages >= self.patience else cursor


@dataclass
class ResumableWalk(Retriever):
    """The `rows` of a list whose newest records come first, with a state after every `pages_per_state` pages.

    The state holds the token of the last page that was read. An interrupted sync resumes there, reads to the end of its
    window, and then reads what is newer. The page itself is read again, and must be at least as new as before: then no
    row was missed, whether tokens refer to a row or to a position that new rows shift. If Customer.io rejects the token
    or returns another page, the list is read from the start.

    `rows` finds the token of the first page in `stream_slice.extra_fields['page']`. The CDK's cursors save a position
    when a slice ends, and a list without a time filter is a single slice.
    """

    rows: SimpleRetriever
    config: Config
    cursor: Cursor
    name: str
    overlap: int
    """The number of seconds before the newest known time from which new records are read."""
    pages_per_state: int = 50

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Mapping[str, Any] | AirbyteMessage]:
        """Yield the rows, and states between them."""
        if stream_slice is None:
            return
        start = Position(int(stream_slice.cursor_slice["start_time"]))
        position = Position.of(extra_state(self.cursor).get(_UNFINISHED)) or start
        if position.page:
            since = position.since
            walk = Walk(position)
            if (yield from self._resumed(records_schema, stream_slice, walk)):
                since = walk.reached.newest - self.overlap
            position = Position(since)
            yield self._state(position)
        yield from self._pages(records_schema, stream_slice, Walk(position))
        extra_state(self.cursor).pop(_UNFINISHED, None)

    def _resumed(
        self, schema: Mapping[str, Any], stream_slice: StreamSlice, walk: Walk
    ) -> Generator[Mapping[str, Any] | AirbyteMessage, None, bool]:
        """Yield the rows from a position on; returns whether these are all rows that had not been read."""
        expected, newest = walk.reached.moment, 0
        try:
            for row in self._pages(schema, stream_slice, walk):
                if walk.pages == 0 and isinstance(row, Mapping):
                    newest = max(newest, row.get("timestamp") or 0)
                elif newest < expected:
                    return False
                yield row
        except RejectedRequestError as error:
            if walk.pages or error.status not in _REJECTED:
                raise
        return newest >= expected

    def _pages(
        self, schema: Mapping[str, Any], stream_slice: StreamSlice, walk: Walk
    ) -> Iterator[Mapping[str, Any] | AirbyteMessage]:
        requested = StreamSlice(
            partition=stream_slice.partition,
            cursor_slice={**stream_slice.cursor_slice, "start_time": str(walk.reached.since)},
            extra_fields={**stream_slice.extra_fields, "page": walk.reached.page, "walk": walk},
        )
        stated = 0
        for row in self.rows.read_records(schema, requested):
            if walk.pages >= stated + self.pages_per_state and walk.reached.page:
                stated = walk.pages
                yield self._state(walk.reached)
            if isinstance(row, Mapping):
                yield {**row}

    def _state(self, position: Position) -> AirbyteMessage:
        """The state of an unfinished read; the built-in cursor keeps its field in the state of a failed stream."""
        state = extra_state(self.cursor)
        state[_UNFINISHED] = vars(position)
        return state_message(self.name, state)
