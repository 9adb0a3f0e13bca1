"""The endpoints of the Segment Public API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from sandbox.segment.access import AccessControl
from sandbox.segment.audit_trail import RETENTION
from sandbox.segment.paging import PARAMETERS, LastNext, Page
from sandbox.segment.seeded import Record
from sandbox.segment.usage import UsageRows
from sandbox.segment.validation import (
    RequestRefused,
    answer_refusal,
    invalid,
    moment,
    parameters,
    usage_period,
    window,
)
from sandbox.segment.world import DELIVERY_METRICS_REACH, GATES, SegmentWorld


@dataclass(frozen=True)
class _Limits:
    """How far back a granularity of delivery metrics reaches, how long a window may be, and its default length."""

    reach: timedelta
    longest: timedelta
    default: timedelta


_GRANULARITIES = {
    "MINUTE": _Limits(timedelta(hours=48), timedelta(hours=4), timedelta(hours=1)),
    "HOUR": _Limits(timedelta(days=7), timedelta(days=7), timedelta(days=7)),
    "DAY": _Limits(DELIVERY_METRICS_REACH, DELIVERY_METRICS_REACH, timedelta(days=30)),
}


def segment_api(world: SegmentWorld) -> Starlette:
    """Return the API of both regions, at `/us` and `/eu`."""
    return Starlette(routes=[Mount(f"/{region}", _region(world, region)) for region in world.region_tokens])


def _region(world: SegmentWorld, region: str) -> Starlette:
    app = Starlette(
        routes=_Endpoints(world).routes(),
        middleware=[Middleware(AccessControl, world, region)],
        exception_handlers={RequestRefused: answer_refusal, HTTPException: answer_refusal},
    )
    app.router.redirect_slashes = False
    return app


@dataclass(frozen=True)
class _Listing:
    """An endpoint that lists records page by page, and the vendor's inconsistencies about the last page."""

    path: str
    key: str
    records: Callable[[Request], list[Record]]
    last_next: LastNext = LastNext.ABSENT
    with_total: bool = True
    filters: frozenset[str] = frozenset()
    gate: str | None = None


class _Endpoints:
    """Answers every request from the world's present."""

    def __init__(self, world: SegmentWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return a route for every endpoint."""
        return [
            Route("/", self._workspace),
            Route("/audit-events", self._audit_events),
            Route("/destinations/{destinationId}/delivery-metrics", self._delivery_metrics),
            *map(self._route, self._listings() + self._usage_listings()),
        ]

    def _listings(self) -> list[_Listing]:
        world, catalog = self._world, self._world.catalog
        return [
            _Listing("/catalog/destinations", "destinationsCatalog", lambda _: catalog.destinations),
            _Listing("/catalog/sources", "sourcesCatalog", lambda _: catalog.sources, with_total=False),
            _Listing("/catalog/warehouses", "warehousesCatalog", lambda _: catalog.warehouses, LastNext.NULL),
            _Listing("/destinations", "destinations", lambda _: world.destinations),
            _Listing(
                "/destinations/{destinationId}/subscriptions",
                "subscriptions",
                self._subscriptions,
                gate="destination-subscriptions",
            ),
            _Listing("/groups", "userGroups", lambda _: world.groups, LastNext.EMPTY, with_total=False),
            _Listing("/sources", "sources", lambda _: world.sources, LastNext.NULL),
            _Listing("/sources/{sourceId}/connected-destinations", "destinations", self._connected_destinations),
            _Listing(
                "/sources/{sourceId}/connected-warehouses", "warehouses", self._connected_warehouses, LastNext.NULL
            ),
            _Listing("/transformations", "transformations", lambda _: world.transformations, gate="protocols"),
            _Listing("/users", "users", lambda _: world.users, LastNext.NULL, with_total=False),
            _Listing("/warehouses", "warehouses", lambda _: world.warehouses),
        ]

    def _usage_listings(self) -> list[_Listing]:
        usage = self._world.usage
        listings = (
            ("/usage/api-calls/daily", "dailyWorkspaceAPICallsUsage", usage.api_calls_workspace, LastNext.ABSENT),
            (
                "/usage/api-calls/sources/daily",
                "dailyPerSourceAPICallsUsage",
                usage.api_calls_per_source,
                LastNext.NULL,
            ),
            ("/usage/mtu/daily", "dailyWorkspaceMTUUsage", usage.mtu_workspace, LastNext.NULL),
            ("/usage/mtu/sources/daily", "dailyPerSourceMTUUsage", usage.mtu_per_source, LastNext.ABSENT),
        )
        return [
            _Listing(path, key, self._of_period(rows), last_next, filters=frozenset({"period"}))
            for path, key, rows, last_next in listings
        ]

    def _of_period(self, rows: UsageRows) -> Callable[[Request], list[Record]]:
        return lambda request: rows(usage_period(request.query_params), self._world.clock.now)

    def _route(self, listing: _Listing) -> Route:
        async def answer(request: Request) -> JSONResponse:
            self._require(listing.gate)
            given = parameters(request, PARAMETERS | listing.filters)
            page = Page.asked_for(request, given, self._world.largest_count)
            records = listing.records(request)
            pagination = page.envelope(len(records), listing.last_next, with_total=listing.with_total)
            return _data({listing.key: page.cut(records), "pagination": pagination})

        return Route(listing.path, answer)

    async def _workspace(self, request: Request) -> JSONResponse:
        parameters(request, ())
        return _data({"workspace": self._world.workspace})

    async def _audit_events(self, request: Request) -> JSONResponse:
        self._require("audit-trail")
        given = parameters(request, PARAMETERS | {"startTime", "endTime", "resourceId", "resourceType"})
        page = Page.asked_for(request, given, self._world.largest_count)
        now = self._world.clock.now
        end = page.cursor.end or moment(given, "endTime", now)
        start = moment(given, "startTime", now - RETENTION)
        window(start, end, earliest=now - RETENTION)
        events = self._world.audit_events(start, end)
        for name in given.keys() & {"resourceId", "resourceType"}:
            events = [event for event in events if event[name] == given[name]]
        pagination = page.pinned(min(end, now)).envelope(len(events), LastNext.ABSENT, with_total=False)
        return _data({"events": page.cut(events), "pagination": pagination})

    async def _delivery_metrics(self, request: Request) -> JSONResponse:
        self._require("delivery-metrics")
        given = parameters(request, ("sourceId", "startTime", "endTime", "granularity"))
        destination = self._destination(request)
        if given.get("sourceId") != destination["sourceId"]:
            raise invalid("sourceId is required and must be the source of the destination.", "sourceId")
        metadata = destination["metadata"]
        if not self._world.catalog.has_event_delivery(metadata["id"]):
            mode = self._world.catalog.delivery_mode(metadata["id"])
            raise invalid(f"Event Delivery does not support {metadata['name']}, which is a {mode} destination.")
        granularity = given.get("granularity", "MINUTE")
        if granularity not in _GRANULARITIES:
            raise invalid(f"granularity must be one of {', '.join(_GRANULARITIES)}.", "granularity")
        limits = _GRANULARITIES[granularity]
        now = self._world.clock.now
        end = moment(given, "endTime", now)
        start = moment(given, "startTime", end - limits.default)
        window(start, end, earliest=now - limits.reach, longest=limits.longest)
        summary = self._world.delivery.summary(destination, min(start, now), min(end, now))
        return _data({"deliveryMetricsSummary": summary})

    def _subscriptions(self, request: Request) -> list[Record]:
        return self._world.connections.subscriptions_of(self._destination(request)["id"], self._world.clock.now)

    def _connected_destinations(self, request: Request) -> list[Record]:
        return self._world.connections.destinations_of(self._source(request)["id"], self._world.clock.now)

    def _connected_warehouses(self, request: Request) -> list[Record]:
        return self._world.connections.warehouses_of(self._source(request)["id"], self._world.clock.now)

    def _source(self, request: Request) -> Record:
        return self._reachable(self._world.sources, request.path_params["sourceId"])

    def _destination(self, request: Request) -> Record:
        return self._reachable(self._world.destinations, request.path_params["destinationId"])

    def _reachable(self, records: list[Record], identifier: str) -> Record:
        for record in records:
            if record["id"] == identifier and self._world.is_reachable(record):
                return record
        raise RequestRefused(404, "NotFound", "Resource not found")

    def _require(self, gate: str | None) -> None:
        if gate in self._world.gates:
            raise RequestRefused(403, "forbidden", f"{GATES[gate]} is not part of this workspace's plan.")


def _data(data: Record) -> JSONResponse:
    return JSONResponse({"data": data})
