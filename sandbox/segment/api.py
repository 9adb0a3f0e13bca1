"""The endpoints of the Segment Public API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

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
from sandbox.segment.validation import (
    RequestRefused,
    answer_refusal,
    invalid,
    moment,
    not_found,
    parameters,
    usage_period,
    window,
)
from sandbox.segment.world import DELIVERY_METRICS_REACH, SegmentWorld


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


class _Endpoints:
    """Answers every request from the world's present."""

    def __init__(self, world: SegmentWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return a route for every endpoint, with the vendor's inconsistencies about the last page spread over them."""
        world = self._world
        usage = world.usage
        return [
            Route("/", self._workspace),
            Route("/audit-events", self._audit_events),
            self._list("/catalog/destinations", "destinationsCatalog", lambda _: world.catalog.destinations),
            self._list("/catalog/sources", "sourcesCatalog", lambda _: world.catalog.sources, with_total=False),
            self._list("/catalog/warehouses", "warehousesCatalog", lambda _: world.catalog.warehouses, LastNext.NULL),
            self._list("/destinations", "destinations", lambda _: world.destinations),
            Route("/destinations/{destinationId}/delivery-metrics", self._delivery_metrics),
            self._list("/destinations/{destinationId}/subscriptions", "subscriptions", self._subscriptions),
            self._list("/groups", "userGroups", lambda _: world.groups, LastNext.EMPTY, with_total=False),
            self._list("/sources", "sources", lambda _: world.sources, LastNext.NULL),
            self._list("/sources/{sourceId}/connected-destinations", "destinations", self._connected_destinations),
            self._list(
                "/sources/{sourceId}/connected-warehouses", "warehouses", self._connected_warehouses, LastNext.NULL
            ),
            self._list("/transformations", "transformations", self._transformations),
            self._usage("/usage/api-calls/daily", "dailyWorkspaceAPICallsUsage", usage.api_calls_workspace),
            self._usage("/usage/api-calls/sources/daily", "dailyPerSourceAPICallsUsage", usage.api_calls_per_source),
            self._usage("/usage/mtu/daily", "dailyWorkspaceMTUUsage", usage.mtu_workspace, LastNext.NULL),
            self._usage("/usage/mtu/sources/daily", "dailyPerSourceMTUUsage", usage.mtu_per_source, with_total=False),
            self._list("/users", "users", lambda _: world.users, LastNext.NULL, with_total=False),
            self._list("/warehouses", "warehouses", lambda _: world.warehouses),
        ]

    def _list(
        self,
        path: str,
        key: str,
        records: Callable[[Request], list[Record]],
        last_next: LastNext = LastNext.ABSENT,
        *,
        with_total: bool = True,
    ) -> Route:
        async def answer(request: Request) -> JSONResponse:
            page = Page.asked_for(parameters(request, PARAMETERS), request.scope["path"])
            listed = records(request)
            return _data(
                {key: page.cut(listed), "pagination": page.envelope(len(listed), last_next, with_total=with_total)}
            )

        return Route(path, answer)

    def _usage(
        self,
        path: str,
        key: str,
        rows: Callable[[date, datetime], list[Record]],
        last_next: LastNext = LastNext.ABSENT,
        *,
        with_total: bool = True,
    ) -> Route:
        async def answer(request: Request) -> JSONResponse:
            given = parameters(request, PARAMETERS | {"period"})
            month = usage_period(given)
            page = Page.asked_for(given, f"{path}?period={month}")
            listed = rows(month, self._world.clock.now)
            return _data(
                {key: page.cut(listed), "pagination": page.envelope(len(listed), last_next, with_total=with_total)}
            )

        return Route(path, answer)

    async def _workspace(self, request: Request) -> JSONResponse:
        parameters(request, ())
        return _data({"workspace": self._world.workspace})

    async def _audit_events(self, request: Request) -> JSONResponse:
        self._require("audit-trail", "Audit Trail")
        filters = ("startTime", "endTime", "resourceId", "resourceType")
        given = parameters(request, PARAMETERS | set(filters))
        page = Page.asked_for(given, f"/audit-events?{[given.get(name) for name in filters]}")
        now = self._world.clock.now
        end = moment(given, "endTime", now)
        if page.cursor.endTime:
            end = datetime.fromisoformat(page.cursor.endTime)
        start = moment(given, "startTime", min(now, end) - RETENTION)
        window(start, end, earliest=now - RETENTION)
        events = [
            event
            for event in self._world.audit_events(start, end)
            if all(given.get(name, event[name]) == event[name] for name in ("resourceId", "resourceType"))
        ]
        page = page.pinned(min(end, now))
        return _data(
            {"events": page.cut(events), "pagination": page.envelope(len(events), LastNext.ABSENT, with_total=False)}
        )

    async def _delivery_metrics(self, request: Request) -> JSONResponse:
        self._require("delivery-metrics", "Event Delivery")
        given = parameters(request, ("sourceId", "startTime", "endTime", "granularity"))
        destination = self._destination(request)
        if given.get("sourceId") != destination["sourceId"]:
            raise invalid("sourceId is required and must be the source of the destination.", "sourceId")
        metadata = destination["metadata"]
        mode = self._world.catalog.delivery_mode(metadata["id"])
        if mode in {"device", "storage"}:
            raise invalid(f"Event Delivery does not support {metadata['name']}, a {mode} destination.")
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
        self._require("destination-subscriptions", "Destination Subscriptions")
        destination_id = self._destination(request)["id"]
        return self._world.connections.subscriptions_of(destination_id, self._world.clock.now)

    def _transformations(self, _: Request) -> list[Record]:
        self._require("protocols", "Protocols")
        return self._world.transformations

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
        raise not_found()

    def _require(self, gate: str, feature: str) -> None:
        if gate in self._world.gates:
            raise RequestRefused(403, "forbidden", f"{feature} is not part of this workspace's plan.")


def _data(data: Record) -> JSONResponse:
    return JSONResponse({"data": data})
