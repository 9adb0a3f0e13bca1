"""Switchable behaviour of the simulated Customer.io API."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from sandbox.api.switches import Switches

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


@dataclass(eq=False)
class Behaviour(Switches):
    """The switches of the control endpoint; where evidence about the vendor conflicts, each variant has a value."""

    rate_limit_per_second: Count | None = None
    """Requests that are accepted in any one second, across all keys; None for no limit."""
    other_requests_per_second: Count = 0
    """Requests per second by the account's own applications, which use up part of the rate limit."""
    daily_quota: Count | None = None
    """Requests left in the day's quota; None for no quota."""
    largest_page: Positive | None = None
    """Rows on a page that has a `next`, regardless of `limit`; None for the usual maximum."""
    activity_tokens: Literal["position", "row"] = "position"
    """The content of a pagination token of activities: a position in the list, or the last row before it."""
    segment_id_in_usage: bool = False
    """True if the segment's id is inside `used_by` (as observed) instead of next to it (as documented)."""
    removed: set[str] = field(default_factory=set)
    """Objects that are still listed, but whose own endpoints return 404: `campaigns/3`, `objects/1/ob010002`."""
    fields_of_2026: bool = False
    """True if records and metrics have the fields that only the 2026 documentation has."""
    language_variants: bool = False
    """True if actions refer to a language branch, and metrics of actions list their languages."""
    cio_id_in_paths: Literal["bare", "prefixed", "both"] = "bare"
    """The form of a `cio_id` that is recognised in paths, without or with `cio_`; the other gets 404."""
    cio_id_in_attributes: Literal["bare", "prefixed", "both"] = "bare"
    """The form of the ids by which people's attributes are found; people with ids in the other form are omitted."""
    cio_id_in_answers: Literal["bare", "optouts", "prefixed"] = "bare"
    """The form of a `cio_id` in responses: without `cio_`, with it, or with it in `optouts` only."""
    folders: Literal["everything", "root"] = "everything"
    """The content of Design Studio and asset lists without `parent_folder_id`: everything, or only the root folder."""
    export_polls: Count = 2
    """Number of requests for which a new export is still pending."""
    export_columns: Literal["attributes", "identifiers"] = "attributes"
    """The columns of an export: one per attribute, or the identifiers first, prefixed with `cio_`, then the others."""
    export_ends: Literal["done", "failed", "never"] = "done"
    """The end of an export's job."""
    metrics_dates: Literal["absent", "text", "iso"] = "absent"
    """The format of `start`, `end` and `res` in metrics, or `absent` if there are none."""
    metrics_end: Literal["inclusive", "exclusive"] = "inclusive"
    """`inclusive` if the response includes the period that begins at the requested `end`; likewise its own `end`."""
    metrics_longest: Positive | None = None
    """Maximum periods in a response to a request by date; longer windows are narrowed silently. None for no limit."""
    metrics_keep: Literal["first", "last"] = "last"
    """The periods that are kept of a window that is too long."""
    metrics_zone: Literal["EST", "America/New_York"] = "EST"
    """The time zone of the periods of requests by steps."""
    journey_parameter: Literal["res", "resolution", "any", "both"] = "res"
    """The parameter that journey metrics require for the size of a period."""
