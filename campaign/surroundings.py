"""The environment variables of a forked connector that describe its surroundings."""

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

ACCELERATED = {"PYTHONPATH": f"{Path(__file__).parent / 'accelerated'}:{Path.cwd()}"}
"""The environment that shortens a connector's waits."""
OFFSET = "CAMPAIGN_CLOCK_OFFSET"
"""Seconds by which the process's clock is ahead of the real one."""
JUMP = "CAMPAIGN_CLOCK_JUMP"
"""A file that contains the seconds by which the clock jumps at `JUMP_SIGNAL`."""
JUMP_SIGNAL = signal.SIGUSR1
STACKS_SIGNAL = signal.SIGUSR2
"""The signal at which the process writes the stacks of its threads to standard error."""
FULL_DISK = "CAMPAIGN_FULL_DISK"
"""Set to prevent files from growing."""


def surroundings(
    folder: Path, now: datetime | None, *, ahead: float = 0.0, full_disk: bool = False
) -> Mapping[str, str]:
    """The environment of a connector.

    Args:
        folder: for temporary files; also identifies the processes.
        now: the time of the connector's clock; None for the real time.
        ahead: seconds by which the clock is wrong.
        full_disk: whether to prevent files from growing.
    """
    offset = ahead + (now.timestamp() - time.time() if now else 0.0)
    env = {"TMPDIR": str(folder), JUMP: str(folder / "jump"), OFFSET: str(offset), **ACCELERATED}
    return {**env, FULL_DISK: "1"} if full_disk else env


def jump(folder: Path, pid: int, seconds: float) -> None:
    """Make the clock of a running connector jump."""
    written = folder / "jump.new"
    written.write_text(str(seconds))
    written.replace(folder / "jump")  # atomically, since the previous jump may be about to be read
    with suppress(ProcessLookupError):  # it may have exited
        os.kill(pid, JUMP_SIGNAL)


def ask_for_stacks(seconds: float, pids: Sequence[int]) -> threading.Timer:
    """Make connectors print their stacks after this many seconds; `pids` may still grow."""

    def ask() -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, STACKS_SIGNAL)

    timer = threading.Timer(seconds, ask)
    timer.daemon = True
    timer.start()
    return timer
