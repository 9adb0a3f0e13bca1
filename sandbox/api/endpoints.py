"""What an endpoint of the API is: how it answers, and which rows a stream that reads it must have."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from starlette.requests import Request

from sandbox.api.errors import ApiError, choice, invalid, parameters, values
from sandbox.api.paging import LARGEST_COUNT, Paging
from sandbox.api.timeline import Record

Arguments: TypeAlias = Mapping[str, str]
"""The arguments of a request by name: the ids in its path, and its query parameters."""


@dataclass(frozen=True)
class Present:
    """The moment of an answer, and what of the API's behaviour can be changed and matters for it."""

    now: datetime
    largest_count: int = LARGEST_COUNT
    removed_ids: frozenset[str] = frozenset()

    def has(self, arguments: Arguments) -> bool:
        """Return whether everything that is asked for still exists."""
        return self.removed_ids.isdisjoint(arguments.values())


@dataclass(frozen=True, kw_only=True)
class Endpoint(ABC):
    """A path, and the stream that is read from it.

    Attributes:
        path: the path, its ids in braces.
        stream: the name of the stream.
        gate: the feature without which the path answers 403.
        per_minute: the requests that the vendor allows in a minute, where it says so for this path.
    """

    path: str
    stream: str
    gate: str | None = None
    per_minute: int | None = None

    @abstractmethod
    def answer(self, request: Request, present: Present) -> Record:
        """Return the `data` of the answer.

        Raises:
            ApiError: for a request that the API rejects.
        """

    @abstractmethod
    def rows(self, present: Present, start: datetime) -> list[Record]:
        """Return what a complete read of the stream must have; `start` matters only to what is read by its time."""


def _workspace(_: datetime) -> list[Arguments]:
    return [{}]


@dataclass(frozen=True, kw_only=True)
class OfParents(Endpoint):
    """An endpoint that is read once per parent, or once if it belongs to the workspace itself.

    Attributes:
        of: what names each of the parents that exist at a moment, by the names of the path and of `required`; it may
            name more, such as a parent's parent.
        required: query parameters that name a parent.
        choices: query parameters with the values that they can have.
        arrays: query parameters that are arrays, with the values that their items can have.
        adds: the fields that a connector adds to a record, and what of `of` they hold.
        removes: the fields that a connector leaves out.
    """

    of: Callable[[datetime], Iterable[Arguments]] = _workspace
    required: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    arrays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    adds: Mapping[str, str] = field(default_factory=dict)
    removes: tuple[str, ...] = ()

    @property
    def _known(self) -> frozenset[str]:
        return frozenset(self.required) | self.choices.keys()

    def _arguments(self, request: Request, given: Arguments, present: Present) -> Arguments:
        for name in self.required:
            if name not in given:
                raise invalid(f"{name} is required.", name)
        for name in self.choices.keys() & given.keys():
            choice(given, name, self.choices[name])
        for name, items in self.arrays.items():
            values(given, name, items)
        arguments = {**given, **request.path_params}
        named = {name: arguments[name] for name in (*self.required, *re.findall("{(.+?)}", self.path))}
        exists = any(named.items() <= each.items() for each in self.of(present.now))
        if not exists or not present.has(named):
            raise ApiError(404, "NotFound", "Resource not found")
        return arguments

    def _row(self, record: Record, arguments: Arguments) -> Record:
        kept = {name: value for name, value in record.items() if name not in self.removes}
        return kept | {name: arguments[source] for name, source in self.adds.items()}

    def _existing(self, present: Present) -> list[Arguments]:
        return [arguments for arguments in self.of(present.now) if present.has(arguments)]


_USUAL_PAGING = Paging()


def _itself(record: Record) -> Record:
    return record


def _nothing(_: Arguments) -> Record:
    return {}


def _itself_alone(record: Record) -> list[Record]:
    return [record]


@dataclass(frozen=True, kw_only=True)
class Listing(OfParents):
    """An endpoint that lists records page by page.

    Attributes:
        key: the member of `data` that has the records.
        records: all records, by what the request names and the moment.
        makes: the rows that a connector makes of a record, before it adds and removes fields.
        beside: what `data` has beside the records.
        paging: how it pages; None if it takes no paging parameters.
        null_if_empty: whether an empty list is null.
    """

    key: str
    records: Callable[[Arguments, datetime], list[Any]]
    makes: Callable[[Any], list[Record]] = _itself_alone
    beside: Callable[[Arguments], Record] = _nothing
    paging: Paging | None = _USUAL_PAGING
    null_if_empty: bool = False

    def answer(self, request: Request, present: Present) -> Record:
        """Return a page of the records."""
        paging = self.paging or Paging(silent=True)
        known = self._known | (paging.parameters if self.paging else frozenset())
        given = parameters(request, known, self.arrays)
        arguments = self._arguments(request, given, present)
        page = paging.page(request, given, present.largest_count)
        data = page.answer(self.key, self.records(arguments, present.now))
        data |= self.beside(arguments)
        return data | {self.key: None} if self.null_if_empty and not data[self.key] else data

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 - a list has no time
        """Return all records of all parents that exist."""
        return [
            self._row(row, arguments)
            for arguments in self._existing(present)
            for record in self.records(arguments, present.now)
            for row in self.makes(record)
        ]


@dataclass(frozen=True, kw_only=True)
class Single(OfParents):
    """An endpoint that answers with one object and takes no parameters.

    Attributes:
        data: the whole `data` of the answer, by what the request names and the moment; None to answer 404.
        row: the row that a connector makes of `data`, or None where there is nothing to read.
    """

    data: Callable[[Arguments, datetime], Record | None]
    row: Callable[[Record], Record | None] = _itself

    def answer(self, request: Request, present: Present) -> Record:
        """Return the object."""
        data = self.data(self._arguments(request, parameters(request, self._known), present), present.now)
        if data is None:
            raise ApiError(404, "NotFound", "Resource not found")
        return data

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 - an object has no time
        """Return the object of each parent that exists."""
        answers = [(arguments, self.data(arguments, present.now)) for arguments in self._existing(present)]
        made = [(arguments, self.row(data)) for arguments, data in answers if data is not None]
        return [self._row(row, arguments) for arguments, row in made if row is not None]
