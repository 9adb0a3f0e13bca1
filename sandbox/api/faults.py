"""Misbehaviour on demand: what networks, proxies and overloaded servers do to a client."""

import asyncio
import itertools
from dataclasses import asdict, dataclass, fields
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Faults:
    """What the sandbox does wrong at present. All of it is off by default.

    `path` limits the faults to request paths that contain it.
    """

    path: str = ""
    """Only requests whose path contains this text misbehave; empty for all."""
    latency_ms: int = 0
    """Milliseconds to wait before every answer."""
    status: int = 0
    """Answer with this status instead of the real answer."""
    status_count: int = 0
    """How many more answers get `status`; 0 for all of them."""
    retry_after: int = 0
    """Seconds to send as `Retry-After` with `status`; 0 for no header."""
    html: bool = False
    """Answer 200 with a web page, as a captive portal does."""
    cut_every: int = 0
    """Cut the connection in the middle of every n-th answer."""

    def update(self, changes: dict[str, Any]) -> None:
        """Set the given faults.

        Raises:
            ValueError: when a name or a type is not one of this class.
        """
        known = {field.name: type(field.default) for field in fields(self)}
        for name, value in changes.items():
            if name not in known or type(value) is not known[name]:
                raise ValueError(f"'{name}' is not a fault, or not of its type: {known}")
        for name, value in changes.items():
            setattr(self, name, value)

    def clear(self) -> None:
        """Behave again."""
        self.update(asdict(Faults()))


class FaultMiddleware:
    """Applies the present `Faults` to every answer of the vendors' APIs."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, well or badly."""
        faults = self._faults
        if scope["type"] != "http" or faults.path not in scope["path"]:
            await self._app(scope, receive, send)
            return
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        if faults.status:
            await self._answer_with_status(send)
        elif faults.html:
            await _answer(send, 200, b"<!doctype html><html><body>Please sign in to the network.</body></html>", {})
        elif faults.cut_every and next(self._count) % faults.cut_every == 0:
            await self._app(scope, receive, _cutting(send))
        else:
            await self._app(scope, receive, send)

    async def _answer_with_status(self, send: Send) -> None:
        status = self._faults.status
        headers = {"retry-after": str(self._faults.retry_after)} if self._faults.retry_after else {}
        if self._faults.status_count:
            self._faults.status_count -= 1
            if not self._faults.status_count:
                self._faults.status = 0
        await _answer(send, status, b"<html><body>Upstream trouble</body></html>", headers)


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    raw = {"content-type": "text/html; charset=utf-8", "content-length": str(len(body)), **headers}
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in raw.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _cutting(send: Send) -> Send:
    async def cut(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        body = message.get("body", b"")
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionAbortedError("the sandbox cuts this connection on purpose")

    return cut
