"""The sandbox as one HTTP server: a path per vendor, and a path to control it."""

import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from typing_extensions import Self

from sandbox.api.faults import FaultMiddleware, Faults
from sandbox.api.journal import Journal, JournalMiddleware
from sandbox.api.switches import Switches
from sandbox.arguments import SEED
from sandbox.clock import Clock
from sandbox.customerio.api import customerio_api
from sandbox.customerio.world import CustomerioWorld
from sandbox.segment.api import segment_api
from sandbox.segment.world import SegmentWorld
from sandbox.segment_tracking.api import tracking_api
from sandbox.segment_tracking.world import TrackingWorld

_HOST = "127.0.0.1"


class Sandbox:
    """All simulated vendors behind one port of the loopback interface.

    Use it as a context manager; `url` is valid inside. The vendors are mounted at `/segment/us`, `/segment/eu`
    and so on; `/_sandbox` is the control endpoint, described in `sandbox/README.md`.
    """

    _socket: socket.socket
    _thread: threading.Thread

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        seed: int = SEED,
        scale: float = 1.0,
        port: int = 0,
        segment_sources: int | None = None,
        segment_destinations: int | None = None,
    ) -> None:
        """Generate the vendors' data; nothing is served before the context is entered.

        Args:
            clock: the sandbox's time; by default two days ago, so that it can be advanced.
            seed: the same seed and clock produce the same data.
            scale: multiplies the size of the data.
            port: the port to listen on; 0 for a free one.
            segment_sources: number of sources in Segment; by default it depends on the scale.
            segment_destinations: number of destinations in Segment, likewise.
        """
        self.clock = clock or Clock()
        self.faults = Faults()
        self.journal = Journal()
        self.segment = SegmentWorld(
            self.clock, seed=seed, scale=scale, sources=segment_sources, destinations=segment_destinations
        )
        self.segment_tracking = TrackingWorld(self.clock, lambda: self.segment.sources)
        self.customerio = CustomerioWorld(self.clock, seed=seed, scale=scale)
        vendors = Starlette(
            routes=[
                Mount("/segment", segment_api(self.segment)),
                Mount("/segment-tracking", tracking_api(self.segment_tracking)),
                Mount("/customerio", customerio_api(self.customerio)),
            ]
        )
        app = Starlette(
            routes=[
                Mount("/_sandbox", routes=self._control_routes()),
                Mount("/", JournalMiddleware(FaultMiddleware(vendors, self.faults), self.journal)),
            ]
        )
        # The vendors' responses carry the sandbox's date, not uvicorn's.
        config = uvicorn.Config(
            app,
            log_level="critical",
            lifespan="off",
            date_header=False,
            timeout_graceful_shutdown=5,  # otherwise a client that neither reads nor closes blocks the exit forever
        )
        self._server = uvicorn.Server(config)
        self._port = port

    @property
    def url(self) -> str:
        """The server's address, without a trailing slash."""
        return f"http://{_HOST}:{self._socket.getsockname()[1]}"

    def requests_of(self, vendor: Literal["segment", "customerio"]) -> Counter[str]:
        """Return the numbers of requests to a vendor by documented path, such as `/sources/{sourceId}/settings`.

        Only the latest 100,000 requests since `journal.clear()` are counted.
        """
        if vendor == "segment":
            return self.journal.by_path("/segment/(us|eu)", [each.path for each in self.segment.endpoints])
        operations = (*self.customerio.operations, *self.customerio.endpoints)
        return self.journal.by_path("/customerio/(us|eu)/v1", [each.path for each in operations])

    def configs(self) -> dict[str, dict[str, Any]]:
        """A working configuration for each connector that this server can serve, by connector name."""
        return {
            "source-segment": {
                "api_token": self.segment.region_tokens["us"],
                "region": "us",
                "api_url": f"{self.url}/segment/us",
                "start_date": "2025-06-01",
                "rate_limit_share": 1000,
            },
            "destination-segment": {
                "write_key": self.segment_tracking.write_key,
                "region": "us",
                "api_url": f"{self.url}/segment-tracking/us/v1",
                "public_api_token": self.segment.region_tokens["us"],
                "public_api_url": f"{self.url}/segment/us",
            },
            "source-customerio": {
                "access_token": self.customerio.region_keys["us"],
                "region": "us",
                "api_url": f"{self.url}/customerio/us",
                "rate_limit_share": 1000,
            },
        }

    def __enter__(self) -> Self:
        """Serve until the exit.

        Raises:
            OSError: if the port is in use.
        """
        self._socket = socket.create_server((_HOST, self._port))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="sandbox", daemon=True)
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _control_routes(self) -> list[Route]:
        return [
            Route("/faults", self._change_faults, methods=["POST", "DELETE"]),
            Route("/advance", self._advance, methods=["POST"]),
            Route("/requests", self._requests, methods=["GET", "DELETE"]),
            Route("/segment", self._switch(self.segment), methods=["POST"]),
            Route("/segment-tracking", self._received, methods=["GET", "POST", "DELETE"]),
            Route("/customerio", self._switch(self.customerio), methods=["POST"]),
        ]

    async def _change_faults(self, request: Request) -> JSONResponse:
        try:
            if request.method == "DELETE":
                self.faults.clear()
            else:
                self.faults.update(await request.json())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(self.faults.switches())

    async def _advance(self, request: Request) -> JSONResponse:
        try:
            now = self.clock.advance(timedelta(**await request.json()))
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"now": now.isoformat()})

    async def _requests(self, request: Request) -> JSONResponse:
        if request.method == "DELETE":
            self.journal.clear()
        listed: list[dict[str, Any]] = [vars(entry) for entry in self.journal]
        counts = {"segment": self.requests_of("segment"), "customerio": self.requests_of("customerio")}
        return JSONResponse({"requests": listed, "by_path": counts})

    async def _received(self, request: Request) -> JSONResponse:
        if request.method == "POST":
            try:
                self.segment_tracking.behaviour.update(await request.json())
            except (AttributeError, ValueError) as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            return JSONResponse(vars(self.segment_tracking.behaviour))
        if request.method == "DELETE":
            self.segment_tracking.clear()
        return JSONResponse(
            {"messages": self.segment_tracking.messages, "rejected": dict(self.segment_tracking.rejected)}
        )

    def _switch(self, switches: Switches) -> Callable[[Request], Awaitable[JSONResponse]]:
        async def change(request: Request) -> JSONResponse:
            try:
                switches.change(await request.json())
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            return JSONResponse(switches.switches())

        return change
