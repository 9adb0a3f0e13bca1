"""The people of the workspace, how requests name them, and the endpoints that find them."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Endpoint
from sandbox.api.errors import invalid
from sandbox.api.paging import Paging
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import Record, epoch
from sandbox.api.tokens import Tokens
from sandbox.api.validation import json_object, parameters
from sandbox.customerio.people import Person

LARGEST_GROUP = 100
_EVERYBODY = {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}


class WorkspacePeople:
    """The people who are in the workspace, in the order of their `cio_id`."""

    def __init__(self, people: list[Person]) -> None:
        self.ever = people
        self._by_cio_id = {person.cio_id: person for person in people}
        self._cio_ids = {person.identifiers["id"]: person.cio_id for person in people}
        self._present: tuple[int, list[Person]] = (0, [])

    def at(self, now: datetime) -> list[Person]:
        """Return those who are there."""
        if self._present[0] != epoch(now):
            self._present = epoch(now), [person for person in self.ever if person.exists(epoch(now))]
        return self._present[1]

    def each(self, now: datetime) -> list[Arguments]:
        """Name each person who is there."""
        return [{"cio_id": person.cio_id} for person in self.at(now)]

    def person(self, cio_id: str) -> Person:
        """Return the person with this `cio_id`, past, present or future.

        Raises:
            KeyError: if there is none.
        """
        return self._by_cio_id[cio_id]

    def find(self, cio_id: str, now: datetime) -> Person | None:
        """Return the person with this `cio_id`, or None if there is none now."""
        person = self._by_cio_id.get(cio_id)
        return person if person and person.exists(epoch(now)) else None

    def resolve(self, arguments: Arguments) -> Arguments:
        """Check that a request names a person by `cio_id`.

        Raises:
            ApiError: 422 for another `id_type`.
        """
        if arguments.get("id_type") != "cio_id":
            raise invalid("the sandbox knows people by id_type=cio_id only, and for relationships by their id too")
        return arguments

    def resolve_any(self, arguments: Arguments) -> Arguments:
        """Return the arguments of a request that names a person by `cio_id` or `id`, with the `cio_id`.

        Raises:
            ApiError: 422 for another `id_type`.
        """
        if arguments.get("id_type") == "id":
            return {**arguments, "cio_id": self._cio_ids.get(arguments["cio_id"], "")}
        return self.resolve(arguments)

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints by which the stream `customers` is read."""
        return [_Search(people=self), _Attributes(people=self)]


@dataclass(frozen=True, kw_only=True)
class _Customers(Endpoint):
    stream: str = "customers"
    primary_key: tuple[str, ...] = ("cio_id",)
    method: str = "POST"
    people: WorkspacePeople

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 - people have no time
        """Return everybody with all attributes."""
        now = epoch(present.now)
        return [person.at(now) | {"cio_id": person.cio_id} for person in self.people.at(present.now)]


@dataclass(frozen=True, kw_only=True)
class _Search(_Customers):
    """The search for people by the attributes that they have."""

    path: str = "/customers"
    paging: Paging = Tokens("cus", default=50, largest=1000, key=lambda person: person.cio_id)  # noqa: RUF009 - frozen

    def answer(self, request: Request, present: Present) -> Record:
        condition = json_object(request).get("filter")
        if not isinstance(condition, dict):
            raise invalid("filter is required")
        people = self.people.at(present.now)
        if condition != _EVERYBODY:
            people = [person for person in people if _matches(condition, person)]
        page = self.paging.page(request, parameters(request, present), present).answer("people", people)
        identifiers = [person.identifiers for person in page["people"]]
        ids = [known["id"] or "" for known in identifiers]
        return {"identifiers": identifiers or None, "ids": ids or None, "next": page["next"]}


@dataclass(frozen=True, kw_only=True)
class _Attributes(_Customers):
    """The attributes of up to a hundred people."""

    path: str = "/customers/attributes"

    def answer(self, request: Request, present: Present) -> Record:
        ids = json_object(request).get("ids")
        if not isinstance(ids, list) or not 0 < len(ids) <= LARGEST_GROUP or not all(isinstance(i, str) for i in ids):
            raise invalid(f"ids must be an array of 1 to {LARGEST_GROUP} strings")
        if parameters(request, present).get("id_type") != "cio_id":
            raise invalid("the sandbox knows people by id_type=cio_id only")
        found = [person for cio_id in ids if (person := self.people.find(cio_id, present.now))]
        return {"customers": [person.at(epoch(present.now)) for person in found]}


def _matches(condition: Json, person: Person) -> bool:
    """Return whether the person has the requested attributes; `and`, `or`, `not` and `exists` are known."""
    match condition:
        case {"and": list(parts)}:
            return all(_matches(part, person) for part in parts)
        case {"or": list(parts)}:
            return any(_matches(part, person) for part in parts)
        case {"not": part}:
            return not _matches(part, person)
        case {"attribute": {"field": "cio_id" | "id" | "email" as field, "operator": "exists"}}:
            return person.identifiers[field] is not None
    raise invalid("the filter is malformed, or not one that the sandbox knows")
