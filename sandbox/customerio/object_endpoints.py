"""The endpoints of objects and their relationships."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Endpoint, Listing, Single
from sandbox.api.errors import invalid
from sandbox.api.paging import Paging
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import Record
from sandbox.api.tokens import Tokens
from sandbox.api.validation import json_object, parameters
from sandbox.customerio.objects import Objects
from sandbox.customerio.workspace_people import WorkspacePeople

_OBJECT_PAGES = Tokens("obj", default=50, largest=50, clamps=True, repeats_one=True)


def object_endpoints(objects: Objects, people: WorkspacePeople) -> list[Endpoint]:
    """Return the endpoints of objects, and of relationships from both sides."""

    def each(now: datetime) -> list[Arguments]:
        return [
            {"object_type_id": row["object_type_id"], "object_id": row["identifiers"]["cio_object_id"]}
            for row in objects.all(now)
        ]

    return [
        _Search(objects=objects),
        Single(
            path="/objects/{object_type_id}/{object_id}/attributes",
            stream="object_attributes",
            primary_key=("object_type_id", "cio_object_id"),
            data=lambda arguments, now: {"object": objects.one(arguments["object_id"], now)},
            row=lambda data: data["object"],
            of=each,
            resolve=_by_cio_object_id,
            adds={"cio_object_id": "object_id"},
        ),
        Listing(
            path="/objects/{object_type_id}/{object_id}/relationships",
            stream="object_relationships",
            primary_key=("object_type_id", "cio_object_id", "cio_id"),
            key="cio_relationships",
            records=_relationships(objects),
            makes=lambda row: [row | {"cio_id": row["identifiers"]["cio_id"]}],
            envelope=_nested_for_every_second(objects),
            of=each,
            resolve=_by_cio_object_id,
            adds={"cio_object_id": "object_id"},
            paging=Tokens("rel", default=50, largest=50, clamps=True, repeats_one=True),
            null_if_empty=True,
        ),
        Listing(
            path="/customers/{cio_id}/relationships",
            stream="person_relationships",
            primary_key=("cio_id", "object_type_id", "cio_object_id"),
            key="cio_relationships",
            records=lambda arguments, now: objects.related_objects(arguments["cio_id"], now),
            makes=lambda row: [row | {"cio_object_id": row["identifiers"]["cio_object_id"]}],
            of=people.each,
            resolve=people.resolve_any,
            adds={"cio_id": "cio_id"},
            paging=Tokens("rel", default=50, largest=50, clamps=True),
            null_if_empty=True,
        ),
    ]


def _by_cio_object_id(arguments: Arguments) -> Arguments:
    if arguments.get("id_type") != "cio_object_id":
        raise invalid("the sandbox supports only id_type=cio_object_id for objects")
    return arguments


def _relationships(objects: Objects) -> Callable[[Arguments, datetime], list[Record]]:
    def records(arguments: Arguments, now: datetime) -> list[Record]:
        kind = arguments["object_type_id"]
        about = {"object_type_id": kind, "object_type_disabled": kind == "1"}
        people = objects.related_people(arguments["object_id"], now)
        return [{"identifiers": identifiers, **about} for identifiers in people]

    return records


def _nested_for_every_second(objects: Objects) -> Callable[[Arguments, datetime, Record], Record]:
    """Return the envelope; for every second object, the array is nested in another one, as in the documentation."""

    def envelope(arguments: Arguments, now: datetime, data: Record) -> Record:
        page, active = data["cio_relationships"], objects.one(arguments["object_id"], now)["attributes"]["active"]
        return data | {"cio_relationships": [page] if page and active else page}

    return envelope


@dataclass(frozen=True, kw_only=True)
class _Search(Endpoint):
    """The search for objects of one type."""

    path: str = "/objects"
    stream: str = "objects"
    primary_key: tuple[str, ...] = ("object_type_id", "cio_object_id")
    method: str = "POST"
    objects: Objects
    paging: Paging = _OBJECT_PAGES

    def answer(self, request: Request, present: Present) -> Record:
        body = json_object(request)
        object_type, condition = body.get("object_type_id"), body.get("filter")
        if not isinstance(object_type, str) or not isinstance(condition, dict):
            raise invalid("object_type_id, a string, and filter are required")
        rows = self.objects.of(object_type, present.now)
        found = [row["identifiers"] for row in rows if _matches(condition, row, object_type)]
        page = self.paging.page(request, parameters(request, present), present).answer("identifiers", found)
        identifiers, following = page["identifiers"], page["next"]
        ids = [known["object_id"] for known in identifiers]
        return {"identifiers": identifiers or None, "ids": ids or None, "next": following}

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 # a list has no time
        """Return the identifiers of all objects, with their type."""
        return [row["identifiers"] | {"object_type_id": row["object_type_id"]} for row in self.objects.all(present.now)]


def _matches(condition: Json, row: Record, object_type: str) -> bool:
    """Return whether the object has the requested attributes; identifiers are not attributes."""
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
    raise invalid("the filter is malformed, or is for another type of objects")
