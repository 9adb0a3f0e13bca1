"""In-process stand-ins for a connector's process."""

import queue
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from typing_extensions import Self

if TYPE_CHECKING:
    from sandbox.airbyte.protocol import JsonObject

KILLED = -9
TERMINATED = 143
INTERRUPTED = 130


class StandInRun:
    """A running connector that is an object in this process."""

    def __init__(self) -> None:
        self.stderr: list[str] = []
        self.peak_memory_mb = 0.0
        self.largest_line = 0
        self.output_closed = False
        self.exit_code: int | None = None

    def write(self, line: bytes) -> None:
        """Accept one line of input; a source ignores it."""

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""

    def close_input(self) -> None:
        """Accept the end of the input."""

    def close_output(self) -> None:
        """End the connector at its next line, as a closed pipe does."""
        self.output_closed = True
        self.end(TERMINATED)

    def terminate(self) -> None:
        """End after the current line."""
        self.end(TERMINATED)

    def interrupt(self) -> None:
        """End after the current line."""
        self.end(INTERRUPTED)

    def kill(self) -> None:
        """End after the current line."""
        self.end(KILLED)

    def end(self, exit_code: int) -> None:
        """End with this exit code, unless already ended."""
        if self.exit_code is None:
            self.exit_code = exit_code

    def wait(self, seconds: float | None = None) -> int | None:  # noqa: ARG002 # a real process needs the timeout
        """The exit code."""
        return self.exit_code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(KILLED)


class ScriptedSource:
    """A source that writes given lines, regardless of catalog and state."""

    def __init__(self, lines: Iterable[bytes] | Callable[[], Iterable[bytes]], *, exit_code: int = 0) -> None:
        """Write these lines.

        Args:
            lines: the lines, or a function that returns the lines for each sync.
            exit_code: the exit code after the last line.
        """
        self.config: JsonObject = {}
        self._lines = lines
        self._exit_code = exit_code

    def start(self, command: str, **inputs: object) -> "ScriptedRun":  # noqa: ARG002 # as Connector.start
        """Start writing."""
        return ScriptedRun(self._lines() if callable(self._lines) else self._lines, self._exit_code)


class ScriptedRun(StandInRun):
    """A running `ScriptedSource`."""

    def __init__(self, lines: Iterable[bytes], exit_code: int) -> None:
        super().__init__()
        self._lines = lines
        self._exit_code = exit_code

    def lines(self) -> Iterator[bytes]:
        """The given lines until the connector is ended."""
        for line in self._lines:
            if self.exit_code is not None:
                return
            self.largest_line = max(self.largest_line, len(line))
            yield line if line.endswith(b"\n") else line + b"\n"
        self.end(self._exit_code)


class AnsweringRun(StandInRun):
    """A running destination that responds to lines of input with lines of output."""

    def __init__(self) -> None:
        super().__init__()
        self._output: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def answer(self, line: bytes) -> None:
        """Write a line of output."""
        self._output.put(line)

    def lines(self) -> Iterator[bytes]:
        """The lines of the output until the connector has ended."""
        return iter(self._output.get, None)

    def end(self, exit_code: int) -> None:
        """End with this exit code, unless already ended."""
        if self.exit_code is None:
            super().end(exit_code)
            self._output.put(None)

    def write(self, line: bytes) -> None:
        """Accept one line of input.

        Raises:
            BrokenPipeError: the destination has ended.
        """
        if self.exit_code is not None:
            raise BrokenPipeError
        self.take(line)

    def take(self, line: bytes) -> None:
        """Accept one line of input while running."""
