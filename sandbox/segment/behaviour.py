"""The behaviour of the simulated Segment Public API, where it can be switched."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from sandbox.api.present import LARGEST_COUNT
from sandbox.api.switches import Switches

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Gate = Literal[
    "audience",
    "audit-trail",
    "computed-trait",
    "delivery-metrics",
    "destination-subscriptions",
    "functions",
    "live-plugins",
    "protocols",
    "space-filters",
    "spaces",
]
FunctionType = Literal["SOURCE", "DESTINATION", "INSERT_SOURCE", "INSERT_DESTINATION", "INSERT_TRANSFORMATION"]


@dataclass(eq=False)
class Behaviour(Switches):
    """The switches of the control endpoint; where evidence about the vendor disagrees, each reading has a value."""

    gates: set[Gate] = field(default_factory=set)
    """Features that the workspace's plan lacks; their endpoints answer with `gate_status`."""
    gate_status: Literal[401, 403, 404] = 403
    """Status of a missing feature: 401 as documented, 403 and 404 as observed."""
    rejected_function_types: set[FunctionType] = field(default_factory=set)
    """Types of functions that are rejected with 422."""
    rate_limit: Positive | None = None
    """Requests that a region answers per minute; None for any number."""
    endpoint_limits: bool = False
    """Whether the endpoints with a limit of their own hold to it."""
    token_limited: bool = False
    """Whether a 429 carries `Retry-After`, as it does when the limit is that of the token."""
    rate_limit_remaining: Literal["number", "word", "absent"] = "number"
    """The header `X-RateLimit-Remaining`: a number, the word `unlimited`, or none."""
    pagination_required: bool = True
    """Whether a list answers 422 without `pagination` where the documents require it."""
    largest_count: Positive = LARGEST_COUNT
    """The largest page that may be requested; the vendor's own was 200 until 2024."""
    largest_page: Positive | None = None
    """The largest page that is sent, whatever is requested; None for the requested size."""
    after_last_page: Literal["nothing", "empty", "own cursor", "endless"] = "nothing"
    """Pages after the last: none, an empty one, an empty one whose `next` is its own cursor, or endless empty ones."""
    repeat_records: bool = False
    """Whether every page but the first begins with the last record of the page before."""
    validation_errors: Literal["detailed", "documented"] = "detailed"
    """Whether a 422 names the parameter, or says `Validation failure` and nothing else, as documented."""
    seconds_behind: Count = 0
    """Seconds by which the server's clock, and its header `Date`, is behind the sandbox's."""
    unnamed_groups: bool = False
    """Whether Delivery Overview groups by subscription, audience and activation without returning the group, which the
    documents do not list among the fields of a response."""
    reject_future: bool = False
    """Whether an `endTime` after the server's time is rejected with 422."""
    times: Literal["usual", "microseconds"] = "usual"
    """Whether all times in answers are written as `2026-03-01T00:00:00.000000+00:00`."""
    removed_ids: set[str] = field(default_factory=set)
    """Objects that are still listed, but whose own endpoints answer 404."""
