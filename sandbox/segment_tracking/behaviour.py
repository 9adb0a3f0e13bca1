"""Switches of the simulated Tracking API."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from cdp_connectors.json_types import Json

ANSWERS = ("json", "ok", "empty")
RATE_LIMIT_HEADERS = ("retry_after", "x_ratelimit_reset", "both", "none")


@dataclass
class Behaviour:
    """How the Tracking API answers, beyond what its documents say."""

    rejected_users: list[str] = field(default_factory=list)
    """User ids; a request with a call of one of them is answered with 400, without saying which call it is."""
    largest_body: int = 0
    """Bytes as sent; a larger request is answered with 413. 0 for no limit."""
    rate_limited: int = 0
    """How many more requests are answered with 429."""
    rate_limit_headers: str = "both"
    """Which headers a 429 has, one of `RATE_LIMIT_HEADERS`."""
    rate_limit_wait: int = 1
    """Seconds that the headers of a 429 name; `X-RateLimit-Reset` names one more, so that both can be told apart."""
    answer: str = "json"
    """How success is said: as Segment does, or as compatible collectors do. One of `ANSWERS`."""

    def update(self, changes: Mapping[str, Json]) -> None:
        """Set the given fields; nothing is changed if one of them is wrong.

        Raises:
            ValueError: for an unknown name, or a value that the field cannot take.
        """
        current = asdict(self)
        for name, value in changes.items():
            if name not in current or type(value) is not type(current[name]):
                raise ValueError(f"'{name}' is not one of {', '.join(current)}, or not of its type.")
        if changes.get("answer", "json") not in ANSWERS:
            raise ValueError(f"answer must be one of {', '.join(ANSWERS)}.")
        if changes.get("rate_limit_headers", "both") not in RATE_LIMIT_HEADERS:
            raise ValueError(f"rate_limit_headers must be one of {', '.join(RATE_LIMIT_HEADERS)}.")
        for name, value in changes.items():
            setattr(self, name, value)

    def clear(self) -> None:
        """Behave as documented."""
        default = Behaviour()
        for each in fields(self):
            setattr(self, each.name, getattr(default, each.name))

    def take_rate_limit(self) -> dict[str, str] | None:
        """The headers of the 429 that the next request gets; None if it gets none."""
        if not self.rate_limited:
            return None
        self.rate_limited -= 1
        headers = {"retry_after": {"Retry-After": str(self.rate_limit_wait)}}
        headers["x_ratelimit_reset"] = {"X-RateLimit-Reset": str(self.rate_limit_wait + 1)}
        headers["both"] = headers["retry_after"] | headers["x_ratelimit_reset"]
        return headers.get(self.rate_limit_headers, {})
