"""Switchable behaviour of the simulated Segment Public API."""

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
    """The switches of the control endpoint; where evidence about the vendor conflicts, each variant has a value."""

    gates: set[Gate] = field(default_factory=set)
    """Features that the workspace's plan lacks; their endpoints return `gate_status`."""
    gate_status: Literal[401, 403, 404] = 403
    """Status of a missing feature: 401 as documented, 403 and 404 as observed."""
    rejected_function_types: set[FunctionType] = field(default_factory=set)
    """Types of functions that are rejected with 422."""
    rate_limit: Positive | None = None
    """Requests per minute that a region accepts; None for no limit."""
    endpoint_limits: bool = False
    """True if the endpoints that have their own limit enforce it."""
    token_limited: bool = False
    """True if a 429 carries `Retry-After`, as it does if the limit is that of the token."""
    rate_limit_remaining: Literal["number", "word", "absent"] = "number"
    """The header `X-RateLimit-Remaining`: a number, the word `unlimited`, or none."""
    pagination_required: bool = True
    """True if a list returns 422 without `pagination` where the documentation requires it."""
    largest_count: Positive = LARGEST_COUNT
    """The largest page that may be requested; the vendor's own was 200 until 2024."""
    largest_page: Positive | None = None
    """The largest page that is sent, regardless of the requested size; None for the requested size."""
    after_last_page: Literal["nothing", "empty", "own cursor", "endless"] = "nothing"
    """Pages after the last one: none, an empty one, an empty one with its own cursor as `next`, or endless ones."""
    repeat_records: bool = False
    """True if every page except the first begins with the last record of the previous page."""
    validation_errors: Literal["detailed", "documented"] = "detailed"
    """`detailed` if a 422 names the parameter, `documented` if it is only `Validation failure`."""
    seconds_behind: Count = 0
    """Seconds by which the server's clock, and its `Date` header, is behind the sandbox's."""
    unnamed_groups: bool = False
    """True if Delivery Overview groups by subscription, audience and activation without returning the group, which the
    documentation does not list among the fields of a response."""
    reject_future: bool = False
    """True if an `endTime` after the server's time is rejected with 422."""
    times: Literal["usual", "microseconds"] = "usual"
    """`microseconds` if all times in responses are written as `2026-03-01T00:00:00.000000+00:00`."""
    removed_ids: set[str] = field(default_factory=set)
    """Objects that are still listed, but whose own endpoints return 404."""
