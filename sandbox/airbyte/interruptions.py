"""Ways in which a sync is cut short, for `run_sync`'s `during`.

Each waits for a number of the source's lines, and acts once.
"""

import time
from collections.abc import Callable

from sandbox.airbyte.runs import Sync

Interruption = Callable[[Sync], None]


def after(lines: int, act: Callable[[Sync], None]) -> Interruption:
    """Act after this line of the source."""

    def watch(sync: Sync) -> None:
        if sync.attempt.line_count == lines:
            act(sync)

    return watch


def kill_after(lines: int) -> Interruption:
    """SIGKILL to the source: out of memory, or a node that is gone."""
    return after(lines, lambda sync: sync.source.kill())


def terminate_after(lines: int) -> Interruption:
    """SIGTERM to the source: a cancelled sync, or a node that is drained."""
    return after(lines, lambda sync: sync.source.terminate())


def close_output_after(lines: int) -> Interruption:
    """Close the source's output: the platform's shell was killed, not the connector."""
    return after(lines, lambda sync: sync.source.close_output())


def stall_after(lines: int, seconds: float) -> Interruption:
    """Stop reading the source for a while."""
    return after(lines, lambda _: time.sleep(seconds))


def kill_destination_after(lines: int) -> Interruption:
    """SIGKILL to the destination."""
    return after(lines, lambda sync: sync.destination.kill())
