"""Event volume and Delivery Overview: counts that add up, grow and settle."""

from collections import defaultdict
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sandbox.api.timeline import Record
from sandbox.clock import Clock
from sandbox.segment.series import Window
from sandbox.segment.world import SegmentWorld

DAY = datetime(2026, 3, 5, tzinfo=timezone.utc)
STEPS = [
    "failed_on_ingest",
    "filtered_at_source",
    "filtered_at_destination",
    "failed_delivery",
    "successful_delivery",
]


def totals(rows: list[Record], *fields: str) -> dict[tuple[Any, ...], int]:
    counted: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in rows:
        counted[tuple(row[field] for field in fields)] += row["count"]
    return counted


def test_a_settled_day_has_the_api_calls_of_the_source(still_world: SegmentWorld) -> None:
    rows = still_world.expected("events_volume")
    for (source_id, time), count in totals(rows, "sourceId", "time").items():
        day = datetime.fromisoformat(time.replace("Z", "+00:00")).date()
        if day < still_world.clock.now.date() - timedelta(days=2):
            assert count == still_world.usage.settled_calls(source_id, day)


def test_received_events_match_the_event_volume(still_world: SegmentWorld) -> None:
    received = still_world.expected("delivery_overview_successfully_received")
    first = datetime.fromisoformat(min(row["time"] for row in received).replace("Z", "+00:00"))
    fields = ("sourceId", "eventType", "eventName", "time")
    assert totals(received, *fields) == totals(still_world.expected("events_volume", first), *fields)


def test_every_event_has_exactly_one_outcome(still_world: SegmentWorld) -> None:
    """A destination's steps and the preceding ones together count every event of the source once."""
    received = totals(still_world.expected("delivery_overview_successfully_received"), "sourceId", "time")
    before = totals(
        [row for step in STEPS[:2] for row in still_world.expected(f"delivery_overview_{step}")], "sourceId", "time"
    )
    fields = ("destinationConfigId", "sourceId", "time")
    after = totals([row for step in STEPS[2:] for row in still_world.expected(f"delivery_overview_{step}")], *fields)
    assert after
    for (_, *source_and_time), count in after.items():
        key = tuple(source_and_time)
        assert count + before.get(key, 0) == pytest.approx(received[key], abs=20)


def test_no_event_reaches_a_disabled_or_device_mode_destination(still_world: SegmentWorld) -> None:
    reached = {row["destinationConfigId"] for row in still_world.expected("delivery_overview_successful_delivery")}
    for destination in still_world.destinations:
        if not destination["enabled"] or still_world.connections.is_device_mode(destination):
            assert destination["id"] not in reached


@pytest.mark.parametrize("step", ["filtered_at_source", "failed_delivery"])
def test_missing_dimensions_are_empty_strings(still_world: SegmentWorld, step: str) -> None:
    rows = still_world.expected(f"delivery_overview_{step}")
    assert {row["eventName"] == "" for row in rows if row["eventType"] == "identify"} == {True}
    assert all(row["discardReason"] for row in rows)


@pytest.mark.parametrize(("granularity", "parts"), [("HOUR", 24), ("MINUTE", 1440)])
def test_smaller_buckets_add_up_to_the_day(still_world: SegmentWorld, granularity: str, parts: int) -> None:
    now = still_world.clock.now
    counter = max(still_world.volume.of_sources(now), key=lambda counter: counter.of_day(DAY.date()))
    day = Window(DAY, DAY + timedelta(days=1), "DAY", now).counts(counter)
    smaller = Window(DAY, DAY + timedelta(days=1), granularity, now).counts(counter)
    assert len(smaller) <= parts
    assert sum(smaller.values()) == day[DAY]


def test_the_start_of_a_window_is_in_it_and_its_end_is_not(still_world: SegmentWorld) -> None:
    counter = still_world.volume.of_sources(still_world.clock.now)[0]
    hours = Window(DAY, DAY + timedelta(hours=3), "HOUR", still_world.clock.now).counts(counter)
    assert list(hours) == [DAY, DAY + timedelta(hours=1), DAY + timedelta(hours=2)]


def test_a_past_day_is_restated_once_and_today_grows(clock: Clock, world: SegmentWorld) -> None:
    day = clock.now.strftime("%Y-%m-%dT00:00:00.000Z")
    counts = []
    for hours in (0, 6, 15, 24, 24, 240):
        clock.advance(timedelta(hours=hours))
        counts.append(sum(row["count"] for row in world.expected("events_volume") if row["time"] == day))
    today, later, closed, settled, *after = counts
    assert today < later < closed < settled
    assert after == [settled, settled]


def test_an_older_delivery_is_out_of_reach(still_world: SegmentWorld) -> None:
    rows = still_world.expected("delivery_overview_successful_delivery")
    assert min(row["time"] for row in rows) == "2026-02-09T00:00:00.000Z"
