"""Authentication, features, and rate limits."""

import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.api.errors import ApiError
from sandbox.segment.behaviour import Behaviour

if TYPE_CHECKING:
    from sandbox.segment.world import SegmentWorld

GATES = {
    "audience": "Audience",
    "audit-trail": "Audit Trail",
    "computed-trait": "Computed Trait",
    "delivery-metrics": "Event Delivery",
    "destination-subscriptions": "Destination Subscriptions",
    "functions": "Functions",
    "live-plugins": "Live Plugins",
    "protocols": "Protocols",
    "space-filters": "Space Filters",
    "spaces": "Spaces",
}
"""The features that a workspace may lack, with the vendor's names."""

_WINDOW_S = 60
_GENEROUS = 1_000_000


def error_response(error: ApiError, behaviour: Behaviour, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error in Segment's format."""
    body = {"type": error.kind, "message": str(error), **error.details}
    if behaviour.validation_errors == "documented" and error.status == 422:  # noqa: PLR2004 # the status is clearer than a name
        body = {"type": "ValidationFailure", "message": "Validation failure"}
    return JSONResponse({"errors": [body]}, error.status, headers)


class RateLimit:
    """A rate limit with a fixed window of one minute, in real time, so that the client has to wait."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """Use a clock that returns epoch seconds."""
        self._now = now
        self._reset = 0.0
        self.consumed = 0

    def consume(self) -> None:
        """Count one request, in a new window if the previous one is over."""
        if self._now() >= self._reset:
            self._reset = self._now() + _WINDOW_S
            self.consumed = 0
        self.consumed += 1

    def reject_beyond(self, allowed: int | None) -> None:
        """Count one request against the number allowed per window; None for no limit.

        Raises:
            ApiError: 429 if the request exceeds the limit.
        """
        self.consume()
        if allowed is not None and self.consumed > allowed:
            data = {
                "remainingPoints": 0,
                "msBeforeNext": self.milliseconds_left,
                "consumedPoints": self.consumed,
            }
            raise ApiError(429, "RequestError", "Too many requests", data=data)

    @property
    def reset_at(self) -> str:
        """The end of the window as an RFC 5322 date."""
        return format_datetime(datetime.fromtimestamp(math.ceil(self._reset), timezone.utc), usegmt=True)

    @property
    def milliseconds_left(self) -> int:
        """Milliseconds until the end of the window, at least 1."""
        return max(1, math.ceil((self._reset - self._now()) * 1000))


class AccessControl:
    """Admits requests with the region's token and within the rate limit, and adds the rate-limit headers."""

    def __init__(self, app: ASGIApp, world: "SegmentWorld", region: str) -> None:
        self._app = app
        self._world = world
        self._token = world.region_tokens[region]
        self._limit = RateLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or reject it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._authorize(Headers(scope=scope))
            self._limit.reject_beyond(self._world.rate_limit)
        except ApiError as error:
            headers = {"Date": format_datetime(self._world.present.now, usegmt=True)}
            if error.status == 429 and self._world.token_limited:  # noqa: PLR2004 # the status is clearer than a name
                headers["Retry-After"] = str(math.ceil(self._limit.milliseconds_left / 1000))
            await error_response(error, self._world, headers)(scope, receive, send)
            return
        await self._app(scope, receive, self._with_headers(send))

    def _authorize(self, headers: Headers) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token != self._token:
            raise ApiError(401, "unauthorized", "The token is missing, invalid or belongs to another region.")

    def _with_headers(self, send: Send) -> Send:
        consumed, reset = self._limit.consumed, self._limit.reset_at

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Date"] = format_datetime(self._world.present.now, usegmt=True)
            if message["type"] == "http.response.start" and message["status"] < 400:  # noqa: PLR2004 # a success
                headers = MutableHeaders(scope=message)
                headers["X-RateLimit-Consumed"] = str(consumed)
                if self._world.rate_limit_remaining == "number":
                    headers["X-RateLimit-Remaining"] = str((self._world.rate_limit or _GENEROUS) - consumed)
                elif self._world.rate_limit_remaining == "word":
                    headers["X-RateLimit-Remaining"] = "unlimited"
                headers["X-RateLimit-Reset"] = reset
            await send(message)

        return add
