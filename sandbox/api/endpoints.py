"""The grammar of endpoints: their responses, and the rows that a connector must read from them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.cursors import Cursors
from sandbox.api.errors import invalid, not_found
from sandbox.api.paging import Paging, Whole
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import Record
from sandbox.api.validation import choice, parameters, values

Parents = Callable[[datetime], Iterable[Arguments]]
"""The objects for each of which an endpoint is read once, at a given time; each as its identifying arguments."""


@dataclass(frozen=True, kw_only=True)
class Operation(ABC):
    """A path that responds.

    Attributes:
        path: the path, with ids in braces.
        method: the HTTP method.
        gate: the feature that the path requires; without it, the response is an error such as 403.
        per_minute: the vendor's limit of requests per minute, if the path has its own.
        public: whether no token is needed.
    """

    path: str
    method: str = "GET"
    gate: str | None = None
    per_minute: int | None = None
    public: bool = False

    @abstractmethod
    def answer(self, request: Request, present: Present) -> Json:
        """Return the response, without the envelope that all of the vendor's responses share.

        Raises:
            ApiError: for a request that the API rejects.
        """


@dataclass(frozen=True, kw_only=True)
class Endpoint(Operation):
    """A path and the stream that is read from it.

    Attributes:
        stream: the name of the stream.
        primary_key: the fields that identify a row.
    """

    stream: str
    primary_key: tuple[str, ...] = ("id",)

    @abstractmethod
    def rows(self, present: Present, start: datetime) -> list[Record]:
        """Return the rows of a complete read; `start` (UTC) only affects streams that are read by time."""


def _workspace(_: datetime) -> list[Arguments]:
    return [{}]


def _as_given(arguments: Arguments) -> Arguments:
    return arguments


class _Index:
    """The parents by their identifying arguments, at one point in time."""

    def __init__(self) -> None:
        self._of: tuple[datetime, Parents, tuple[str, ...]] | None = None
        self._parents: dict[tuple[str, ...], Arguments] = {}

    def find(self, parents: Parents, now: datetime, names: tuple[str, ...], arguments: Arguments) -> Arguments | None:
        if self._of != (now, parents, names):
            self._parents = {tuple(str(each[name]) for name in names): each for each in parents(now)}
            self._of = now, parents, names
        found = self._parents.get(tuple(str(arguments[name]) for name in names))
        if found is None and any(
            isinstance(value, int) and not str(arguments[name]).isdigit()
            for each in list(self._parents.values())[:1]
            for name, value in each.items()
            if name in names
        ):
            raise invalid(f"{arguments[names[-1]]} is not an id")
        return found


@dataclass(frozen=True, kw_only=True)
class OfParents(Endpoint):
    """An endpoint that is read once per parent, or once if its parent is the workspace itself.

    Attributes:
        of: the parents that exist at a given time, as arguments with the names in the path and in `required`; further
            arguments, such as a parent's parent, are allowed. If an id is an integer, a request with another type of
            id is invalid instead of not found.
        kind: the kind of the first parent, as in `Present.removed`; by default the first segment of the path.
        resolve: converts the arguments of a request to the form used by `of`.
        required: query parameters that identify a parent.
        choices: query parameters with their valid values.
        arrays: query parameters that are arrays, with the valid values of their items.
        adds: the fields that a connector adds to a record, with the argument that each contains.
        removes: the fields that a connector leaves out.
    """

    of: Parents = _workspace
    kind: str = ""
    resolve: Callable[[Arguments], Arguments] = _as_given
    required: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    arrays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    adds: Mapping[str, str] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    _index: _Index = field(default_factory=_Index, init=False, repr=False, compare=False)

    @property
    def _known(self) -> frozenset[str]:
        return frozenset(self.required) | self.choices.keys()

    @property
    def _kind(self) -> str:
        return self.kind or self.path.split("/")[1]

    def _arguments(self, request: Request, given: Arguments, present: Present) -> Arguments:
        for name in self.required:
            if name not in given:
                raise invalid(f"{name} is required.", name)
        for name in [name for name in self.choices if name in given]:
            choice(given, name, self.choices[name])
        for name, items in self.arrays.items():
            values(given, name, items)
        arguments = self.resolve({**given, **request.path_params})
        names = (*self.required, *re.findall("{(.+?)}", self.path))
        parent = self._index.find(self.of, present.now, names, arguments) if names else {}
        if parent is None or not present.has(self._kind, {name: parent[name] for name in names}):
            raise not_found()
        return {**arguments, **{name: parent[name] for name in names}}

    def _row(self, record: Record, arguments: Arguments) -> Record:
        kept = {name: value for name, value in record.items() if name not in self.removes}
        return kept | {name: arguments[source] for name, source in self.adds.items()}

    def _existing(self, present: Present) -> list[Arguments]:
        return [arguments for arguments in self.of(present.now) if present.has(self._kind, arguments)]


_USUAL_PAGING = Cursors()
_WHOLE = Whole()


def _itself(record: Record) -> Record:
    return record


def _unchanged(_: Arguments, __: datetime, data: Record) -> Json:
    return data


def _itself_alone(record: Record) -> list[Record]:
    return [record]


@dataclass(frozen=True, kw_only=True)
class Listing(OfParents):
    """An endpoint that lists records page by page.

    Attributes:
        key: the member of the response that contains the records.
        records: returns all records for the arguments of the request at a given time.
        makes: returns the rows that a connector makes of a record, before it adds and removes fields.
        numbered_by: the field in which a connector numbers a parent's records, starting at 0; empty for none.
        envelope: returns the complete response for the arguments, the time, and the page that `paging` returned.
        paging: the pagination; None for an endpoint without pagination parameters.
        null_if_empty: whether an empty list is null.
    """

    key: str
    records: Callable[[Arguments, datetime], list[Json]]
    makes: Callable[[Json], list[Record]] = _itself_alone
    numbered_by: str = ""
    envelope: Callable[[Arguments, datetime, Record], Json] = _unchanged
    paging: Paging | None = _USUAL_PAGING
    null_if_empty: bool = False

    def answer(self, request: Request, present: Present) -> Json:
        """Return a page of the records."""
        paging = self.paging or _WHOLE
        given = parameters(request, present, self._known | paging.parameters, self.arrays)
        arguments = self._arguments(request, given, present)
        data = paging.page(request, given, present).answer(self.key, self.records(arguments, present.now))
        if self.null_if_empty and not data[self.key]:
            data[self.key] = None
        return self.envelope(arguments, present.now, data)

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 # a list has no time
        """Return all records of all parents that exist."""
        return [
            self._row(row | ({self.numbered_by: number} if self.numbered_by else {}), arguments)
            for arguments in self._existing(present)
            for number, record in enumerate(self.records(arguments, present.now))
            for row in self.makes(record)
        ]


@dataclass(frozen=True, kw_only=True)
class Single(OfParents):
    """An endpoint that returns one object and accepts no parameters.

    Attributes:
        data: returns the complete response for the arguments of the request at a given time; None if not found.
        row: returns the row that a connector makes of `data`, or None if it makes none.
    """

    data: Callable[[Arguments, datetime], Record | None]
    row: Callable[[Record], Record | None] = _itself

    def answer(self, request: Request, present: Present) -> Json:
        """Return the object."""
        arguments = self._arguments(request, parameters(request, present, self._known), present)
        data = self.data(arguments, present.now)
        if data is None:
            raise not_found()
        return data

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 # an object has no time
        """Return the object of each parent that exists."""
        answers = [(arguments, self.data(arguments, present.now)) for arguments in self._existing(present)]
        made = [(arguments, self.row(data)) for arguments, data in answers if data is not None]
        return [self._row(row, arguments) for arguments, row in made if row is not None]
