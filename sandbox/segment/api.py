"""The endpoints of the Segment Public API, on the web."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from sandbox.api.endpoints import Endpoint
from sandbox.api.errors import ApiError
from sandbox.segment.access import GATES, AccessControl, RateLimit, error_response
from sandbox.segment.world import SegmentWorld


def segment_api(world: SegmentWorld) -> Starlette:
    """Return the API of both regions, at `/us` and `/eu`."""
    return Starlette(routes=[Mount(f"/{region}", _region(world, region)) for region in world.region_tokens])


def _region(world: SegmentWorld, region: str) -> Starlette:
    app = Starlette(
        routes=[_route(world, endpoint) for endpoint in world.endpoints],
        middleware=[Middleware(AccessControl, world, region)],
        exception_handlers={ApiError: _rejected, HTTPException: _rejected},
    )
    app.router.redirect_slashes = False
    return app


def _route(world: SegmentWorld, endpoint: Endpoint) -> Route:
    limit = RateLimit()

    async def answer(request: Request) -> JSONResponse:
        if world.endpoint_limits:
            limit.reject_beyond(endpoint.per_minute)
        if endpoint.gate in world.gates:
            raise ApiError(403, "forbidden", f"{GATES[endpoint.gate]} is not part of this workspace's plan.")
        return JSONResponse({"data": endpoint.answer(request, world.present)})

    return Route(endpoint.path, answer)


async def _rejected(_: Request, error: Exception) -> JSONResponse:
    """Respond to what an endpoint rejects and to what has no route: an unknown path, a method other than GET."""
    if isinstance(error, ApiError):
        return error_response(error)
    if isinstance(error, HTTPException):
        routing = ApiError(error.status_code, error.detail.replace(" ", ""), error.detail)
        return error_response(routing, error.headers)
    raise error
