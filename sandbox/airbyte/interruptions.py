"""Interruptions of a sync, for `run_sync`'s `during`.

Each acts once, after a given number of the source's lines.
"""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.airbyte.attempt import Attempt
from sandbox.airbyte.protocol import JsonObject
from sandbox.airbyte.replication import run_sync
from sandbox.airbyte.runs import Startable, Sync

Interruption = Callable[[Sync], None]


def after(lines: int, act: Callable[[Sync], None]) -> Interruption:
    """Act once, after this line of the source."""

    def watch(sync: Sync) -> None:
        if sync.attempt.line_count == lines:
            act(sync)

    return watch


def kill_after(lines: int) -> Interruption:
    """Send SIGKILL to the source, as when it is out of memory or its node is lost."""
    return after(lines, lambda sync: sync.source.kill())


def terminate_after(lines: int) -> Interruption:
    """Send SIGTERM to the source, as when a sync is cancelled or a node is drained."""
    return after(lines, lambda sync: sync.source.terminate())


def close_output_after(lines: int) -> Interruption:
    """Close the source's output, as when the platform's shell was killed, but not the connector."""
    return after(lines, lambda sync: sync.source.close_output())


def stall_after(lines: int, seconds: float) -> Interruption:
    """Stop reading from the source for a while."""
    return after(lines, lambda _: time.sleep(seconds))


def kill_destination_after(lines: int) -> Interruption:
    """Send SIGKILL to the destination."""
    return after(lines, lambda sync: sync.destination.kill())


def sync_despite_kills(
    source: Startable, destination: Startable, catalog: Mapping[str, Any], *, seed: int, most_lines: int, kills: int = 2
) -> list[Attempt]:
    """Kill a sync several times, each time after 50 to `most_lines` lines, and let the last one finish.

    Each sync starts from the states that were returned before it.
    """
    chance, attempts, states = random.Random(seed), list[Attempt](), dict[str, JsonObject]()
    for number in range(kills + 1):
        interruption = kill_after(chance.randint(50, most_lines)) if number < kills else None
        attempts.append(run_sync(source, destination, catalog, states.values(), during=interruption, seed=seed))
        states |= attempts[-1].states
    return attempts
