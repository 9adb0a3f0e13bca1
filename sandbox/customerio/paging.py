"""The page tokens and limits of the simulated API."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any, Generic, TypeVar

from starlette.requests import Request

T = TypeVar("T")


class BadRequest(Exception):  # noqa: N818 # the vendor's word for status 400
    """A parameter that the API refuses."""


@dataclass(frozen=True)
class Pages(Generic[T]):
    """How one endpoint cuts its list into pages."""

    version: str
    """The start of the endpoint's tokens, which are no good at any other endpoint."""
    default: int
    maximum: int
    clamps: bool = False
    """Whether a `limit` above the maximum is lowered rather than refused."""
    ends_empty: bool = False
    """Whether the last page has a `next` too, which leads to an empty page."""
    ignores_limit: bool = False
    """Whether every page is as long as the maximum, whatever is asked for."""

    def page(self, request: Request, rows: Sequence[T], key: Callable[[T], str] | None = None) -> tuple[list[T], str]:
        """The page that the request asks for, and `next`: an empty text on the last page.

        With `key`, tokens name the last row of the page before, so that a deleted row shifts nothing; `rows` must be
        ordered by it. Without, they are positions, and one beyond the end leads to the first page.

        Raises:
            BadRequest: for a limit or a token that the endpoint does not take.
        """
        limit = self._limit(request)
        token = request.query_params.get("start") or ""
        start = self._start(token, rows, key)
        rest = rows[start : start + limit]
        is_last = not rest if self.ends_empty else start + limit >= len(rows)
        if is_last:
            return list(rest), ""
        return list(rest), self._encode(key(rest[-1]) if key else str(start + len(rest)))

    def _limit(self, request: Request) -> int:
        limit = self.maximum if self.ignores_limit else integer(request, "limit", self.default)
        if limit > self.maximum and not self.clamps:
            raise BadRequest(f"limit must not exceed {self.maximum}")
        return min(max(limit, 1), self.maximum, request.scope.get("largest_page") or self.maximum)

    def _start(self, token: str, rows: Sequence[T], key: Callable[[T], str] | None) -> int:
        if not token:
            return 0
        position = self._decode(token)
        if key:
            return bisect_right(rows, position, key=key)
        if not position.isdigit():
            raise BadRequest("invalid start token")
        start = int(position)
        return start if start < len(rows) or self.ends_empty else 0

    def _encode(self, position: str) -> str:
        return base64.b64encode(f"{self.version}:{position}".encode()).decode()

    def _decode(self, token: str) -> str:
        try:
            version, _, position = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            version = position = ""
        if version != self.version:
            raise BadRequest("invalid start token")
        return position


@dataclass(frozen=True)
class NumberedPages:
    """How an endpoint cuts its list into pages that have numbers, from 1; the answer tells the total."""

    default: int
    maximum: int

    def page(self, request: Request, rows: Sequence[T]) -> tuple[list[T], dict[str, Any]]:
        """The page that the request asks for, which is empty past the end, and `meta`.

        Raises:
            BadRequest: for a page or a limit that the endpoint does not take.
        """
        number, limit = integer(request, "page", 1), integer(request, "limit", self.default)
        if number < 1 or not 1 <= limit <= self.maximum:
            raise BadRequest(f"page must be at least 1, and limit from 1 to {self.maximum}")
        first = (number - 1) * limit
        meta = {"pagination": {"page": number, "limit": limit, "total": len(rows)}}
        return list(rows[first : first + limit]), meta


def integer(request: Request, name: str, default: int) -> int:
    """An integer parameter of the query.

    Raises:
        BadRequest: when it is no integer.
    """
    text = request.query_params.get(name)
    if not text:
        return default
    if not text.isdigit():
        raise BadRequest(f"{name} must be an integer")
    return int(text)


async def json_object(request: Request) -> dict[str, Any]:
    """The body of the request.

    Raises:
        BadRequest: when it is no JSON object.
    """
    try:
        body = await request.json()
    except JSONDecodeError as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("the body is not an object")
    return body
