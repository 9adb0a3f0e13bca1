"""Cursor pagination that cannot loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlparse

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.declarative.requesters.paginators.strategies.cursor_pagination_strategy import (
    CursorPaginationStrategy,
)
from airbyte_cdk.sources.types import Config, Record, StreamSlice
from airbyte_cdk.utils import AirbyteTracedException


class PageCursor(str):
    """A page's cursor that remembers an earlier cursor of the same walk, to notice a cycle of any length.

    The remembered cursor moves up to the current one whenever the walk has doubled (Brent's algorithm), so a
    walk of any length needs constant memory, and a cycle is noticed within three of its rounds. The walk
    travels with the cursor because one pagination strategy serves all threads and may keep nothing itself.
    """

    __slots__ = ("limit", "remembered", "steps")

    remembered: str
    steps: int
    limit: int

    @classmethod
    def after(cls, previous: str | None, cursor: str) -> "PageCursor | None":
        """The cursor that follows `previous` in its walk, or None if the walk has come round."""
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


class _Text(InterpolatedString):
    """A template whose result stays text, where the built-in one would read the cursor `30e00001` as a number."""

    def eval(self, config: Config, **kwargs: Any) -> Any:  # noqa: ANN401 # the CDK's own signature
        return super().eval(config, valid_types=(str,), **kwargs)


@dataclass
class EndlessPageGuard(CursorPaginationStrategy):
    """`CursorPagination` that fails when the API hands out a cursor of the same walk again.

    The built-in strategy follows whatever cursor it is given; a cursor that repeats would be an endless loop
    of the same rows. It also takes a cursor that looks like a number for one, and asks for another page with it.
    """

    cursor_class: ClassVar[type[PageCursor]] = PageCursor

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Let the template of the cursor give text only."""
        super().__post_init__(parameters)
        self._cursor_value = _Text(self._cursor_value.string, parameters=parameters)

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Record | None,
        last_page_token_value: Any | None = None,  # noqa: ANN401 # the CDK's own signature
        page_size_override: int | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> Any | None:  # noqa: ANN401 # the CDK's own signature
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
            raise AirbyteTracedException(
                message=(
                    f"The API answered {path} with a page cursor that it had already given, which would repeat "
                    "the same rows without end. Nothing was skipped; run the sync again, and report it to "
                    "the vendor if it persists."
                ),
                internal_message=f"page cursor {token!r} repeats",
                failure_type=FailureType.transient_error,
            )
        return self.onward(cursor, last_page_token_value, response, stream_slice)

    def onward(
        self,
        cursor: PageCursor,
        previous: Any | None,  # noqa: ANN401, ARG002 # the CDK's token
        response: requests.Response,  # noqa: ARG002
        stream_slice: StreamSlice | None,  # noqa: ARG002
    ) -> PageCursor | None:
        """The cursor to go on with after a page, or None to stop there: a place for a subclass to look at the page."""
        return cursor
