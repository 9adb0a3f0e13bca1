"""The sandbox as one HTTP server: a path for every vendor, and a path to control it."""

import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from typing_extensions import Self

from sandbox.api.faults import FaultMiddleware, Faults
from sandbox.api.journal import Journal, JournalMiddleware
from sandbox.api.switches import Switches
from sandbox.clock import Clock
from sandbox.customerio.api import customerio_api
from sandbox.customerio.world import CustomerioWorld
from sandbox.segment.api import segment_api
from sandbox.segment.world import SegmentWorld
from sandbox.segment_tracking.api import tracking_api
from sandbox.segment_tracking.world import TrackingWorld

SEED = 20260101


class Sandbox:
    """All simulated vendors behind one port of the loopback interface.

    Use it as a context manager; `url` is valid inside. The vendors are mounted at `/segment/us`, `/segment/eu`
    and so on; `/_sandbox` is the control endpoint, described in `sandbox/README.md`.
    """

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
            clock: the sandbox's time; by default two days ago, so that time can pass.
            seed: the same seed and clock give the same data.
            scale: multiplies the size of the data.
            port: the port to listen on; 0 for a free one.
            segment_sources: number of sources in Segment, if it should not follow from the scale.
            segment_destinations: number of destinations there.
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
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, log_level="critical", lifespan="off", date_header=False
        )  # Customer.io's answers carry the sandbox's date
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        """The server's address, without a trailing slash."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def configs(self) -> dict[str, dict[str, Any]]:
        """A working configuration for each connector that this server can answer, by connector name."""
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
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("The sandbox could not start; is the port in use?")
            self._thread.join(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()

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
        return JSONResponse({"requests": listed})

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
