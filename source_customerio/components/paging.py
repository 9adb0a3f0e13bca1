"""Paging through a list whose newest records come first."""

from dataclasses import dataclass
from typing import Any, ClassVar

import requests
from airbyte_cdk.sources.types import StreamSlice

from cdp_connectors.pagination import EndlessPageGuard, PageCursor


class ActivityCursor(PageCursor):
    """A page's cursor that also counts how many pages in a row, up to its own, were older than needed."""

    stale_pages: int = 0


@dataclass
class NewestFirst(EndlessPageGuard):
    """Page through a list whose newest records come first, until `patience` pages in a row are older than the window.

    The window begins at the slice's `start_time`: the saved state less the lookback, or the start date. A page counts
    as older when all its timestamps lie before that. One such page proves little, since events that were sent late are
    listed among new ones; so several in a row are requested.

    `is_data_feed` of the stock cursor stops at the first *record* that is older, and drops the older records it read.
    """

    patience: int = 1
    cursor_class: ClassVar[type[PageCursor]] = ActivityCursor

    def onward(
        self,
        cursor: PageCursor,
        previous: Any | None,  # noqa: ANN401 # the CDK's token
        response: requests.Response,
        stream_slice: StreamSlice | None,
    ) -> PageCursor | None:
        """The next page's cursor, or None after the last page that can hold anything new."""
        if not isinstance(cursor, ActivityCursor) or stream_slice is None:
            return cursor
        if self._is_stale(response, int(stream_slice.cursor_slice["start_time"])):
            cursor.stale_pages = (previous.stale_pages if isinstance(previous, ActivityCursor) else 0) + 1
        return None if cursor.stale_pages >= self.patience else cursor

    @staticmethod
    def _is_stale(response: requests.Response, start: int) -> bool:
        activities = response.json()["activities"] or []
        return bool(activities) and all((activity.get("timestamp") or start) < start for activity in activities)
