"""Faults on demand: what networks, proxies and overloaded servers do to a client."""

import asyncio
import gzip
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cdp_connectors.json_types import JsonObject
from sandbox.api.switches import Switches

_JSON = "application/json"
_PAGE = b"<!doctype html><html><body>Please sign in to the network.</body></html>"
_PIECES = 10


Damage = Literal["", "truncated", "half_gzip", "null_data", "null_lists", "no_lists"]


@dataclass
class Faults(Switches):
    """The faults of the vendors' APIs, all of them off by default.

    `path` limits them to matching requests, and `count` to a number of those.
    """

    path: str = ""
    """Regular expression; only requests whose path contains a match are affected. Empty for all."""
    count: int = 0
    """Number of responses to replace, damage or cut, after which all faults are cleared; 0 for no limit."""
    latency_ms: int = 0
    """Milliseconds before every response."""
    drip_ms: int = 0
    """Milliseconds between the ten pieces in which every response is sent; 0 to send it at once."""
    status: int = 0
    """Status to send instead of the response, with `body` or else an HTML page."""
    retry_after: int = 0
    """Seconds in the header `Retry-After` to send with `status`; 0 for no header."""
    body: str = ""
    """JSON (or anything else) to send as JSON instead of the response, with `status` or else 200."""
    html: bool = False
    """True to send an HTML page with 200, as captive portals do."""
    damage: Damage = ""
    """Damage to the body of every successful response."""
    cut_every: int = 0
    """n, to cut the connection in the middle of every n-th response; 0 for never."""

    def update(self, changes: JsonObject) -> None:
        """Set the given faults; nothing is changed if one of them is wrong.

        Raises:
            ValueError: for an unknown name, an invalid value, or an invalid pattern.
        """
        try:
            re.compile(str(changes.get("path", "")))
        except re.error as error:
            raise ValueError(f"path is not a regular expression: {error}.") from error
        self.change(changes)

    def clear(self) -> None:
        """Clear all faults."""
        self.change(Faults().switches())

    def use(self) -> None:
        """Count an affected response."""
        if self.count:
            self.count -= 1
            if not self.count:
                self.clear()


@dataclass
class _Response:
    status: int
    headers: dict[str, str]
    body: bytes

    async def send(self, send: Send, pause_s: float = 0) -> None:
        raw = {**self.headers, "content-length": str(len(self.body))}
        headers = [(name.encode(), value.encode()) for name, value in raw.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        size = -(-len(self.body) // _PIECES) if pause_s else len(self.body)
        for first in range(0, len(self.body), size or 1):
            await send({"type": "http.response.body", "body": self.body[first : first + size], "more_body": True})
            await asyncio.sleep(pause_s)
        await send({"type": "http.response.body"})


class FaultMiddleware:
    """Applies the current `Faults` to the responses of the vendors' APIs."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request, applying the configured faults."""
        faults = self._faults
        if scope["type"] != "http" or not re.search(faults.path, scope["path"]):
            await self._app(scope, receive, send)
            return
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        if faults.status or faults.body or faults.html:
            response = self._replacement()
            faults.use()
            await response.send(send)
        elif faults.cut_every and next(self._count) % faults.cut_every == 0:
            faults.use()
            await self._app(scope, receive, _cutting(send))
        elif faults.damage or faults.drip_ms:
            await self._damaged(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _replacement(self) -> _Response:
        faults = self._faults
        headers = {"content-type": _JSON if faults.body else "text/html; charset=utf-8"}
        if faults.retry_after:
            headers["retry-after"] = str(faults.retry_after)
        page = b"<html><body>Upstream trouble</body></html>" if faults.status else _PAGE
        return _Response(faults.status or 200, headers, faults.body.encode() or page)

    async def _damaged(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = _Response(0, {}, b"")

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                response.status = message["status"]
                response.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                response.body += message.get("body", b"")

        await self._app(scope, receive, collect)
        pause_s = self._faults.drip_ms / 1000
        if self._faults.damage and response.status < 400:  # noqa: PLR2004 # a success
            _DAMAGES[self._faults.damage](response)
            self._faults.use()
        await response.send(send, pause_s)


def _truncate(response: _Response) -> None:
    response.body = response.body[: len(response.body) // 2]


def _half_gzip(response: _Response) -> None:
    response.headers["content-encoding"] = "gzip"
    response.body = gzip.compress(response.body)
    _truncate(response)


def _change_members(change: Callable[[JsonObject], JsonObject]) -> Callable[[_Response], None]:
    """Return a function that damages the object with the records: the body, or its `data`."""

    def damage(response: _Response) -> None:
        body = json.loads(response.body)
        if isinstance(body, dict) and isinstance(body.get("data"), dict):
            body["data"] = change(body["data"])
        elif isinstance(body, dict):
            body = change(body)
        response.body = json.dumps(body).encode()

    return damage


def _null_data(response: _Response) -> None:
    response.body = b'{"data":null}'


_DAMAGES: dict[str, Callable[[_Response], None]] = {
    "truncated": _truncate,
    "half_gzip": _half_gzip,
    "null_data": _null_data,
    "null_lists": _change_members(
        lambda members: {name: None if isinstance(value, list) else value for name, value in members.items()}
    ),
    "no_lists": _change_members(
        lambda members: {name: value for name, value in members.items() if not isinstance(value, list)}
    ),
}


def _cutting(send: Send) -> Send:
    async def cut(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        body = message.get("body", b"")
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionAbortedError("the sandbox cuts this connection on purpose")

    return cut
