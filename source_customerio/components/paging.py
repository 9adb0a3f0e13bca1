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
    """How far a list was read, in epoch seconds.

    Attributes:
        since: the beginning of the window that is being read.
        page: the token of the last page that was read; empty if none was.
        moment: the newest time on that page.
        newest: the newest time in the list when it was begun.
    """

    since: int
    page: str = ""
    moment: int = 0
    newest: int = 0

    @classmethod
    def of(cls, saved: Json) -> "Position | None":
        """The position that a state describes, or None if it describes none."""
        try:
            return cls(int(saved["since"]), str(saved["page"]), int(saved["moment"]), int(saved["newest"]))
        except (KeyError, TypeError, ValueError):
            return None


class Walk:
    """One pass through the list, which `NewestFirst` reports its pages to."""

    def __init__(self, begun: Position) -> None:
        self.reached = begun
        self.pages = 0
        self.stale_pages = 0
        """How many pages in a row, up to the last, were older than needed."""

    def turn(self, page: str, moments: list[int]) -> None:
        """Count a page that was read, and remember where it is; the first one has no token."""
        now = time.time()
        newest = max([self.reached.newest, *(moment for moment in moments if moment <= now)])
        self.reached = replace(self.reached, newest=newest)
        if moments and page:
            self.reached = replace(self.reached, page=page, moment=max(moments))
        self.pages += 1


@dataclass
class NewestFirst(EndlessPageGuard):
    """Page through a list whose newest records come first, until `patience` pages in a row are older than the window.

    The window begins at the slice's `start_time`: the saved state less the lookback, or the start date. A page counts
    as older when all its timestamps lie before that. One such page proves little, since events that were sent late are
    listed among new ones; so several in a row are requested.

    `is_data_feed` of the stock cursor stops at the first *record* that is older, and drops the older records it read.
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

    The state names the last page that was read. A sync that was interrupted resumes there, reads on to the end of its
    window, and then what is newer. The page itself is read again, and must be at least as new as it was: then nothing
    lies between, whether tokens name a row or a position, which new rows move on. If Customer.io rejects the token or
    leads elsewhere, the list is read from its beginning.

    `rows` finds the token of the first page in `stream_slice.extra_fields['page']`. Cursors of the CDK save a position
    when a slice ends, and a list without a filter by time is one slice.
    """

    rows: SimpleRetriever
    config: Config
    cursor: Cursor
    name: str
    overlap: int
    """The seconds before the newest known time in which new records are looked for."""
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
        """Yield what is at and after a position; returns whether that is all that had not been read."""
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
        """The state of an unfinished read; the stock cursor, which writes one when a stream fails, keeps the field."""
        state = extra_state(self.cursor)
        state[_UNFINISHED] = vars(position)
        return state_message(self.name, state)
