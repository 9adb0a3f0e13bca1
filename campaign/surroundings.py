"""What a forked connector's environment says about its surroundings."""

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

ACCELERATED = {"PYTHONPATH": f"{Path(__file__).parent / 'accelerated'}:{Path.cwd()}"}
"""The environment in which a connector's waits are short."""
OFFSET = "CAMPAIGN_CLOCK_OFFSET"
"""Seconds by which the process's clock is ahead of the real one."""
JUMP = "CAMPAIGN_CLOCK_JUMP"
"""A file with the seconds by which the clock jumps at `JUMP_SIGNAL`."""
JUMP_SIGNAL = signal.SIGUSR1
STACKS_SIGNAL = signal.SIGUSR2
"""At this signal, the process writes the stacks of its threads to standard error."""
FULL_DISK = "CAMPAIGN_FULL_DISK"
"""Set if no file may grow."""


def surroundings(
    folder: Path, now: datetime | None, *, ahead: float = 0.0, full_disk: bool = False
) -> Mapping[str, str]:
    """The environment of a connector.

    Args:
        folder: for temporary files; identifies the processes too.
        now: the time of its clock; None for the real one.
        ahead: seconds by which its clock is wrong.
        full_disk: whether no file may grow.
    """
    offset = ahead + (now.timestamp() - time.time() if now else 0.0)
    env = {"TMPDIR": str(folder), JUMP: str(folder / "jump"), OFFSET: str(offset), **ACCELERATED}
    return {**env, FULL_DISK: "1"} if full_disk else env


def jump(folder: Path, pid: int, seconds: float) -> None:
    """Let the clock of a running connector jump."""
    written = folder / "jump.new"
    written.write_text(str(seconds))
    written.replace(folder / "jump")  # at once, since the jump before may be about to be read
    with suppress(ProcessLookupError):  # it may have ended
        os.kill(pid, JUMP_SIGNAL)


def ask_for_stacks(seconds: float, pids: Sequence[int]) -> threading.Timer:
    """Let connectors write their stacks after so many seconds; `pids` may still grow."""

    def ask() -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, STACKS_SIGNAL)

    timer = threading.Timer(seconds, ask)
    timer.daemon = True
    timer.start()
    return timer
