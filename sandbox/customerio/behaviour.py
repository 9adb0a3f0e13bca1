"""The behaviour of the simulated Customer.io API, where it can be switched."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from sandbox.api.switches import Switches

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


@dataclass(eq=False)
class Behaviour(Switches):
    """The switches of the control endpoint; where evidence about the vendor disagrees, each reading has a value."""

    rate_limit_per_second: Count | None = None
    """Requests that are answered within any second, over all keys; None for no limit."""
    other_requests_per_second: Count = 0
    """Requests of the account's own applications, which use up part of the rate limit."""
    daily_quota: Count | None = None
    """Requests that are still answered before the day's quota is used up; None for no quota."""
    largest_page: Positive | None = None
    """Rows on a page that has a `next`, whatever `limit` says; None for the usual maximum."""
    activity_tokens: Literal["position", "row"] = "position"
    """Whether a token of activities is a position in the list or names the last row before it."""
    segment_id_in_usage: bool = False
    """Whether `used_by` has the segment's id inside, as was observed, instead of beside it, as documented."""
    removed: set[str] = field(default_factory=set)
    """Objects that are still listed, but whose own endpoints answer 404: `campaigns/3`, `objects/1/ob010002`."""
    fields_of_2026: bool = False
    """Whether records and metrics have the fields that only the documents of 2026 have."""
    language_variants: bool = False
    """Whether actions name a branch of languages, and metrics of actions list their languages."""
    cio_id_in_paths: Literal["bare", "prefixed", "both"] = "bare"
    """The form of a `cio_id` in paths that is found, without or with `cio_`; the other is answered with 404."""
    cio_id_in_attributes: Literal["bare", "prefixed", "both"] = "bare"
    """The form of the ids that the attributes of people are found by; people named otherwise are left out."""
    cio_id_in_answers: Literal["bare", "optouts", "prefixed"] = "bare"
    """Whether answers write every `cio_id` without or with `cio_`, or with it in `optouts` only."""
    folders: Literal["everything", "root"] = "everything"
    """Whether lists of Design Studio and assets without `parent_folder_id` have everything or the root folder only."""
    export_polls: Count = 2
    """Requests that find an export pending before it is done."""
    export_columns: Literal["attributes", "identifiers"] = "attributes"
    """Whether an export has a column for each attribute, or the identifiers first, with `cio_`, and then the others."""
    export_ends: Literal["done", "failed", "never"] = "done"
    """How the job of an export ends."""
    metrics_dates: Literal["absent", "text", "iso"] = "absent"
    """Whether metrics have `start`, `end` and `res`, and in which format."""
    metrics_end: Literal["inclusive", "exclusive"] = "inclusive"
    """Whether the period that begins at the requested `end` is in the answer; the `end` of an answer is read alike."""
    metrics_longest: Positive | None = None
    """Periods in the longest answer to a request by date; a longer window is narrowed in silence. None for any."""
    metrics_keep: Literal["first", "last"] = "last"
    """The periods that remain of a window that is too long."""
    metrics_zone: Literal["EST", "America/New_York"] = "EST"
    """The zone in which the periods of requests by steps begin."""
    journey_parameter: Literal["res", "resolution", "any", "both"] = "res"
    """The parameter that journey metrics require for the size of a period."""
