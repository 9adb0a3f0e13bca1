"""Pagination: the interface and the simple kinds."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.errors import invalid
from sandbox.api.present import Present
from sandbox.api.timeline import Record
from sandbox.api.validation import integer


class Page(ABC):
    """The requested page of a list."""

    @abstractmethod
    def answer(self, key: str, records: Sequence[Json]) -> Record:
        """Return the records on this page under `key`, and the members that link to other pages."""


class Paging(ABC):
    """The pagination of an endpoint."""

    @property
    def parameters(self) -> frozenset[str]:
        """The query parameters that request a page."""
        return frozenset()

    @abstractmethod
    def page(self, request: Request, given: Mapping[str, str], present: Present) -> Page:
        """Return the page that the query parameters request.

        Raises:
            ApiError: for parameters that the endpoint rejects.
        """


@dataclass(frozen=True)
class Whole(Paging, Page):
    """No pagination: one response contains the complete list."""

    def page(self, request: Request, given: Mapping[str, str], present: Present) -> Page:  # noqa: ARG002 # as declared
        """Return the only page."""
        return self

    def answer(self, key: str, records: Sequence[Json]) -> Record:
        """Return all records."""
        return {key: records}


@dataclass(frozen=True)
class NumberedPages(Paging):
    """Pages numbered from 1, empty past the end; the response contains the total.

    Attributes:
        default: the default page size.
        largest: the largest page size that may be requested.
    """

    default: int
    largest: int

    def page(self, request: Request, given: Mapping[str, str], present: Present) -> Page:  # noqa: ARG002 # as declared
        """Return the page number `page` of size `limit`."""
        number, limit = integer(given, "page", 1), integer(given, "limit", self.default)
        if number < 1 or not 1 <= limit <= self.largest:
            raise invalid(f"page must be at least 1, and limit from 1 to {self.largest}")
        return _NumberedPage(number, limit)


@dataclass(frozen=True)
class _NumberedPage(Page):
    number: int
    limit: int

    def answer(self, key: str, records: Sequence[Json]) -> Record:
        first = (self.number - 1) * self.limit
        pagination = {"page": self.number, "limit": self.limit, "total": len(records)}
        return {key: records[first : first + self.limit], "meta": {"pagination": pagination}}


@dataclass(frozen=True)
class Offsets(Paging):
    """Pages by `limit` and `offset`; the response has no links to other pages.

    Attributes:
        default: the default page size.
        largest: the largest page size that may be requested.
    """

    default: int
    largest: int

    def page(self, request: Request, given: Mapping[str, str], present: Present) -> Page:  # noqa: ARG002 # as declared
        """Return the page of size `limit` that starts at `offset`."""
        limit = integer(given, "limit", self.default)
        if limit > self.largest:
            raise invalid(f"limit must not exceed {self.largest}", "limit")
        return _OffsetPage(integer(given, "offset", 0), limit)


@dataclass(frozen=True)
class _OffsetPage(Page):
    offset: int
    limit: int

    def answer(self, key: str, records: Sequence[Json]) -> Record:
        return {key: records[self.offset : self.offset + self.limit]}
