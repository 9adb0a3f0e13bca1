"""The findings about an account: names, types and counts, but no value of any record."""

from dataclasses import asdict, dataclass, field

from cdp_connectors.json_types import JsonObject


@dataclass
class SampleFindings:
    """Differences between the sampled records of a stream and its declaration."""

    undeclared_fields: dict[str, list[str]] = field(default_factory=dict)
    """JSON types by name, of top-level fields that the schema lacks: Airbyte drops their values."""
    contradictions: dict[str, str] = field(default_factory=dict)
    """By path of the field: the declared type or format that a value contradicts, and the value's type."""
    null_keys: int = 0
    """Records without a value for a part of the primary key: deduplication fails the sync for them."""
    repeated_keys: int = 0
    """Records whose primary key occurred before in the sample."""
    cursor_steps_back: int = 0
    """Records whose cursor is lower than that of the record before."""


@dataclass
class Estimate:
    """Requests that a sync of one stream makes, and the minutes that they take within the rate limit; 0 without one."""

    requests: int
    minutes: float


@dataclass
class StreamFindings:
    """One stream of the account."""

    stream: str
    reason: str = ""
    """Why the stream cannot be read; empty if it can."""
    first_page_rows: int = 0
    requests: int = 0
    """The requests that the doctor made for this stream, including those for its parents."""
    sample: SampleFindings = field(default_factory=SampleFindings)
    first_sync: Estimate | None = None
    """None if the requests depend on the number of people, events or deliveries, which is not counted."""
    daily_sync: Estimate | None = None

    @property
    def is_readable(self) -> bool:
        """True if the stream can be read."""
        return not self.reason


@dataclass
class Report:
    """The findings about all streams of one account."""

    connector: str
    version: str
    streams: list[StreamFindings]
    counting_requests: int = 0
    """The requests made to count the lists that determine the cost of a sync."""

    @property
    def is_readable(self) -> bool:
        """True if all streams can be read."""
        return all(stream.is_readable for stream in self.streams)

    def as_json(self) -> JsonObject:
        """Return the report as JSON, which contains no value of a record or of the configuration."""
        return asdict(self)
