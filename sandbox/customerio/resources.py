"""What can be read of the simulated workspace: each resource knows its endpoint, and what the connector makes of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from starlette.requests import Request

from sandbox.customerio.history import Row
from sandbox.customerio.paging import BadRequest, Pages

Handler = Callable[[Request], Awaitable[Any]]


class NotFound(Exception):  # noqa: N818 # the vendor's word for status 404
    """An object that the request names and that the workspace has not."""


@dataclass(frozen=True)
class Endpoint:
    """A path below `/v1` and what it answers."""

    path: str
    answer: Handler
    method: str = "GET"


class Parents(Protocol):
    """Where the objects are found that have endpoints below them. A kind is the first step of their path."""

    def parents(self, kind: str) -> list[Row]:
        """All objects of the kind that have endpoints now."""

    def parent(self, kind: str, identifier: str) -> Row:
        """The object of the kind with the identifier of the path.

        Raises:
            BadRequest: for an identifier that is malformed.
            NotFound: for an object that there is not, or no more.
        """


class Resource(Protocol):
    """A stream and its endpoint."""

    @property
    def stream(self) -> str:
        """The name of the stream."""

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint."""

    def expected(self, parents: Parents) -> list[Row]:
        """The rows that a complete sync of the stream holds now, as source-customerio emits them."""


def identity(row: Row) -> Any:  # noqa: ANN401 # an integer or a text
    """What a path calls the object: a person's `cio_id`, an object's type and `cio_object_id`, else the `id`."""
    if "object_type_id" in row and "identifiers" in row:
        return f"{row['object_type_id']}/{row['identifiers']['cio_object_id']}"
    return row["cio_id"] if "cio_id" in row else row["id"]


@dataclass(frozen=True)
class _Child:
    stream: str
    path: str
    """The first step is the kind of the parents; its parameter is the field that the connector adds to each record."""

    def _ids(self, parent: Row) -> Row:
        return {self._parameter: identity(parent)}

    def _parent(self, parents: Parents, request: Request) -> Row:
        identifier, id_type = request.path_params[self._parameter], request.query_params.get("id_type")
        if self._kind == "customers" and id_type == "id" and self.stream == "person_relationships":
            people = (person["cio_id"] for person in parents.parents("customers") if person["id"] == identifier)
            identifier = next(people, "")
        elif self._kind == "customers" and id_type != "cio_id":
            raise BadRequest("the sandbox knows people by id_type=cio_id only, and for relationships by their id too")
        return parents.parent(self._kind, identifier)

    @property
    def _kind(self) -> str:
        return self.path.partition("/")[0]

    @property
    def _parameter(self) -> str:
        return self.path.partition("{")[2].partition("}")[0]


@dataclass(frozen=True)
class ChildList(_Child):
    """A list below each parent."""

    envelope: str
    rows: Callable[[Row], list[Row]]
    """The rows of a parent as the API lists them."""
    pages: Pages[Row] | None = None
    """None for a list that has neither pages nor `next`. A token is good for one parent only."""
    page_key: Callable[[Row], str] | None = None
    """What the rows are ordered by, if a deleted row shifts nothing."""
    bare_end: bool = False
    """Whether the last page has no `next` at all, instead of an empty one."""
    null_when_empty: bool = False
    emitted: Callable[[Row], Row] = dict
    """A row as the connector emits it, without the parent's id."""

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint, which takes `start` and `limit` if the list is paged."""

        async def answer(request: Request) -> dict[str, Any]:
            parent = self._parent(parents, request)
            rows = self.rows(parent)
            body: dict[str, Any] = {}
            if self.pages:
                pages = replace(self.pages, version=f"{self.pages.version}/{identity(parent)}")
                rows, following = pages.page(request, rows, self.page_key)
                body = {} if self.bare_end and not following else {"next": following}
            return {self.envelope: None if self.null_when_empty and not rows else rows, **body}

        return Endpoint(self.path, answer)

    def expected(self, parents: Parents) -> list[Row]:
        """The rows of all parents."""
        return [
            self.emitted(row) | self._ids(parent) for parent in parents.parents(self._kind) for row in self.rows(parent)
        ]


@dataclass(frozen=True)
class ChildRecord(_Child):
    """One object below each parent."""

    record: Callable[[Row], Row]
    """The record of a parent, as the API gives it inside of its envelope."""
    enveloped: Callable[[Row, Row], Any] = lambda _, record: record
    """The body of the answer, of the parent and the record."""

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint."""

        async def answer(request: Request) -> Any:  # noqa: ANN401 # whatever the envelope is
            parent = self._parent(parents, request)
            return self.enveloped(parent, self.record(parent))

        return Endpoint(self.path, answer)

    def expected(self, parents: Parents) -> list[Row]:
        """One row a parent."""
        return [self.record(parent) | self._ids(parent) for parent in parents.parents(self._kind)]


@dataclass(frozen=True)
class PlainList:
    """A list of the whole workspace."""

    stream: str
    path: str
    answer: Handler
    rows: Callable[[], list[Row]]

    def endpoint(self, _: Parents) -> Endpoint:
        """The endpoint."""
        return Endpoint(self.path, self.answer)

    def expected(self, _: Parents) -> list[Row]:
        """The rows as they are listed."""
        return self.rows()
