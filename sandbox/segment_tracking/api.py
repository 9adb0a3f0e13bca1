"""The simulated Tracking API: one application for both regions."""

import base64
import binascii
import gzip
import zlib

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from sandbox.segment_tracking.world import CALL_TYPES, Message, TrackingWorld

_MOST_BATCH_BYTES = 500_000
_MOST_CALL_BYTES = 32 * 1024
_SHARED = ("context", "integrations")


class _MalformedError(Exception):
    """A request that the API rejects with a 400 and this message."""


class TrackingApi:
    """Returns 200 for nearly everything, like the real API; rejects what is too large, not JSON, or has no key."""

    def __init__(self, world: TrackingWorld) -> None:
        self._world = world

    async def call(self, request: Request) -> Response:
        """Handle one call or a batch."""
        kind = request.path_params["kind"]
        if kind != "batch" and kind not in CALL_TYPES:
            return PlainTextResponse("Not Found", 404)
        raw = await request.body()
        rejection = self._unread(len(raw))
        if rejection:
            return rejection
        try:
            return self._read(kind, raw, request)
        except _MalformedError as error:
            return JSONResponse({"success": False, "message": str(error)}, 400)

    def _unread(self, size: int) -> Response | None:
        """The response, if it does not depend on the body."""
        behaviour = self._world.behaviour
        limit = behaviour.take_rate_limit()
        if limit is not None:
            return PlainTextResponse("Too Many Requests", 429, limit)
        if behaviour.largest_body and size > behaviour.largest_body:
            return PlainTextResponse("Payload Too Large", 413)
        return None

    def _read(self, kind: str, raw: bytes, request: Request) -> Response:
        body = _decompressed(raw, request.headers.get("content-encoding", ""))
        if len(body) > (_MOST_BATCH_BYTES if kind == "batch" else _MOST_CALL_BYTES):
            return PlainTextResponse("Bad Request", 400)
        content = _json_object(body, request.headers.get("content-type", ""))
        write_key = _write_key(request, content)
        messages = _items(content) if kind == "batch" else [{**content, "type": kind}]
        if kind == "batch" and any(len(orjson.dumps(message)) > _MOST_CALL_BYTES for message in content["batch"]):
            return PlainTextResponse("Bad Request", 400)
        rejected = set(self._world.behaviour.rejected_users)
        if rejected and not rejected.isdisjoint(str(message.get("userId")) for message in messages):
            raise _MalformedError("malformed call")
        self._world.receive(write_key, messages)
        return _success(self._world.behaviour.answer)


def _success(form: str) -> Response:
    plain = {"ok": "OK", "empty": ""}
    return PlainTextResponse(plain[form]) if form in plain else JSONResponse({"success": True})


def tracking_api(world: TrackingWorld) -> Starlette:
    """The Tracking API under `/us/v1` and `/eu/v1`."""
    route = Route("/{kind}", TrackingApi(world).call, methods=["POST"])
    return Starlette(routes=[Mount("/us/v1", routes=[route]), Mount("/eu/v1", routes=[route])])


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise _MalformedError("malformed gzip") from error


def _json_object(body: bytes, content_type: str) -> Message:
    if not content_type.startswith("application/json"):
        raise _MalformedError("content type must be application/json")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _MalformedError("malformed JSON") from error
    if not isinstance(content, dict):
        raise _MalformedError("malformed JSON")
    return content


def _write_key(request: Request, content: Message) -> str:
    key = content.pop("writeKey", None)
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if not key and scheme.lower() == "basic":
        try:
            key = base64.b64decode(credentials, validate=True).decode().removesuffix(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise _MalformedError("malformed authorization") from error
    if not key:
        raise _MalformedError("no write key")
    return str(key)


def _items(content: Message) -> list[Message]:
    batch = content.get("batch")
    if not isinstance(batch, list) or not all(isinstance(item, dict) for item in batch):
        raise _MalformedError("batch must be an array of calls")
    shared = {name: content[name] for name in _SHARED if isinstance(content.get(name), dict)}
    return [{**item, **{name: {**value, **item.get(name, {})} for name, value in shared.items()}} for item in batch]
