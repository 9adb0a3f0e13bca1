from datetime import datetime, timedelta

import pytest

from sandbox.api.timeline import Record
from sandbox.clock import Clock
from sandbox.segment.world import SegmentWorld


@pytest.fixture
def destination(still_world: SegmentWorld) -> Record:
    return next(
        destination
        for destination in still_world.destinations
        if destination["enabled"] and still_world.catalog.has_event_delivery(destination["metadata"]["id"])
    )


def totals(world: SegmentWorld, destination: Record, start: datetime, end: datetime) -> dict[str, int]:
    summary = world.delivery.summary(destination, start, end)
    return {metric["metricName"]: metric["total"] for metric in summary["metrics"]}


def test_totals_add_up_over_windows(still_world: SegmentWorld, destination: Record) -> None:
    end = still_world.clock.now
    hours = [
        totals(still_world, destination, end - timedelta(hours=n + 1), end - timedelta(hours=n)) for n in range(48)
    ]
    whole = totals(still_world, destination, end - timedelta(hours=48), end)
    assert whole["successes"] > 0
    assert whole == {name: sum(hour[name] for hour in hours) for name in whole}


def test_breakdowns_add_up_to_their_total(still_world: SegmentWorld, destination: Record) -> None:
    summary = still_world.delivery.summary(
        destination, still_world.clock.now - timedelta(days=1), still_world.clock.now
    )
    successes = next(metric for metric in summary["metrics"] if metric["metricName"] == "successes")
    assert sum(part["value"] for part in successes["breakdown"]) == successes["total"]


def test_nothing_was_sent_before_the_destination_existed(clock: Clock, world: SegmentWorld) -> None:
    before = {destination["id"] for destination in world.destinations}
    clock.advance(timedelta(days=30))
    young = [destination for destination in world.destinations if destination["id"] not in before]
    assert young
    for destination in young:
        start = clock.now - timedelta(days=30)
        assert set(totals(world, destination, start - timedelta(days=1), start).values()) == {0}
