"""The interfaces of connectors in a sync."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from typing_extensions import Self

from sandbox.airbyte.attempt import Attempt
from sandbox.airbyte.protocol import JsonObject


class Run(Protocol):
    """A running connector: a `ConnectorProcess`, or a stand-in within this process."""

    stderr: list[str]
    peak_memory_mb: float
    largest_line: int
    output_closed: bool
    """True once `close_output` was called."""

    def lines(self) -> Iterable[bytes]:
        """The lines of the output until it ends."""

    def write(self, line: bytes) -> None:
        """Write one line to the input."""

    def flush(self) -> None:
        """Flush what was written."""

    def close_input(self) -> None:
        """Close the input."""

    def close_output(self) -> None:
        """Stop reading the output."""

    def terminate(self) -> None:
        """Ask the connector to exit."""

    def interrupt(self) -> None:
        """Interrupt the connector, as Ctrl-C does."""

    def kill(self) -> None:
        """Kill the connector immediately."""

    def wait(self, seconds: float | None = ...) -> int | None:
        """The exit code, or None if the connector does not exit in time."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Startable(Protocol):
    """A connector that can be started: a `Connector`, or a stand-in."""

    config: JsonObject

    def start(self, command: str, **inputs: object) -> Run:
        """Start `read` or `write` with these inputs."""


@dataclass(frozen=True)
class Sync:
    """A running sync, for code that observes or disturbs it."""

    attempt: Attempt
    source: Run
    destination: Run
