"""Customer.io's App API over a `CustomerioWorld`."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from sandbox.customerio.activities import Activity
from sandbox.customerio.days import http_date
from sandbox.customerio.deliveries import Delivery
from sandbox.customerio.history import DAY, Row
from sandbox.customerio.limits import SharedBucket
from sandbox.customerio.paging import BadRequest, Pages, integer, json_object
from sandbox.customerio.people import Person
from sandbox.customerio.resources import Handler, NotFound
from sandbox.customerio.senders import SUPPRESSION_CATEGORIES
from sandbox.customerio.world import CustomerioWorld

LONGEST_WINDOW = 183 * DAY
LARGEST_GROUP = 100

_DELIVERY_PAGES = Pages[Delivery]("v20", default=50, maximum=1000, clamps=True)
_ACTIVITY_PAGES = Pages[Activity]("act", default=10, maximum=100)
_PERSON_PAGES = Pages[Person]("cus", default=50, maximum=1000)
_NEWSLETTER_PAGES = Pages[Row]("nws", default=50, maximum=100, ends_empty=True)
_SENDER_PAGES = Pages[Row]("snd", default=50, maximum=100, ends_empty=True)

_WHOLE_LISTS = {
    "campaigns": ("campaigns", "campaigns"),
    "broadcasts": ("broadcasts", "broadcasts"),
    "segments": ("segments", "segments"),
    "transactional": ("transactional_messages", "messages"),
    "exports": ("exports", "exports"),
    "snippets": ("snippets", "snippets"),
    "collections": ("collections", "collections"),
    "subscription_topics": ("topics", "topics"),
    "object_types": ("types", "types"),
    "reporting_webhooks": ("reporting_webhooks", "reporting_webhooks"),
}
"""The lists that are never paged: path, name of the stream, key of the envelope."""
_EVERYBODY = {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}
_NULL_WHEN_EMPTY = {"collections", "exports", "reporting_webhooks"}


def customerio_api(world: CustomerioWorld) -> Starlette:
    """The API of both regions, mounted at `/us` and `/eu`; each takes its own key only.

    Parameters that an endpoint does not know are ignored, and an unrouted path is answered in plain text, as
    Customer.io does.
    """
    bucket = SharedBucket(world)
    return Starlette(
        routes=[Mount(f"/{region}/v1", app=_region(world, bucket, key)) for region, key in world.region_keys.items()],
        exception_handlers={404: _not_routed},
    )


def _region(world: CustomerioWorld, bucket: SharedBucket, key: str) -> Starlette:
    endpoints = _Endpoints(world)

    def guarded(handler: Handler, *, public: bool = False) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if not public and request.headers.get("authorization") != f"Bearer {key}":
                return _error(401, "unauthorized")
            refusal = bucket.refusal()
            if refusal:
                return refusal
            request.scope["largest_page"] = world.largest_page
            try:
                return JSONResponse(await handler(request))
            except BadRequest as error:
                return _error(400, str(error))
            except NotFound:
                return _error(404, "not found")

        async def dated(request: Request) -> Response:
            response = await answer(request)
            response.headers["date"] = http_date(world.now)
            return response

        return dated

    routes = [Route(f"/{path}", guarded(endpoints.whole(*names))) for path, names in _WHOLE_LISTS.items()]
    routes += [
        Route(f"/{endpoint.path}", guarded(endpoint.answer), methods=[endpoint.method])
        for endpoint in (resource.endpoint(world) for resource in (*world.resources, *world.metrics))
    ]
    routes += [
        Route("/workspaces", guarded(endpoints.workspaces)),
        Route("/info/ip_addresses", guarded(endpoints.ip_addresses, public=True)),
        Route("/newsletters", guarded(endpoints.newsletters)),
        Route("/sender_identities", guarded(endpoints.sender_identities)),
        Route("/messages", guarded(endpoints.messages)),
        Route("/activities", guarded(endpoints.activities)),
        Route("/customers", guarded(endpoints.search), methods=["POST"]),
        Route("/customers/attributes", guarded(endpoints.attributes), methods=["POST"]),
        Route("/esp/suppression/{kind}", guarded(endpoints.suppression)),
    ]
    return Starlette(routes=routes, exception_handlers={404: _not_routed})


async def _not_routed(_: Request, __: Exception) -> Response:
    return PlainTextResponse("404 page not found\n", status_code=404)


def _error(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"errors": [{"detail": detail, "status": str(status)}]}, status_code=status)


class _Endpoints:
    """What each endpoint answers."""

    def __init__(self, world: CustomerioWorld) -> None:
        self._world = world

    def whole(self, stream: str, envelope: str) -> Handler:
        async def answer(_: Request) -> dict[str, Any]:
            rows = self._world.listed(stream)
            return {envelope: None if not rows and envelope in _NULL_WHEN_EMPTY else rows}

        return answer

    async def workspaces(self, _: Request) -> dict[str, Any]:
        return {"workspaces": self._world.workspaces()}

    async def ip_addresses(self, _: Request) -> dict[str, Any]:
        return {"ip_addresses": self._world.ip_addresses}

    async def newsletters(self, request: Request) -> dict[str, Any]:
        rows = self._world.listed("newsletters")
        if request.query_params.get("sort") != "asc":
            rows.reverse()
        page, following = _NEWSLETTER_PAGES.page(request, rows)
        return {"newsletters": page, "next": following}

    async def sender_identities(self, request: Request) -> dict[str, Any]:
        hidden = request.query_params.get("hidden") == "true"
        rows = [row for row in self._world.senders.at(self._world.now) if row["hidden"] == hidden]
        page, following = _SENDER_PAGES.page(request, rows)
        return {"sender_identities": page, "next": following}

    async def messages(self, request: Request) -> dict[str, Any]:
        now = self._world.now
        end = integer(request, "end_ts", now)
        start = max(integer(request, "start_ts", 0), min(end, now) - LONGEST_WINDOW)
        drafts = request.query_params.get("drafts") == "true"
        page, following = _DELIVERY_PAGES.page(request, self._world.deliveries(start, end, drafts=drafts))
        rows = [delivery.at(now) for delivery in page]
        if request.query_params.get("get_tracked_responses") != "true":
            for row in rows:
                row.pop("tracked_responses", None)
        return {"messages": rows, "next": following}

    async def activities(self, request: Request) -> dict[str, Any]:
        page, following = _ACTIVITY_PAGES.page(request, self._world.activities())
        return {"activities": [activity.row for activity in page], "next": following}

    async def search(self, request: Request) -> dict[str, Any]:
        body = await json_object(request)
        if not isinstance(body.get("filter"), dict):
            raise BadRequest("filter is required")
        people = self._world.present_people()
        if body["filter"] != _EVERYBODY:
            people = [person for person in people if _matches(body["filter"], person)]
        page, following = _PERSON_PAGES.page(request, people, lambda person: person.cio_id)
        identifiers = [person.identifiers for person in page]
        ids = [known["id"] or "" for known in identifiers]
        return {"identifiers": identifiers or None, "ids": ids or None, "next": following}

    async def attributes(self, request: Request) -> dict[str, Any]:
        ids = (await json_object(request)).get("ids")
        if not isinstance(ids, list) or not 0 < len(ids) <= LARGEST_GROUP or not all(isinstance(i, str) for i in ids):
            raise BadRequest(f"ids must be an array of 1 to {LARGEST_GROUP} strings")
        if request.query_params.get("id_type") != "cio_id":
            raise BadRequest("the sandbox knows people by id_type=cio_id only")
        people = [person for cio_id in ids if (person := self._world.person(cio_id))]
        return {"customers": [person.at(self._world.now) for person in people]}

    async def suppression(self, request: Request) -> dict[str, Any]:
        kind = request.path_params["kind"]
        if kind not in SUPPRESSION_CATEGORIES:
            raise BadRequest(f"unknown suppression type {kind}")
        limit = integer(request, "limit", 100)
        if limit > 1000:  # noqa: PLR2004 # the documented maximum
            raise BadRequest("limit must not exceed 1000")
        offset = integer(request, "offset", 0)
        rows = self._world.suppressions(kind, request.query_params.get("domain") or None)[offset : offset + limit]
        return {"category": SUPPRESSION_CATEGORIES[kind], "suppressions": rows} if rows else {"suppressions": None}


def _matches(condition: Any, person: Person) -> bool:  # noqa: ANN401 # the body of a request
    """Whether the person has the attributes that the filter asks for; `and`, `or`, `not` and `exists` are known."""
    match condition:
        case {"and": list(parts)}:
            return all(_matches(part, person) for part in parts)
        case {"or": list(parts)}:
            return any(_matches(part, person) for part in parts)
        case {"not": part}:
            return not _matches(part, person)
        case {"attribute": {"field": "cio_id" | "id" | "email" as field, "operator": "exists"}}:
            return person.identifiers[field] is not None
    raise BadRequest("the filter is malformed, or not one that the sandbox knows")
