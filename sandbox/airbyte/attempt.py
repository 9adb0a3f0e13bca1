"""The outcome of one attempt of a sync, and what the platform would have lost silently in it."""

import signal
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from cdp_connectors.json_types import Json
from sandbox.airbyte.protocol import JsonObject

MOST_MESSAGE = 50_000
"""The number of characters of a failure's message that the platform keeps."""
_FAILURE_TYPES = {"config_error", "system_error", "transient_error"}


class SilentLossError(AssertionError):
    """The platform would have lost or flagged data without failing the sync.

    Attributes:
        attempt: the attempt in which it happened.
    """

    def __init__(self, losses: list[str], attempt: "Attempt") -> None:
        super().__init__("\n".join(losses))
        self.attempt = attempt


@dataclass(frozen=True)
class Failure:
    """One entry of an attempt's list of failures."""

    origin: str
    """`source`, `destination` or `replication`."""
    failure_type: str
    message: str
    internal_message: str = ""
    stack_trace: str = ""
    stream: str | None = None
    emitted_at: float = float("inf")
    """Milliseconds since 1970; failures are sorted by it, and the platform's own come last."""

    @property
    def is_reported(self) -> bool:
        """True if the connector reported the failure, rather than the platform."""
        return self.emitted_at < float("inf")

    @classmethod
    def of_trace(cls, origin: str, trace: JsonObject) -> "Failure":
        """The failure that an error trace reports, truncated as by the platform."""
        error, kind = trace["error"], trace["error"].get("failure_type")
        return cls(
            origin=origin,
            failure_type=kind if kind in _FAILURE_TYPES else "system_error",
            message=error["message"][:MOST_MESSAGE],
            internal_message=(error.get("internal_message") or "")[:MOST_MESSAGE],
            stack_trace=(error.get("stack_trace") or "")[: 2 * MOST_MESSAGE],
            stream=(error.get("stream_descriptor") or {}).get("name"),
            emitted_at=trace["emitted_at"],
        )


@dataclass
class Attempt:
    """One run of source and destination. While it runs, `run_sync` fills it in."""

    status: str = "running"
    """`running`, `succeeded` or `failed`."""
    failures: list[Failure] = field(default_factory=list)
    """Error traces by time, then the platform's own reasons. Traces alone do not fail an attempt."""
    stream_status: dict[str, str] = field(default_factory=dict)
    """The status in the user interface by stream: PENDING, RUNNING, RATE_LIMITED, COMPLETE or INCOMPLETE."""
    source_status: dict[str, str] = field(default_factory=dict)
    """The last status that the source reported by stream."""
    emitted: Counter[str] = field(default_factory=Counter)
    """Number of records of the source by stream."""
    committed: Counter[str] = field(default_factory=Counter)
    """Number of records by stream that a returned state covers; all of them if the attempt succeeded."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Number of records by stream that the destination rejected, as its returned states count them."""
    records: dict[str, list[JsonObject]] = field(default_factory=lambda: defaultdict(list))
    """The data of the source's records after field selection, by stream, in order; see `run_sync`'s `keep`."""
    states: dict[str, JsonObject] = field(default_factory=dict)
    """The last state that the destination returned, by stream, verbatim."""
    source_states: list[JsonObject] = field(default_factory=list)
    """The states of the source, enriched, in order."""
    dropped_fields: dict[str, Counter[str]] = field(default_factory=dict)
    """Top-level fields that the configured catalog does not declare, by stream, with the number of their records."""
    schema_errors: dict[str, list[str]] = field(default_factory=dict)
    checksum_errors: list[str] = field(default_factory=list)
    skipped_lines: list[str] = field(default_factory=list)
    """Beginnings of lines that are not messages, or records without data."""
    torn_line: str = ""
    """Beginning of a truncated last line, which only SIGKILL excuses."""
    controls: list[JsonObject] = field(default_factory=list)
    """CONTROL messages of the source, which the platform persists."""
    logs: list[JsonObject] = field(default_factory=list)
    """LOG messages of the source."""
    destination_logs: list[JsonObject] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    """The last lines of both connectors' standard error output."""
    source_exit_code: int | None = None
    """None if the source did not exit and was killed."""
    destination_exit_code: int | None = None
    line_count: int = 0
    """Lines of the source."""
    largest_line: int = 0
    """Length of the source's longest line in bytes; the platform reports lines of 20,000,000 or more."""
    largest_gap: float = 0.0
    """Longest time in seconds without a RECORD or STATE from the source; the platform's limit is three hours."""
    source_memory_mb: float = 0.0
    """The source's peak resident set size, in MB."""

    @property
    def source_errors(self) -> list[Failure]:
        """The error traces of the source."""
        return [failure for failure in self.failures if failure.origin == "source" and failure.is_reported]

    @property
    def destination_errors(self) -> list[Failure]:
        """The error traces of the destination."""
        return [failure for failure in self.failures if failure.origin == "destination" and failure.is_reported]

    @property
    def messages(self) -> list[str]:
        """The failures' messages, in order."""
        return [failure.message for failure in self.failures]

    @property
    def record_count(self) -> int:
        """Number of the source's records."""
        return sum(self.emitted.values())

    def state_list(self) -> list[JsonObject]:
        """The states in the form of a `--state` file."""
        return list(self.states.values())

    def stream_state(self, stream: str) -> Json:
        """The content of a stream's last state."""
        return self.states[stream]["stream"]["stream_state"]

    def losses(self, allowed: Collection[str]) -> Iterator[str]:
        """The data that the platform would have lost or flagged without failing the sync.

        Args:
            allowed: the fields that may be undeclared, as `stream.field` or `stream.*`; fields that a user deselected
                belong here too.
        """
        for stream, fields in self.dropped_fields.items():
            for name, count in fields.items():
                if not {f"{stream}.{name}", f"{stream}.*"} & set(allowed):
                    yield f"{stream}: {count} records had the undeclared field '{name}', which Airbyte drops"
        for stream, errors in self.schema_errors.items():
            for error in errors:
                yield f"{stream}: a record violates its schema: {error}"
        yield from self.checksum_errors
        yield from (f"skipped line: {line}" for line in self.skipped_lines)
        if self.torn_line and self.source_exit_code != -signal.SIGKILL:
            yield f"the source ended within a line: {self.torn_line}"
