"""The simulated vendors by the names of their connectors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.heap.bucket import heap_bucket
from sandbox.server import Sandbox

PASSING_TIME = timedelta(days=2)


@contextmanager
def vendor(name: str, scale: float = 1.0) -> Iterator[tuple[dict[str, Any], Callable[[], None]]]:
    """The configuration of source `name` for its simulated vendor, and a function that advances it by two days."""
    if name == "source-heap":
        clock = Clock()
        with heap_bucket(clock, scale=scale) as bucket:

            def pass_days() -> None:
                clock.advance(PASSING_TIME)
                bucket.sync()

            yield bucket.config, pass_days
    else:
        with Sandbox(scale=scale) as sandbox:

            def pass_days() -> None:
                sandbox.clock.advance(PASSING_TIME)

            yield sandbox.configs()[name], pass_days
