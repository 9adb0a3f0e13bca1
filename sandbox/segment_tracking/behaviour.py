"""Switches of the simulated Tracking API."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from cdp_connectors.json_types import Json

ANSWERS = ("json", "ok", "empty")
RATE_LIMIT_HEADERS = ("retry_after", "x_ratelimit_reset", "both", "none")


@dataclass
class Behaviour:
    """Behaviour of the Tracking API beyond its documentation."""

    rejected_users: list[str] = field(default_factory=list)
    """User ids; a request that contains a call of one of them gets 400, without identifying the call."""
    largest_body: int = 0
    """Size limit in bytes as sent; a larger request gets 413. 0 for no limit."""
    rate_limited: int = 0
    """Number of further requests that get 429."""
    rate_limit_headers: str = "both"
    """The headers of a 429, one of `RATE_LIMIT_HEADERS`."""
    rate_limit_wait: int = 1
    """Seconds in the headers of a 429; `X-RateLimit-Reset` has one more, to distinguish the two."""
    answer: str = "json"
    """The body of a successful response, as sent by Segment or by compatible collectors. One of `ANSWERS`."""

    def update(self, changes: Mapping[str, Json]) -> None:
        """Set the given fields; nothing is changed if one of them is wrong.

        Raises:
            ValueError: for an unknown name, or a value that is invalid for the field.
        """
        current = asdict(self)
        for name, value in changes.items():
            if name not in current or type(value) is not type(current[name]):
                raise ValueError(f"'{name}' is unknown or has the wrong type. The fields are: {', '.join(current)}.")
        if changes.get("answer", "json") not in ANSWERS:
            raise ValueError(f"answer must be one of {', '.join(ANSWERS)}.")
        if changes.get("rate_limit_headers", "both") not in RATE_LIMIT_HEADERS:
            raise ValueError(f"rate_limit_headers must be one of {', '.join(RATE_LIMIT_HEADERS)}.")
        for name, value in changes.items():
            setattr(self, name, value)

    def clear(self) -> None:
        """Reset everything to the documented behaviour."""
        default = Behaviour()
        for each in fields(self):
            setattr(self, each.name, getattr(default, each.name))

    def take_rate_limit(self) -> dict[str, str] | None:
        """The headers of the next request's 429; None if it does not get one."""
        if not self.rate_limited:
            return None
        self.rate_limited -= 1
        headers = {"retry_after": {"Retry-After": str(self.rate_limit_wait)}}
        headers["x_ratelimit_reset"] = {"X-RateLimit-Reset": str(self.rate_limit_wait + 1)}
        headers["both"] = headers["retry_after"] | headers["x_ratelimit_reset"]
        return headers.get(self.rate_limit_headers, {})
