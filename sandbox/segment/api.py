"""The Segment Public API over a `SegmentWorld`."""

import re
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Endpoint
from sandbox.api.errors import ApiError, invalid
from sandbox.segment.access import GATES, AccessControl, RateLimit, error_response
from sandbox.segment.world import SegmentWorld

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def segment_api(world: SegmentWorld) -> Starlette:
    """Return the API of both regions, at `/us` and `/eu`."""
    return Starlette(routes=[Mount(f"/{region}", _region(world, region)) for region in world.region_tokens])


def _region(world: SegmentWorld, region: str) -> Starlette:
    async def rejected(_: Request, error: Exception) -> JSONResponse:
        """Respond to requests that an endpoint rejects or that have no route: an unknown path, or not GET."""
        if isinstance(error, ApiError):
            return error_response(error, world)
        if isinstance(error, HTTPException):
            routing = ApiError(error.status_code, error.detail.replace(" ", ""), error.detail)
            return error_response(routing, world, error.headers)
        raise error

    app = Starlette(
        routes=[_route(world, endpoint) for endpoint in world.endpoints],
        middleware=[Middleware(AccessControl, world, region)],
        exception_handlers={ApiError: rejected, HTTPException: rejected},
    )
    app.router.redirect_slashes = False
    return app


def _route(world: SegmentWorld, endpoint: Endpoint) -> Route:
    limit = RateLimit()

    async def answer(request: Request) -> JSONResponse:
        if world.endpoint_limits:
            limit.reject_beyond(endpoint.per_minute)
        if endpoint.gate in world.gates:
            raise ApiError(
                world.gate_status, "forbidden", f"{GATES[endpoint.gate]} is not part of this workspace's plan."
            )
        rejected = request.query_params.get("resourceType")
        if endpoint.path == "/functions" and rejected in world.rejected_function_types:
            raise invalid(f"resourceType {rejected} is not supported.", "resourceType")
        data = endpoint.answer(request, world.present)
        return JSONResponse({"data": _rewritten(data) if world.times == "microseconds" else data})

    return Route(endpoint.path, answer)


def _rewritten(data: Json) -> Json:
    """Return a response whose times have microseconds and an offset."""
    if isinstance(data, list):
        return [_rewritten(each) for each in data]
    if isinstance(data, dict):
        return {name: _rewritten(value) for name, value in data.items()}
    if not isinstance(data, str) or not _TIME.fullmatch(data):
        return data
    return datetime.fromisoformat(data.replace("Z", "+00:00")).isoformat(timespec="microseconds")
