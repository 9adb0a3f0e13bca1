"""The cost of a command: wall time, CPU time and memory of its entire process tree."""

import os
import subprocess
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from typing_extensions import Self

_PS = "/bin/ps"
_SAMPLE_SECONDS = 0.5
_CHUNK_BYTES = 1 << 20
_RECORD = b'"RECORD"'
_LAST_WORDS = 3000
"""Number of bytes from the end of a failed command's output to show in its error; connectors report errors there."""


class CommandFailedError(Exception):
    """A measured command failed; the message contains the end of its output."""


@dataclass(frozen=True)
class Cost:
    """The result and the cost of a command.

    `cpu_seconds` covers the command and every process it waited for. `peak_rss_mb` is the peak sum of RSS over the
    process tree, sampled twice a second; shared pages are counted per process.
    """

    records: int
    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    output: bytes

    def __str__(self) -> str:
        used = f"{self.seconds:.1f} s, {self.cpu_seconds:.1f} CPU s, peak RSS {self.peak_rss_mb:.0f} MB"
        return f"{self.records:,} records, {used}"

    @property
    def records_per_cpu_second(self) -> float:
        """Records per second of CPU time."""
        return self.records / self.cpu_seconds


def measure(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    stdin: IO[bytes] | None = None,
    keep: bytes | None = None,
) -> Cost:
    """Run a command, count the RECORD messages it writes, and measure it.

    Its output goes through a pipe, as it would to a destination.

    Args:
        command: the program and its arguments.
        environment: variables in addition to those of this process.
        stdin: the input of the command.
        keep: `output` contains the lines that contain this; all of them if it is empty, none if it is None.

    Raises:
        CommandFailedError: the command does not exit with 0, or memory cannot be measured.
    """
    if not Path(_PS).exists():
        raise CommandFailedError(f"{_PS} is missing; it is needed to measure memory (Debian: apt install procps).")
    started = time.monotonic()
    kept: list[bytes] = []
    with (
        subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        ) as process,
        _PeakMemory(process.pid) as memory,
    ):
        assert process.stdout  # noqa: S101 # it is a pipe
        assert process.stderr  # noqa: S101 # as above
        last_words: deque[bytes] = deque(maxlen=20)
        drain = threading.Thread(target=last_words.extend, args=[process.stderr])
        drain.start()
        records, end, line, output_end = 0, b"", b"", b""
        while chunk := os.read(process.stdout.fileno(), _CHUNK_BYTES):
            records += (end + chunk).count(_RECORD)
            end = chunk[-len(_RECORD) + 1 :]
            output_end = (output_end + chunk)[-_LAST_WORDS:]
            if keep is not None:
                *lines, line = (line + chunk).split(b"\n")
                kept += [each + b"\n" for each in lines if keep in each]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        drain.join()
    if process.returncode:
        said = b"".join(last_words) or output_end
        raise CommandFailedError(f"{Path(command[0]).name}: {said.decode(errors='replace')}")
    if keep is not None and keep in line:
        kept.append(line)
    return Cost(records, seconds, usage.ru_utime + usage.ru_stime, memory.peak_mb, b"".join(kept))


class _PeakMemory:
    """Samples the memory of a process and its descendants until the context ends."""

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self.peak_mb = max(self.peak_mb, _resident_kb(self._pid) / 1024)


def _resident_kb(root: int) -> int:
    listed = subprocess.run([_PS, "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True)
    resident: dict[int, int] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for line in listed.stdout.splitlines():
        pid, parent, rss = map(int, line.split())
        resident[pid] = rss
        children[parent].append(pid)
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += resident.get(pid, 0)
        waiting += children[pid]
    return total
