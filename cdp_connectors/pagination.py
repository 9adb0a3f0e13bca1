"""Cursor pagination that cannot loop."""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlparse

import requests
from airbyte_cdk.sources.types import Record, StreamSlice

from cdp_connectors.cdk_repairs import StringCursorPaginationStrategy
from cdp_connectors.failures import transient_error
from cdp_connectors.json_types import Json


class PageCursor(str):
    """A page's cursor that remembers an earlier one of the same walk, to detect a cycle of any length.

    The remembered cursor moves up to the current one whenever the walk has doubled (Brent's algorithm), so a
    walk of any length needs constant memory, and a cycle is detected within three of its rounds. The walk
    travels with the cursor because one pagination strategy serves all threads and may keep nothing itself.
    """

    __slots__ = ("limit", "remembered", "steps")

    remembered: str
    steps: int
    limit: int

    @classmethod
    def after(cls, previous: str | None, cursor: str) -> "PageCursor | None":
        """The cursor after `previous`, or None if the pages repeat."""
        page = cls(cursor)
        page.remembered, page.steps, page.limit = cursor, 0, 1
        if isinstance(previous, PageCursor):
            if cursor == previous.remembered:
                return None
            if previous.steps + 1 < previous.limit:
                page.remembered = previous.remembered
                page.steps, page.limit = previous.steps + 1, previous.limit
            else:
                page.limit = previous.limit * 2
        return page


@dataclass
class EndlessPageGuard(StringCursorPaginationStrategy):
    """`CursorPagination` that fails when the API returns a cursor of the same walk again.

    The built-in strategy follows every cursor; one that repeats would be an endless loop of the same rows.
    """

    cursor_class: ClassVar[type[PageCursor]] = PageCursor

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Record | None,
        last_page_token_value: Json = None,
        page_size_override: int | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> Json:
        """The next page's cursor, or None after the last page.

        Raises:
            AirbyteTracedException: a `transient_error` when a cursor repeats.
        """
        token = super().next_page_token(
            response,
            last_page_size,
            last_record,
            last_page_token_value,
            page_size_override,
            stream_slice,
        )
        if token is None:
            return None
        cursor = self.cursor_class.after(last_page_token_value, str(token))
        if cursor is None:
            path = urlparse(response.url).path
            raise transient_error(
                f"The API returned a page cursor for {path} that it had returned before, which would repeat the same "
                "rows forever. Nothing was skipped; run the sync again, and report it to the vendor if it persists.",
                f"page cursor {token!r} repeats",
            )
        return self.onward(cursor, last_page_token_value, response, stream_slice)

    def onward(
        self,
        cursor: PageCursor,
        previous: Json,  # noqa: ARG002 # for subclasses
        response: requests.Response,  # noqa: ARG002 # as above
        stream_slice: StreamSlice | None,  # noqa: ARG002 # as above
    ) -> PageCursor | None:
        """The cursor to continue with after a page, or None to stop there; subclasses may inspect the page."""
        return cursor
