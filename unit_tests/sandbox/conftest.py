from datetime import datetime, timezone

import pytest

from sandbox.clock import Clock
from sandbox.segment.world import SegmentWorld

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=timezone.utc)


@pytest.fixture(scope="session")
def still_world() -> SegmentWorld:
    """A world of the usual size that no test changes."""
    return SegmentWorld(Clock(NOW), seed=7, scale=1)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def world(clock: Clock) -> SegmentWorld:
    """A smaller world that the test may change; `clock` advances its time."""
    return SegmentWorld(clock, seed=7, scale=0.3)
