"""A running connector: its lines, and the ways to end it."""

import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Protocol

from typing_extensions import Self

EXIT_SECONDS = 10.0
"""Seconds in which a connector must exit after closing its output; otherwise the platform treats it as killed."""
_LAST_LINES = 1_000
_LINES_PER_SAMPLE = 200


class Process(Protocol):
    """The subset of `subprocess.Popen[bytes]` that is used here."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def poll(self) -> int | None:
        """The exit code, or None."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code."""

    def send_signal(self, sig: int, /) -> None:
        """Send a signal."""

    def kill(self) -> None:
        """Send SIGKILL."""


class ConnectorProcess:
    """One command of a connector as a process, with the folder of its input files.

    Use it as a context manager: a process that is still running at the end is killed.
    """

    def __init__(self, process: Process, folder: TemporaryDirectory[str]) -> None:
        """Wrap a process that was just started.

        Args:
            process: a `subprocess.Popen` with three pipes, or an object that behaves like one.
            folder: the folder of the input files; removed at the end.
        """
        self.stderr: list[str] = []
        """The last lines of standard error."""
        self.peak_memory_mb = 0.0
        """The largest resident set so far, in MB, as last seen by `lines`; 0 where /proc is missing."""
        self.largest_line = 0
        """Length of the longest line of standard output, in bytes."""
        self.output_closed = False
        self._folder = folder
        self._process = process
        self._stderr_reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._stderr_reader.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """True until the process exits."""
        return self._process.poll() is None

    def write(self, line: bytes) -> None:
        """Write one line to standard input.

        Raises:
            BrokenPipeError: the process has exited.
        """
        if self._process.stdin:
            self._process.stdin.write(line + b"\n")

    def flush(self) -> None:
        """Flush what `write` has buffered.

        Raises:
            BrokenPipeError: the process has exited.
        """
        if self._process.stdin:
            self._process.stdin.flush()

    def close_input(self) -> None:
        """Close standard input."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def feed(self, lines: Iterable[bytes]) -> None:
        """Write lines to standard input in the background, and close it."""

        def write_all() -> None:
            with suppress(BrokenPipeError, ValueError):
                for line in lines:
                    self.write(line)
            self.close_input()

        threading.Thread(target=write_all, daemon=True).start()

    def lines(self) -> Iterator[bytes]:
        """The lines of standard output until it ends or is closed."""
        stdout = self._process.stdout
        count = 0
        while stdout and not stdout.closed:
            line = stdout.readline()
            if not line:
                break
            count += 1
            if count % _LINES_PER_SAMPLE == 1:
                self.note_memory()
            self.largest_line = max(self.largest_line, len(line))
            yield line

    def terminate(self) -> None:
        """Send SIGTERM, as Kubernetes does."""
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Send SIGKILL, as the kernel does when memory runs out."""
        self.note_memory()
        self._process.kill()

    def close_output(self) -> None:
        """Close the reading end of standard output, as when the platform dies."""
        self.note_memory()
        self.output_closed = True
        if self._process.stdout:
            self._process.stdout.close()

    def wait(self, seconds: float | None = EXIT_SECONDS) -> int | None:
        """The exit code (negative for a signal), or None if the process does not exit in time."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._stderr_reader.join(1)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        self.wait()
        if self._process.stderr:
            self._process.stderr.close()
        self._folder.cleanup()

    def _read_stderr(self) -> None:
        for line in self._process.stderr or ():
            self.stderr.append(line.decode(errors="replace").rstrip())
            del self.stderr[:-_LAST_LINES]

    def note_memory(self) -> None:
        """Update the peak memory with the current resident set."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.peak_memory_mb = max(self.peak_memory_mb, int(line.split()[1]) / 1024)
