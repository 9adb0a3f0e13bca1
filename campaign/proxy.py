"""A proxy between a connector and its vendor that injects faults into responses."""

import gzip
import http.client
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import Self

from campaign.faults import LASTING, Fault
from cdp_connectors.json_types import Json

_SECONDS = 60
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}
_PAGE = b"<!doctype html><html><body>Please sign in to the network.</body></html>"
_SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
_NO_SUCH_KEY = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>It does not exist.</Message></Error>"
_REPLACED = b"<?xml version='1.0'?><Error><Code>PreconditionFailed</Code><Message>Changed.</Message></Error>"
_S3_ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>The credentials are not valid.</Message></Error>"
_UNAUTHORIZED = (
    b'{"errors": [{"type": "unauthorized", "message": "The token is not valid."}],'
    b' "meta": {"error": "The token is not valid."}}'
)
_LISTED = re.compile(rb"<Contents>(?:(?!</Contents>).)*manifests/sync_(?:(?!</Contents>).)*</Contents>", re.DOTALL)
_BODIES = {"null": b"null", "empty list": b"[]", "wrong envelope": b'{"result": {"items": []}}', "html": _PAGE}


@dataclass
class Response:
    """A response of the vendor that is about to be sent."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent: int | None = None
    """Number of bytes of the body to send before breaking the connection; None for all."""
    resets: bool = False
    """True if the connection ends with RST instead of FIN."""

    def replace(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        """Replace the response."""
        self.status, self.body = status, body
        self.headers = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}


@dataclass
class Schedule:
    """The responses that get a fault, by the number of the request."""

    faults: list[Fault] = field(default_factory=list)
    requests: int = 0
    """Requests so far in this job."""
    mutate: Callable[[int, "Response"], None] | None = None
    """Changes a response, given its number, in addition to the faults."""
    injected: int = 0
    """Number of responses that got a fault."""
    replaced: set[str] = field(default_factory=set)
    """S3 objects whose next conditional request fails."""
    now: Callable[[], float] = time.time
    """The vendor's clock."""
    on_request: Callable[[int], None] | None = None
    """Called before each request is passed on, with its number in this attempt."""
    in_attempt: int = 0
    """Requests so far in this attempt."""
    _active: dict[Fault, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, faults: Iterable[Fault]) -> None:
        """Begin a job."""
        with self._lock:
            self.faults = [fault for fault in faults if fault.seam == "response"]
            self._active = {fault: fault.count for fault in self.faults}
            self.requests = 0

    def begin_attempt(self) -> None:
        """Begin an attempt: end the faults that lasted until the end of the previous one."""
        with self._lock:
            self.in_attempt = 0
            self.replaced.clear()
            for fault, left in self._active.items():
                if fault.count == LASTING and left < LASTING:
                    self._active[fault] = 0

    def next_fault(self, path: str = "") -> tuple[str | None, int]:
        """The fault for the response to the next request, if any, and the request's number in this attempt."""
        with self._lock:
            self.requests += 1
            self.in_attempt += 1
            for fault, left in self._active.items():
                if left and fault.at <= self.requests and _concerns(fault.what, path):
                    self._active[fault] = left - 1
                    self.injected += 1
                    return fault.what, self.in_attempt
            return None, self.in_attempt


def _concerns(what: str, path: str) -> bool:
    """True if a fault applies to this request: some faults only apply to objects or to listings."""
    is_listing = "list-type=" in path
    return {"listing lags": is_listing, "removed": not is_listing, "replaced": not is_listing}.get(what, True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Do not report connectors that were killed."""


class FaultProxy:
    """Serves on the loopback interface and passes requests on to one server."""

    def __init__(self, target_url: str) -> None:
        self.schedule = Schedule()
        schedule, target = self.schedule, urlsplit(target_url)

        class Handler(_Handler):
            vendor = target.netloc
            faults = schedule

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    vendor: str
    faults: Schedule

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002, ANN401 # as in the base class
        """Do not log."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        what, number = self.faults.next_fault(self.path)
        if self.faults.on_request:
            self.faults.on_request(number)
        if what == "reset":
            self._break(resets=True)
            return
        response = self._fetch(body)
        if self.headers.get("if-match") and self.path in self.faults.replaced:
            self.faults.replaced.discard(self.path)
            response.replace(412, _REPLACED, "application/xml")
        elif what == "replaced":
            self.faults.replaced.add(self.path)
        if what == "reset after":
            self._break(resets=True)
            return
        if what:
            spoil(response, what, now=self.faults.now())
        if self.faults.mutate:
            self.faults.mutate(number, response)
            response.headers = {name: response.headers[name] for name in response.headers if name != "content-length"}
        self._send(response)

    do_GET = do_POST = do_PUT = do_HEAD = _pass_on  # noqa: N815 # names of the base class

    def _fetch(self, body: bytes) -> Response:
        connection = http.client.HTTPConnection(self.vendor, timeout=_SECONDS)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "connection":
                connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        if self.command == "HEAD" and answer.getheader("content-length"):
            headers["content-length"] = answer.getheader("content-length") or "0"
        response = Response(answer.status, headers, answer.read())
        connection.close()
        return response

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        if "content-length" not in response.headers:
            response.headers["content-length"] = str(len(response.body))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: response.sent])
        if response.sent is not None:
            self._break(resets=response.resets)

    def _break(self, *, resets: bool) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            if resets:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.connection.shutdown(socket.SHUT_RDWR)


def spoil(response: Response, what: str, *, now: float = 0.0) -> None:
    """Apply a fault to a response; `now` is the vendor's time."""
    half = len(response.body) // 2
    match what.split(maxsplit=2):
        case ["status", code, *detail]:
            _replace_by_error(response, int(code), "".join(detail), now)
        case ["revoked"]:
            response.replace(401, _UNAUTHORIZED, "application/json")
        case ["removed"]:
            response.replace(404, _NO_SUCH_KEY, "application/xml")
        case ["replaced"] | ["reset" | "cut", "in", "body"]:
            response.sent, response.resets = half, not what.startswith("cut")
        case ["wrong", "etag"]:
            response.headers = {
                name: '"0"' if name.lower() == "etag" else value for name, value in response.headers.items()
            }
        case ["slow"]:
            time.sleep(0.3)
        case _:
            _spoil_body(response, what)


def _spoil_body(response: Response, what: str) -> None:
    half = len(response.body) // 2
    match what:
        case "truncated gzip":
            compressed = gzip.compress(response.body)
            response.replace(
                response.status, compressed[: len(compressed) // 2], "application/json", content_encoding="gzip"
            )
        case "half json":
            response.body = response.body[:half]
        case "number for list":
            response.body = _numbers_in_body(response.body)
        case "listing lags":
            for newest in [*_LISTED.finditer(response.body)][-1:]:
                response.body = response.body[: newest.start()] + response.body[newest.end() :]
        case _:
            response.replace(200, _BODIES[what], "text/html" if what == "html" else "application/json")


def _replace_by_error(response: Response, code: int, detail: str, now: float) -> None:
    match detail:
        case "retry-after":
            response.replace(code, b"{}", "application/json", retry_after="1")
        case "reset-header":
            response.replace(code, b"{}", "application/json", x_ratelimit_reset=str(int(now) + 1))
        case "SlowDown":
            response.replace(code, _SLOW_DOWN, "application/xml")
        case "ExpiredToken" | "InvalidAccessKeyId":
            response.replace(code, _S3_ERROR.format(code=detail).encode(), "application/xml")
        case _:
            response.replace(code, b"<html><body>Upstream trouble</body></html>", "text/html")


def _numbers_in_body(body: bytes) -> bytes:
    try:
        return json.dumps(numbers_for_lists(json.loads(body))).encode()
    except ValueError:
        return b"3"


def numbers_for_lists(value: Json) -> Json:
    """The same JSON value with every list replaced by a number."""
    if isinstance(value, list):
        return 3
    return {name: numbers_for_lists(each) for name, each in value.items()} if isinstance(value, dict) else value
