from datetime import date, datetime, timedelta, timezone
from itertools import groupby

import pytest

from sandbox.api.timeline import Record
from sandbox.clock import Clock
from sandbox.segment.world import SegmentWorld

MARCH, FEBRUARY, JANUARY = date(2026, 3, 1), date(2026, 2, 1), date(2026, 1, 1)
COUNTERS = ("anonymous", "anonymousIdentified", "identified", "neverIdentified")


def utc(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=timezone.utc)  # type: ignore[arg-type, misc] # a moment's numbers, in order


def workspace_calls(world: SegmentWorld, month: date) -> dict[str, int]:
    rows = world.usage.api_calls_workspace(month, world.clock.now)
    return {row["timestamp"][:10]: int(row["apiCalls"]) for row in rows}


def periods(rows: list[Record]) -> dict[tuple[int, int], list[Record]]:
    ordered = sorted(rows, key=lambda row: (row["periodStart"], row["timestamp"]))
    return {
        bounds: list(group) for bounds, group in groupby(ordered, lambda row: (row["periodStart"], row["periodEnd"]))
    }


@pytest.mark.parametrize(
    ("now", "month", "days"),
    [
        (utc(2026, 3, 10, 9), MARCH, 10),
        (utc(2026, 3, 10, 9), FEBRUARY, 28),
        (utc(2028, 3, 1), date(2028, 2, 1), 29),
        (utc(2026, 12, 31, 23), date(2026, 12, 1), 31),
        (utc(2027, 1, 1), date(2026, 12, 1), 31),
        (utc(2027, 1, 1), date(2027, 1, 1), 1),
    ],
)
def test_there_is_a_row_for_every_day_up_to_today(now: datetime, month: date, days: int) -> None:
    world = SegmentWorld(Clock(now), seed=7, scale=0.2)
    rows = world.usage.api_calls_workspace(month, now)
    expected = [month + timedelta(days=index) for index in range(days)]
    assert [row["timestamp"] for row in rows] == [f"{day}T00:00:00.000Z" for day in expected]


@pytest.mark.parametrize("month", [date(2026, 4, 1), date(2030, 1, 1), date(9999, 12, 1), date(2015, 1, 1), date.min])
def test_months_before_the_workspace_and_after_today_are_empty(still_world: SegmentWorld, month: date) -> None:
    usage, now = still_world.usage, still_world.clock.now
    for rows in (usage.api_calls_per_source, usage.api_calls_workspace, usage.mtu_per_source, usage.mtu_workspace):
        assert rows(month, now) == []


def test_eighteen_months_have_usage(still_world: SegmentWorld) -> None:
    months = {row["period"] for row in still_world.expected("usage_api_calls_workspace_daily")}
    assert len(months) == 18
    assert max(months) == "2026-03-01"


def test_api_calls_are_strings_and_cumulative_within_the_month(still_world: SegmentWorld) -> None:
    for month in (JANUARY, FEBRUARY, MARCH):
        calls = list(workspace_calls(still_world, month).values())
        assert calls == sorted(calls)
    january, february = (list(workspace_calls(still_world, month).values()) for month in (JANUARY, FEBRUARY))
    assert february[0] < january[-1]


def test_the_workspace_has_the_sum_of_its_sources(still_world: SegmentWorld) -> None:
    totals: dict[str, int] = {}
    for row in still_world.usage.api_calls_per_source(FEBRUARY, still_world.clock.now):
        day = row["timestamp"][:10]
        totals[day] = totals.get(day, 0) + int(row["apiCalls"])
    assert workspace_calls(still_world, FEBRUARY) == totals


def test_tracked_users_are_strings_and_cumulative_within_the_billing_period(still_world: SegmentWorld) -> None:
    rows = still_world.usage.mtu_workspace(FEBRUARY, still_world.clock.now) + still_world.usage.mtu_workspace(
        JANUARY, still_world.clock.now
    )
    for period in periods(rows).values():
        for counter in COUNTERS:
            counts = [int(row[counter]) for row in period]
            assert counts == sorted(counts)


def test_overlapping_billing_periods_give_two_rows_per_day(still_world: SegmentWorld) -> None:
    rows = periods(still_world.usage.mtu_workspace(FEBRUARY, still_world.clock.now))
    assert list(rows) == [
        (utc(2026, 1, 15).timestamp(), utc(2026, 2, 15).timestamp()),
        (utc(2026, 2, 1).timestamp(), utc(2026, 3, 1).timestamp()),
        (utc(2026, 2, 15).timestamp(), utc(2026, 3, 15).timestamp()),
    ]
    assert [len(period) for period in rows.values()] == [14, 28, 14]


def test_sources_are_billed_from_the_first_from_the_fifteenth_or_from_both(still_world: SegmentWorld) -> None:
    starts: dict[str, set[int]] = {}
    for row in still_world.usage.mtu_per_source(FEBRUARY, still_world.clock.now):
        starts.setdefault(row["sourceId"], set()).add(datetime.fromtimestamp(row["periodStart"], timezone.utc).day)
    assert {frozenset(days) for days in starts.values()} == {frozenset({1}), frozenset({15}), frozenset({1, 15})}


def test_object_sources_have_api_calls_but_no_tracked_users(still_world: SegmentWorld) -> None:
    objects = {
        source["id"] for source in still_world.sources if source["metadata"]["categories"] in (["CRM"], ["Payments"])
    }
    assert objects
    now = still_world.clock.now
    assert objects <= {row["sourceId"] for row in still_world.usage.api_calls_per_source(MARCH, now)}
    assert objects.isdisjoint(row["sourceId"] for row in still_world.usage.mtu_per_source(MARCH, now))


def test_today_grows_and_days_are_added(clock: Clock, world: SegmentWorld) -> None:
    before = workspace_calls(world, MARCH)
    clock.advance(timedelta(hours=6))
    assert workspace_calls(world, MARCH)["2026-03-10"] > before["2026-03-10"]
    clock.advance(timedelta(days=2))
    assert list(workspace_calls(world, MARCH))[-1] == "2026-03-12"


def test_the_last_days_of_a_month_are_restated_once(clock: Clock, world: SegmentWorld) -> None:
    clock.advance(utc(2026, 4, 1, 23, 59) - clock.now)
    before = workspace_calls(world, MARCH)
    clock.advance(timedelta(minutes=1))
    after = workspace_calls(world, MARCH)
    assert {day for day in after if after[day] > before[day]} == {"2026-03-29", "2026-03-30", "2026-03-31"}
    clock.advance(timedelta(days=10))
    assert workspace_calls(world, MARCH) == after
