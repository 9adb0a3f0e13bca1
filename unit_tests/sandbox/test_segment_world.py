import itertools
from datetime import date, datetime, timedelta

import pytest

from sandbox.clock import Clock
from sandbox.segment.world import SegmentWorld

AT_LEAST = {
    "audit_events": 5000,
    "catalog_destinations": 1001,
    "catalog_sources": 1001,
    "catalog_warehouses": 1001,
    "destination_delivery_metrics_summary": 500,
    "destination_subscriptions": 40,
    "destinations": 80,
    "groups": 25,
    "sources": 60,
    "transformations": 40,
    "usage_api_calls_workspace_daily": 520,
    "users": 230,
    "warehouses": 12,
}


def ids(world: SegmentWorld, stream: str) -> set[str]:
    return {row["id"] for row in world.expected(stream)}


@pytest.mark.parametrize(("stream", "count"), AT_LEAST.items())
def test_lists_are_long_enough_for_several_pages(still_world: SegmentWorld, stream: str, count: int) -> None:
    assert len(still_world.expected(stream)) >= count


@pytest.mark.parametrize("scale", [0.01, 0.2, 2])
def test_scale_changes_the_size(clock: Clock, still_world: SegmentWorld, scale: float) -> None:
    scaled = SegmentWorld(clock, seed=7, scale=scale)
    for stream in AT_LEAST.keys() - {"usage_api_calls_workspace_daily"}:
        ratio = len(scaled.expected(stream)) / len(still_world.expected(stream))
        assert 0 <= ratio < 1 if scale < 1 else ratio > 1


def test_sources_have_no_one_or_several_warehouses(still_world: SegmentWorld) -> None:
    counts = {
        len(still_world.connections.warehouses_of(source["id"], still_world.clock.now))
        for source in still_world.sources
    }
    assert {0, 1} < counts
    assert max(counts) > 1


def test_every_destination_has_one_source_that_exists(still_world: SegmentWorld) -> None:
    assert {destination["sourceId"] for destination in still_world.destinations} <= ids(still_world, "sources")
    assert ids(still_world, "source_connected_destinations") == ids(still_world, "destinations")


def test_every_mode_of_delivery_occurs(still_world: SegmentWorld) -> None:
    modes = {
        still_world.catalog.delivery_mode(destination["metadata"]["id"]) for destination in still_world.destinations
    }
    assert modes == {"actions", "cloud", "device", "storage"}


def test_only_actions_destinations_have_subscriptions_of_every_schedule(still_world: SegmentWorld) -> None:
    subscriptions = still_world.expected("destination_subscriptions")
    actions = {destination["id"] for destination in still_world.destinations if destination["metadata"]["actions"]}
    assert {subscription["destinationId"] for subscription in subscriptions} == actions
    per_destination = [
        len(list(group)) for _, group in itertools.groupby(subscriptions, lambda item: item["destinationId"])
    ]
    assert min(per_destination) >= 1
    assert max(per_destination) <= 5
    schedules = [subscription.get("reverseETLSchedule") for subscription in subscriptions]
    strategies = {schedule["strategy"] for schedule in schedules if schedule}
    assert strategies == {"CRON", "DBT_CLOUD", "MANUAL", "PERIODIC", "SPECIFIC_DAYS"}


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("users", "permissions"),
        ("groups", "permissions"),
        ("catalog_destinations", "contacts"),
        ("transformations", "propertyRenames"),
        ("sources", "settings"),
        ("audit_events", "actorEmail"),
    ],
)
def test_an_optional_field_is_present_null_and_absent(still_world: SegmentWorld, stream: str, field: str) -> None:
    rows = still_world.expected(stream)
    assert any(row.get(field) for row in rows)
    assert any(row.get(field, "") is None for row in rows)
    assert any(field not in row for row in rows)


def test_no_person_and_no_secret_is_real(still_world: SegmentWorld) -> None:
    assert all(user["email"].endswith("@example.com") for user in still_world.users)
    assert all(key.startswith("sandbox-write-key-") for source in still_world.sources for key in source["writeKeys"])
    settings = [warehouse["settings"] for warehouse in still_world.warehouses]
    assert {value.get("password", "") for value in settings} == {"•" * 12, ""}


def test_two_days_bring_new_rows_to_every_important_list(clock: Clock, world: SegmentWorld) -> None:
    streams = ("sources", "destinations", "source_connected_destinations", "users", "audit_events")
    before = {stream: ids(world, stream) for stream in streams}
    clock.advance(timedelta(days=2))
    for stream in streams:
        assert ids(world, stream) - before[stream], stream


def test_a_destination_is_disabled_and_another_one_is_deleted(clock: Clock, world: SegmentWorld) -> None:
    before = {destination["id"]: destination for destination in world.destinations}
    clock.advance(timedelta(days=2))
    after = {destination["id"]: destination for destination in world.destinations}
    changed = [
        before[identifier] for identifier in after.keys() & before.keys() if after[identifier] != before[identifier]
    ]
    assert len(before.keys() - after.keys()) == 1
    assert [after[destination["id"]] for destination in changed] == [{**changed[0], "enabled": False}]


def test_something_happens_on_each_of_the_next_thirty_days(clock: Clock, world: SegmentWorld) -> None:
    for _ in range(30):
        before = ids(world, "users"), ids(world, "audit_events")
        clock.advance(timedelta(days=1))
        assert ids(world, "users") > before[0]
        assert ids(world, "audit_events") - before[1]


def test_children_of_removed_parents_are_not_expected(world: SegmentWorld) -> None:
    connected = world.expected("source_connected_destinations")[0]
    measured = world.expected("destination_delivery_metrics_summary")[0]
    world.removed_ids = {connected["sourceId"], measured["destinationId"]}
    assert connected["sourceId"] in ids(world, "sources")
    assert connected not in world.expected("source_connected_destinations")
    assert measured not in world.expected("destination_delivery_metrics_summary")


@pytest.mark.parametrize(
    ("stream", "field", "start", "first"),
    [
        ("audit_events", "timestamp", datetime.fromisoformat("2026-03-01T12:00:00+00:00"), "2026-03-01T12"),
        ("destination_delivery_metrics_summary", "startTime", date(2026, 3, 5), "2026-03-05T00:00:00Z"),
        ("usage_mtu_workspace_daily", "period", date(2026, 1, 20), "2026-01-01"),
    ],
)
def test_a_start_drops_what_is_older(
    still_world: SegmentWorld, stream: str, field: str, start: date, first: str
) -> None:
    assert min(row[field] for row in still_world.expected(stream, start)).startswith(first)


def test_audit_events_are_newest_first_and_some_share_their_second(still_world: SegmentWorld) -> None:
    timestamps = [event["timestamp"] for event in still_world.expected("audit_events")]
    moments = [datetime.fromisoformat(timestamp.replace("Z", "+00:00")) for timestamp in timestamps]
    assert moments == sorted(moments, reverse=True)
    assert len(set(moments)) < len(moments)
    assert {len(timestamp) for timestamp in timestamps} == {
        len("2026-03-10T09:30:00Z"),
        len("2026-03-10T09:30:00.000Z"),
    }
