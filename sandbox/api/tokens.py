"""Pagination by opaque `start` tokens, as in Customer.io's API."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.errors import invalid
from sandbox.api.paging import Page, Paging
from sandbox.api.present import Present
from sandbox.api.timeline import Record
from sandbox.api.validation import integer


@dataclass(frozen=True)
class Tokens(Paging):
    """Pages by `start` and `limit`; `next` contains the token of the next page.

    Attributes:
        name: the prefix of the endpoint's tokens, which are invalid for other endpoints and other parents.
        default: the default page size.
        largest: the largest page size that may be requested.
        key: the sort key of the records, if tokens refer to the last record of a page, so that a deleted record shifts
            nothing; None if they are positions, where a position past the end leads to the first page.
        clamps: whether a `limit` above the largest is lowered instead of rejected.
        ignores_limit: whether every page has the largest size, regardless of the requested one.
        ends_empty: whether the last page has a `next` too, which leads to an empty page.
        bare_end: whether the last page has no `next` at all, instead of an empty one.
        repeats_one: whether every page except the first begins with the last record of the previous page.
        parameter: the parameter for the token.
        following: the member of the response that contains the next token.
    """

    name: str
    default: int
    largest: int
    key: Callable[[Json], str] | None = None
    clamps: bool = False
    ignores_limit: bool = False
    ends_empty: bool = False
    bare_end: bool = False
    repeats_one: bool = False
    parameter: str = "start"
    following: str = "next"

    def page(self, request: Request, given: Mapping[str, str], present: Present) -> Page:
        """Return the page after the token `start`."""
        scope = "/".join([self.name, *map(str, request.path_params.values())])
        limit = self.largest if self.ignores_limit else integer(given, "limit", self.default)
        if limit > self.largest and not self.clamps:
            raise invalid(f"limit must not exceed {self.largest}", "limit")
        limit = min(max(limit, 1), self.largest, present.largest_page or self.largest)
        token = given.get(self.parameter)
        position = _decoded(token, scope) if token else None
        if position and not self.key and not position.isdigit():
            raise invalid("invalid start token", "start")
        return TokenPage(self, scope, position, limit)


@dataclass(frozen=True)
class TokenPage(Page):
    """The page after a position, which is None for the first page."""

    tokens: Tokens
    scope: str
    position: str | None
    limit: int

    def answer(self, key: str, records: Sequence[Json]) -> Record:
        """Return the records on this page, and `next`."""
        start = self._start(records)
        end = start + self.limit
        following = self._following(records, start, end)
        first = max(start - 1, 0) if self.tokens.repeats_one and start < len(records) else start
        page = {key: list(records[first:end])}
        return page if self.tokens.bare_end and not following else {**page, self.tokens.following: following}

    def _start(self, records: Sequence[Json]) -> int:
        if self.position is None:
            return 0
        if self.tokens.key:
            return bisect_right(records, self.position, key=self.tokens.key)
        start = int(self.position)
        return start if start < len(records) or self.tokens.ends_empty else 0

    def _following(self, records: Sequence[Json], start: int, end: int) -> str:
        if start >= len(records) if self.tokens.ends_empty else end >= len(records):
            return ""
        last = min(end, len(records))
        position = self.tokens.key(records[last - 1]) if self.tokens.key else str(last)
        return base64.b64encode(f"{self.scope}:{position}".encode()).decode()


def _decoded(token: str, scope: str) -> str:
    try:
        name, _, position = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = position = ""
    if name != scope:
        raise invalid("invalid start token", "start")
    return position
