"""Customer.io's App API over a `CustomerioWorld`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Operation
from sandbox.api.errors import ApiError
from sandbox.customerio.limits import SharedBucket
from sandbox.customerio.periods import http_date
from sandbox.customerio.workspace_people import PREFIX
from sandbox.customerio.world import CustomerioWorld

_STATUS_OF_INVALID = 400


def customerio_api(world: CustomerioWorld) -> Starlette:
    """Return the API of both regions, mounted at `/us` and `/eu`; each accepts only its own key.

    As in Customer.io, unknown parameters are ignored, and the response for an unrouted path is plain text.
    """
    bucket = SharedBucket(world)
    regions = [Mount(f"/{region}/v1", app=_region(world, bucket, key)) for region, key in world.region_keys.items()]
    return Starlette(
        routes=[*regions, Route("/files/exports/{export_id}.csv", world.exports.download)],
        exception_handlers={404: _not_routed},
    )


def _region(world: CustomerioWorld, bucket: SharedBucket, key: str) -> Starlette:
    def route(endpoint: Operation) -> Route:
        async def respond(request: Request) -> Response:
            request.state.body = await request.body()
            response = _response(world, bucket, key, endpoint, request)
            response.headers["date"] = http_date(world.now, world)
            return response

        return Route(endpoint.path, respond, methods=[endpoint.method])

    served = (*world.operations, *world.endpoints)
    return Starlette(routes=[route(each) for each in served], exception_handlers={404: _not_routed})


def _response(
    world: CustomerioWorld, bucket: SharedBucket, key: str, endpoint: Operation, request: Request
) -> Response:
    if not endpoint.public and request.headers.get("authorization") != f"Bearer {key}":
        return _error(ApiError(401, "", "unauthorized"))
    rejection = bucket.rejection()
    if rejection:
        return rejection
    try:
        return JSONResponse(_written(endpoint.answer(request, world.present), world, endpoint))
    except ApiError as error:
        return _error(error)


def _written(answer: Json, world: CustomerioWorld, endpoint: Operation) -> Json:
    """Return a response with every `cio_id` in the form that the behaviour requires."""
    form = world.cio_id_in_answers
    if form == "bare" or (form == "optouts" and endpoint.path != "/optouts"):
        return answer
    if isinstance(answer, list):
        return [_written(each, world, endpoint) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {
        name: f"{PREFIX}{value}" if name == "cio_id" and value else _written(value, world, endpoint)
        for name, value in answer.items()
    }


async def _not_routed(_: Request, __: Exception) -> Response:
    return PlainTextResponse("404 page not found\n", status_code=404)


def _error(error: ApiError) -> JSONResponse:
    """Return an error in Customer.io's format."""
    status = {404: (404, "not found"), 422: (_STATUS_OF_INVALID, str(error))}
    code, detail = status.get(error.status, (error.status, str(error)))
    return JSONResponse({"errors": [{"detail": detail, "status": str(code)}]}, status_code=code)
