"""Cursor pagination that cannot loop."""

from dataclasses import dataclass
from urllib.parse import urlparse

import requests
from airbyte_cdk.sources.types import Record, StreamSlice

from cdp_connectors.cdk_repairs import StringCursorPaginationStrategy
from cdp_connectors.failures import transient_error
from cdp_connectors.json_types import Json

_MOST_EMPTY_PAGES = 100


class PageCursor(str):
    """A page's cursor that remembers an earlier one of the same walk, to detect a cycle of any length.

    The remembered cursor moves up to the current one whenever the walk has doubled (Brent's algorithm), so a
    walk of any length needs constant memory, and a cycle is detected within three of its rounds. The walk
    travels with the cursor because one pagination strategy serves all threads and may keep nothing itself.
    """

    __slots__ = ("empty_pages", "limit", "remembered", "steps")

    remembered: str
    steps: int
    limit: int
    empty_pages: int
    """The number of consecutive pages without rows, up to the one that this cursor came with."""

    @classmethod
    def after(cls, previous: str | None, cursor: str) -> "PageCursor | None":
        """The cursor after `previous`, or None if the pages repeat."""
        page = cls(cursor)
        page.remembered, page.steps, page.limit, page.empty_pages = cursor, 0, 1, 0
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
    """`CursorPagination` that fails when the API returns a cursor of the same walk again, or empty pages without end.

    The built-in strategy follows every cursor.
    """

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Record | None,
        last_page_token_value: Json = None,
        page_size_override: int | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> Json:
        """The next page's cursor, or None after the last page; an empty page with its own cursor is the last.

        Raises:
            AirbyteTracedException: a `transient_error` when a cursor repeats, or pages stay empty.
        """
        token = super().next_page_token(
            response,
            last_page_size,
            last_record,
            last_page_token_value,
            page_size_override,
            stream_slice,
        )
        is_empty = last_page_size == 0
        if token is None or (is_empty and str(token) == last_page_token_value):
            return None
        cursor = PageCursor.after(last_page_token_value, str(token))
        path = urlparse(response.url).path
        if cursor is None:
            raise transient_error(
                f"The API returned a page cursor for {path} that it had returned before, which would repeat the same "
                "rows forever. Nothing was skipped; run the sync again, and report it to the vendor if it persists.",
                f"page cursor {token!r} repeats",
            )
        if is_empty:
            cursor.empty_pages = 1 + getattr(last_page_token_value, "empty_pages", 0)
        if cursor.empty_pages > _MOST_EMPTY_PAGES:
            raise transient_error(
                f"The API returned more than {_MOST_EMPTY_PAGES} empty pages in a row for {path}, each with a cursor. "
                "Nothing was skipped; run the sync again, and report it to the vendor if it persists."
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
