"""What the endpoints of objects answer."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request

from sandbox.customerio.history import Row
from sandbox.customerio.objects import Objects
from sandbox.customerio.paging import BadRequest, Pages, json_object
from sandbox.customerio.resources import ChildList, Endpoint, Parents, Resource

_OBJECT_PAGES = Pages[Row]("obj", default=50, maximum=50, clamps=True)
_RELATIONSHIP_PAGES = Pages[Row]("rel", default=50, maximum=50, clamps=True)


class _ObjectResource:
    def __init__(self, objects: Objects, now: Callable[[], int]) -> None:
        self._objects = objects
        self._now = now

    def _present(self, parents: Parents) -> list[Row]:
        return parents.parents("objects")

    def _named(self, parents: Parents, request: Request) -> Row:
        """The object that the path names.

        Raises:
            BadRequest: for a name that is not the object's `cio_object_id`.
            NotFound: if there is no such object of that type.
        """
        if request.query_params.get("id_type") != "cio_object_id":
            raise BadRequest("the sandbox knows objects by id_type=cio_object_id only")
        return parents.parent("objects", f"{request.path_params['object_type_id']}/{request.path_params['object_id']}")


class _Search(_ObjectResource):
    stream = "objects"

    def endpoint(self, _: Parents) -> Endpoint:
        """The endpoint; every page but the first begins with the last object of the page before."""

        async def answer(request: Request) -> Row:
            body = await json_object(request)
            object_type, condition = body.get("object_type_id"), body.get("filter")
            if not isinstance(object_type, str) or not isinstance(condition, dict):
                raise BadRequest("object_type_id, a text, and filter are required")
            rows = [row for row in self._objects.of(object_type, self._now()) if _matches(condition, row, object_type)]
            page, following = _OBJECT_PAGES.page(request, rows)
            identifiers = [row["identifiers"] for row in _repeating_one(rows, page)]
            ids = [known["object_id"] for known in identifiers]
            return {"identifiers": identifiers or None, "ids": ids or None, "next": following}

        return Endpoint("objects", answer, method="POST")

    def expected(self, _: Parents) -> list[Row]:
        """The identifiers of all objects, with their type."""
        return [
            row["identifiers"] | {"object_type_id": row["object_type_id"]} for row in self._objects.all(self._now())
        ]


class _Attributes(_ObjectResource):
    stream = "object_attributes"

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint."""

        async def answer(request: Request) -> Row:
            return {"object": self._named(parents, request)}

        return Endpoint("objects/{object_type_id}/{object_id}/attributes", answer)

    def expected(self, parents: Parents) -> list[Row]:
        """One row an object."""
        return [row | {"cio_object_id": row["identifiers"]["cio_object_id"]} for row in self._present(parents)]


class _Relationships(_ObjectResource):
    stream = "object_relationships"

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint; of every second object the array is inside of another one, as the documentation shows it."""

        async def answer(request: Request) -> Row:
            row = self._named(parents, request)
            rows = self._rows(row)
            page, following = _RELATIONSHIP_PAGES.page(request, rows)
            page = _repeating_one(rows, page)
            nested = [page] if page and row["attributes"]["active"] else page
            return {"cio_relationships": nested or None, "next": following}

        return Endpoint("objects/{object_type_id}/{object_id}/relationships", answer)

    def expected(self, parents: Parents) -> list[Row]:
        """One row an object and person."""
        return [
            related | {"cio_object_id": row["identifiers"]["cio_object_id"], "cio_id": related["identifiers"]["cio_id"]}
            for row in self._present(parents)
            for related in self._rows(row)
        ]

    def _rows(self, row: Row) -> list[Row]:
        about = {"object_type_id": row["object_type_id"], "object_type_disabled": row["object_type_id"] == "1"}
        people = self._objects.related_people(row["identifiers"]["cio_object_id"], self._now())
        return [{"identifiers": identifiers, **about} for identifiers in people]


def object_resources(objects: Objects, now: Callable[[], int]) -> list[Resource]:
    """The streams of objects and of relationships, from both sides."""
    return [
        _Search(objects, now),
        _Attributes(objects, now),
        _Relationships(objects, now),
        ChildList(
            "person_relationships",
            "customers/{cio_id}/relationships",
            "cio_relationships",
            lambda person: objects.related_objects(person["cio_id"], now()),
            _RELATIONSHIP_PAGES,
            null_when_empty=True,
            emitted=lambda row: row | {"cio_object_id": row["identifiers"]["cio_object_id"]},
        ),
    ]


def _repeating_one(rows: Sequence[Row], page: list[Row]) -> list[Row]:
    """The page with the row before it, since a row can be on two pages."""
    first = rows.index(page[0]) if page else 0
    return [*rows[max(first - 1, 0) : first], *page]


def _matches(condition: Any, row: Row, object_type: str) -> bool:  # noqa: ANN401 # the body of a request
    """Whether the object has the attributes that the filter asks for; what identifies an object is no attribute."""
    match condition:
        case {"and": list(parts)}:
            return all(_matches(part, row, object_type) for part in parts)
        case {"or": list(parts)}:
            return any(_matches(part, row, object_type) for part in parts)
        case {"not": part}:
            return not _matches(part, row, object_type)
        case {"object_attribute": {"field": str(field), "operator": "exists", "type_id": str(kind)}}:
            if kind == object_type:
                return field in row["attributes"]
        case {"object_attribute": {"field": str(field), "operator": "eq", "value": value, "type_id": str(kind)}}:
            if kind == object_type:
                return bool(row["attributes"].get(field) == value)
    raise BadRequest("the filter is malformed, or names another type of objects")
