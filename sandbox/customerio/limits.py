"""Rate limits of the simulated API."""

import time
from collections import deque

from starlette.responses import JSONResponse

from sandbox.customerio.world import CustomerioWorld


class SharedBucket:
    """Rate limit and daily quota, shared by all keys and endpoints."""

    def __init__(self, world: CustomerioWorld) -> None:
        self._world = world
        self._admitted: deque[float] = deque()

    def rejection(self) -> JSONResponse | None:
        """Return a 429 if the limit or the quota is used up; otherwise count the request and return None."""
        world = self._world
        if world.daily_quota is not None:
            if world.daily_quota <= 0:
                return _too_many("the daily quota", {})
            world.daily_quota -= 1
        limit = world.rate_limit_per_second
        if limit is None:
            return None
        available = limit - world.other_requests_per_second
        now = time.monotonic()
        while self._admitted and self._admitted[0] <= now - 1:
            self._admitted.popleft()
        if len(self._admitted) >= available:
            return _too_many(f"{limit} requests per 1s (reference 00000000)", {"retry-after": "1"})
        self._admitted.append(now)
        return None


def _too_many(allowance: str, headers: dict[str, str]) -> JSONResponse:
    error = {"detail": f"rate limited to {allowance}", "status": "429"}
    return JSONResponse({"errors": [error]}, status_code=429, headers=headers)
