"""The people in the workspace, their ids in requests, and the endpoints that find them."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Endpoint
from sandbox.api.errors import invalid
from sandbox.api.paging import Paging
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import Dated, Record, epoch, visible
from sandbox.api.tokens import Tokens
from sandbox.api.validation import json_object, parameters
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.people import Person, number_of

PREFIX = "cio_"
LARGEST_GROUP = 100
MEMBERLESS = 9
"""The last digit of the ids of segments without members."""
_EVERYBODY = {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}


class WorkspacePeople:
    """The people in the workspace, in the order of their `cio_id`."""

    def __init__(self, people: list[Person], segments: list[Dated], behaviour: Behaviour) -> None:
        """Use these people, past and future, and the segments that they can be members of."""
        self.behaviour = behaviour
        self._segments = segments
        self.ever = people
        self._by_cio_id = {person.cio_id: person for person in people}
        self._cio_ids = {person.identifiers["id"]: person.cio_id for person in people}
        self._present: tuple[int, list[Person]] = (0, [])

    def at(self, now: datetime) -> list[Person]:
        """Return the people in the workspace."""
        if self._present[0] != epoch(now):
            self._present = epoch(now), [person for person in self.ever if person.exists(epoch(now))]
        return self._present[1]

    def each(self, now: datetime) -> list[Arguments]:
        """Return the `cio_id` of each person in the workspace."""
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
        """Return the arguments of a request that identifies a person by `cio_id`, without its prefix.

        Raises:
            ApiError: 422 for another `id_type`.
        """
        if arguments.get("id_type") != "cio_id":
            raise invalid("the sandbox supports only id_type=cio_id for people, and id_type=id for their relationships")
        return {**arguments, "cio_id": bare_cio_id(arguments["cio_id"], self.behaviour.cio_id_in_paths)}

    def resolve_any(self, arguments: Arguments) -> Arguments:
        """Return the arguments of a request that identifies a person by `cio_id` or `id`, with the `cio_id`.

        Raises:
            ApiError: 422 for another `id_type`.
        """
        if arguments.get("id_type") == "id":
            return {**arguments, "cio_id": self._cio_ids.get(arguments["cio_id"], "")}
        return self.resolve(arguments)

    def segments_of(self, cio_id: str, now: datetime) -> list[Record]:
        """Return the segments that a person is in."""
        number = number_of(cio_id)
        return [
            segment
            for segment in visible(self._segments, now)
            if segment["id"] % 10 != MEMBERLESS and number % (17 * segment["id"]) == segment["id"]
        ]

    def members(self, segment: int, now: datetime) -> list[Person]:
        """Return the members of a segment, in the order of `cio_id`."""
        if segment % 10 == MEMBERLESS:
            return []
        return [person for person in self.ever[segment - 1 :: 17 * segment] if person.exists(epoch(now))]

    def matches(self, condition: Json, person: Person, now: datetime) -> bool:
        """Return whether a person matches the filter of a request.

        Raises:
            ApiError: 422 unless it consists of `and`, `or`, `not`, `segment`, and `attribute` with `exists`.
        """
        match condition:
            case {"and": list(parts)}:
                return all(self.matches(part, person, now) for part in parts)
            case {"or": list(parts)}:
                return any(self.matches(part, person, now) for part in parts)
            case {"not": part}:
                return not self.matches(part, person, now)
            case {"segment": {"id": int(segment)}}:
                return segment in {each["id"] for each in self.segments_of(person.cio_id, now)}
            case {"attribute": {"field": "cio_id" | "id" | "email" as field, "operator": "exists"}}:
                return person.identifiers[field] is not None
        raise invalid("the filter is malformed, or not supported by the sandbox")

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints from which the stream `customers` is read."""
        return [_Search(people=self), _Attributes(people=self)]


@dataclass(frozen=True, kw_only=True)
class _Customers(Endpoint):
    stream: str = "customers"
    primary_key: tuple[str, ...] = ("cio_id",)
    method: str = "POST"
    people: WorkspacePeople

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 # people have no time
        """Return all people with all attributes."""
        now = epoch(present.now)
        return [person.at(now) | {"cio_id": person.cio_id} for person in self.people.at(present.now)]


@dataclass(frozen=True, kw_only=True)
class _Search(_Customers):
    """The search for people by the attributes that they have."""

    path: str = "/customers"
    paging: Paging = Tokens("cus", default=50, largest=1000, key=lambda person: person.cio_id)  # noqa: RUF009 # frozen

    def answer(self, request: Request, present: Present) -> Record:
        condition = json_object(request).get("filter")
        if not isinstance(condition, dict):
            raise invalid("filter is required")
        people = self.people.at(present.now)
        if condition != _EVERYBODY:
            people = [person for person in people if self.people.matches(condition, person, present.now)]
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
            raise invalid("the sandbox supports only id_type=cio_id for people")
        form, now = self.people.behaviour.cio_id_in_attributes, present.now
        found = [person for cio_id in ids if (person := self.people.find(bare_cio_id(cio_id, form), now))]
        return {"customers": [person.at(epoch(present.now)) for person in found]}


def bare_cio_id(cio_id: str, form: str) -> str:
    """Return a `cio_id` without its prefix, or an empty string if it does not have the accepted form."""
    bare = cio_id.removeprefix(PREFIX)
    if form == "both":
        return bare
    return bare if (bare != cio_id) == (form == "prefixed") else ""
