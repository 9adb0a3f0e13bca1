"""What holds of the rows of every stream, and how those of different streams belong together."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from sandbox.api.timeline import Record
from sandbox.clock import Clock
from sandbox.segment.access import GATES
from sandbox.segment.world import SegmentWorld
from unit_tests.sandbox.conftest import NOW

SERIES = ["eventName", "eventType", "granularity", "time"]
OTHER_KEYS = {
    "audience_destination_connections": ["audienceId", "id"],
    "audience_references": ["audienceId", "id"],
    "audience_schedules": ["audienceId", "id"],
    "audiences": ["spaceId", "id"],
    "computed_traits": ["spaceId", "id"],
    "delivery_overview_failed_delivery": ["sourceId", "destinationConfigId", "discardReason", *SERIES],
    "delivery_overview_failed_on_ingest": ["sourceId", "discardReason", *SERIES],
    "delivery_overview_filtered_at_destination": ["sourceId", "destinationConfigId", "discardReason", *SERIES],
    "delivery_overview_filtered_at_source": ["sourceId", "discardReason", *SERIES],
    "delivery_overview_successful_delivery": ["sourceId", "destinationConfigId", "discardReason", *SERIES],
    "delivery_overview_successfully_received": ["sourceId", *SERIES],
    "destination_delivery_metrics_summary": ["sourceId", "destinationId", "granularity", "startTime"],
    "events_volume": ["sourceId", *SERIES],
    "function_versions": ["functionId", "id"],
    "group_invites": ["groupId", "email"],
    "group_users": ["groupId", "id"],
    "invites": ["email"],
    "labels": ["key", "value"],
    "profiles_warehouse_selective_syncs": ["spaceId", "warehouseId", "collection"],
    "profiles_warehouses": ["spaceId", "id"],
    "reverse_etl_syncs": ["syncId"],
    "source_connected_destinations": ["sourceId", "id"],
    "source_connected_warehouses": ["sourceId", "id"],
    "source_live_plugins": ["sourceId", "id"],
    "source_regulations": ["sourceId", "id"],
    "source_settings": ["sourceId"],
    "space_entity_paths": ["spaceId", "id"],
    "space_events": ["spaceId", "name", "type"],
    "space_traits": ["spaceId", "collection", "trait"],
    "suppressions": ["subjectType", "subjectId"],
    "tracking_plan_rules": ["trackingPlanId", "type", "key", "version"],
    "tracking_plan_sources": ["trackingPlanId", "id"],
    "usage_api_calls_per_source_daily": ["sourceId", "timestamp"],
    "usage_api_calls_workspace_daily": ["timestamp"],
    "usage_mtu_per_source_daily": ["sourceId", "periodStart", "timestamp"],
    "usage_mtu_workspace_daily": ["periodStart", "timestamp"],
    "user_groups": ["userId", "id"],
    "warehouse_connected_sources": ["warehouseId", "id"],
    "warehouse_connection_states": ["warehouseId"],
    "warehouse_selective_syncs": ["warehouseId", "sourceId", "collection"],
    "warehouse_sync_schedules": ["warehouseId"],
    "warehouse_syncs": ["warehouseId", "sourceId", "start"],
}
"""The keys of streams whose records have no `id` of their own."""
KEYS = {
    endpoint.stream: OTHER_KEYS.get(endpoint.stream, ["id"])
    for endpoint in SegmentWorld(Clock(NOW), seed=7, scale=0.1).endpoints
}
# child stream, its fields, parent stream, the parent's fields
PARENTS = [
    ("audience_activations", ["connectionId"], "audience_destination_connections", ["id"]),
    ("audience_references", ["id"], "audiences", ["id"]),
    ("audiences", ["spaceId"], "spaces", ["id"]),
    ("destination_filters", ["destinationId", "sourceId"], "destinations", ["id", "sourceId"]),
    ("events_volume", ["sourceId"], "sources", ["id"]),
    ("function_versions", ["functionId"], "functions", ["id"]),
    ("group_invites", ["email"], "invites", ["email"]),
    ("group_users", ["id", "name", "email"], "users", ["id", "name", "email"]),
    ("group_users", ["groupId", "id"], "user_groups", ["id", "userId"]),
    ("user_groups", ["id", "userId"], "group_users", ["groupId", "id"]),
    ("insert_function_instances", ["functionId"], "functions", ["id"]),
    ("reverse_etl_syncs", ["modelId", "subscriptionId"], "destination_subscriptions", ["modelId", "id"]),
    ("reverse_etl_syncs", ["modelId", "sourceId"], "reverse_etl_models", ["id", "sourceId"]),
    ("profiles_warehouse_selective_syncs", ["spaceId", "warehouseId"], "profiles_warehouses", ["spaceId", "id"]),
    ("space_filters", ["spaceId"], "spaces", ["id"]),
    ("tracking_plan_rules", ["trackingPlanId"], "tracking_plans", ["id"]),
    ("tracking_plan_sources", ["id"], "sources", ["id"]),
    ("warehouse_connected_sources", ["warehouseId", "id"], "source_connected_warehouses", ["id", "sourceId"]),
    ("source_connected_warehouses", ["id", "sourceId"], "warehouse_connected_sources", ["warehouseId", "id"]),
    ("warehouse_selective_syncs", ["warehouseId", "sourceId"], "warehouse_connected_sources", ["warehouseId", "id"]),
    ("warehouse_syncs", ["warehouseId", "sourceId"], "warehouse_connected_sources", ["warehouseId", "id"]),
]
# stream, a parent that is removed, by the field that has its id
REMOVED = [
    ("audience_schedules", "spaceId"),
    ("audiences", "spaceId"),
    ("delivery_overview_failed_delivery", "destinationConfigId"),
    ("function_versions", "functionId"),
    ("group_users", "groupId"),
    ("reverse_etl_syncs", "subscriptionId"),
    ("source_settings", "sourceId"),
    ("space_filters", "spaceId"),
    ("tracking_plan_rules", "trackingPlanId"),
    ("user_groups", "userId"),
    ("warehouse_syncs", "warehouseId"),
]


def keys(rows: list[Record], *fields: str) -> set[tuple[object, ...]]:
    return {tuple(row[field] for field in fields) for row in rows}


def test_every_gate_is_known(still_world: SegmentWorld) -> None:
    assert {endpoint.gate for endpoint in still_world.endpoints} == {None, *GATES}


@pytest.mark.parametrize(("stream", "key"), KEYS.items())
def test_rows_are_unique_by_a_key_that_is_never_null(still_world: SegmentWorld, stream: str, key: list[str]) -> None:
    rows = still_world.expected(stream)
    assert rows
    assert len(keys(rows, *key)) == len(rows)
    assert all(row[field] is not None for row in rows for field in key)


def test_the_same_seed_and_clock_give_the_same_rows(clock: Clock, still_world: SegmentWorld) -> None:
    twin, other = (SegmentWorld(clock, seed=seed, scale=1) for seed in (7, 8))
    for stream in KEYS:
        assert twin.expected(stream) == still_world.expected(stream), stream
    assert keys(still_world.sources, "id").isdisjoint(keys(other.sources, "id"))


@pytest.mark.parametrize(("child", "fields", "parent", "parent_fields"), PARENTS)
@pytest.mark.parametrize("days", [0, 20])
def test_a_row_belongs_to_one_of_another_stream(
    clock: Clock, world: SegmentWorld, child: str, fields: list[str], parent: str, parent_fields: list[str], days: int
) -> None:
    clock.advance(timedelta(days=days))
    assert keys(world.expected(child), *fields) <= {
        tuple(row.get(field) for field in parent_fields) for row in world.expected(parent)
    }


def test_every_subscription_with_a_model_has_synced(still_world: SegmentWorld) -> None:
    modelled = [row for row in still_world.expected("destination_subscriptions") if row.get("modelId")]
    assert keys(modelled, "modelId", "id") == keys(
        still_world.expected("reverse_etl_syncs"), "modelId", "subscriptionId"
    )


def test_groups_say_how_many_members_they_have(still_world: SegmentWorld) -> None:
    members = Counter(row["groupId"] for row in still_world.expected("group_users"))
    assert {row["id"]: row["memberCount"] for row in still_world.expected("groups") if row["memberCount"]} == members


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("function_versions", "code"),
        ("insert_function_instances", "settings"),
        ("insert_function_instances", "encryptedSettings"),
        ("tracking_plan_sources", "writeKeys"),
        ("warehouse_connected_sources", "writeKeys"),
        ("credentials", "settings"),
    ],
)
def test_what_is_secret_is_not_expected_of_a_connector(still_world: SegmentWorld, stream: str, field: str) -> None:
    assert not any(field in row for row in still_world.expected(stream))


@pytest.mark.parametrize(
    ("stream", "pages"),
    [
        ("tracking_plan_rules", lambda rows: max(Counter(row["trackingPlanId"] for row in rows).values()) > 1000),
        ("audiences", lambda rows: max(Counter(row["spaceId"] for row in rows).values()) > 200),
        ("reverse_etl_syncs", lambda rows: max(Counter(row["subscriptionId"] for row in rows).values()) > 200),
        ("space_filters", lambda rows: max(Counter(row["spaceId"] for row in rows).values()) > 10),
    ],
)
def test_some_lists_are_longer_than_their_largest_page(
    still_world: SegmentWorld, stream: str, pages: Callable[[list[Record]], bool]
) -> None:
    assert pages(still_world.expected(stream))


@pytest.mark.parametrize(
    "stream",
    [
        "audiences",
        "credentials",
        "delivery_overview_successfully_received",
        "events_volume",
        "function_versions",
        "functions",
        "invites",
        "regulations",
        "reverse_etl_syncs",
        "source_settings",
        "space_events",
        "space_filters",
        "spaces",
        "suppressions",
        "tracking_plan_rules",
        "tracking_plans",
        "warehouse_syncs",
    ],
)
def test_two_days_bring_new_rows(clock: Clock, world: SegmentWorld, stream: str) -> None:
    before = keys(world.expected(stream), *KEYS[stream])
    clock.advance(timedelta(days=2))
    assert keys(world.expected(stream), *KEYS[stream]) - before


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("audiences", "enabled"),
        ("destination_filters", "enabled"),
        ("function_versions", "isDeployed"),
        ("regulations", "status"),
        ("reverse_etl_syncs", "syncStatus"),
        ("source_live_plugins", "version"),
        ("space_events", "lastSeenAt"),
        ("space_filters", "enabled"),
        ("tracking_plan_rules", "updatedAt"),
        ("tracking_plan_rules", "deprecatedAt"),
        ("warehouse_syncs", "end"),
    ],
)
def test_two_days_change_rows(clock: Clock, world: SegmentWorld, stream: str, field: str) -> None:
    before = {tuple(row[name] for name in KEYS[stream]): row.get(field) for row in world.expected(stream)}
    clock.advance(timedelta(days=2))
    after = {tuple(row[name] for name in KEYS[stream]): row.get(field) for row in world.expected(stream)}
    assert any(after[key] != before[key] for key in before.keys() & after.keys())


@pytest.mark.parametrize(("stream", "field"), REMOVED)
def test_rows_below_what_was_removed_are_not_expected(world: SegmentWorld, stream: str, field: str) -> None:
    before = world.expected(stream)
    world.removed_ids = {before[0][field]}
    assert world.expected(stream) == [row for row in before if row[field] != before[0][field]]


@pytest.mark.parametrize("stream", ["events_volume", "delivery_overview_failed_delivery"])
def test_a_start_drops_the_days_before_it(still_world: SegmentWorld, stream: str) -> None:
    rows = still_world.expected(stream, date(2026, 3, 1))
    assert min(row["time"] for row in rows) == "2026-03-01T00:00:00.000Z"
    assert len(rows) < len(still_world.expected(stream))


def test_a_regulation_is_listed_for_90_days(clock: Clock, world: SegmentWorld) -> None:
    clock.advance(timedelta(days=20))
    oldest = min(row["createdAt"] for row in world.expected("regulations"))
    assert datetime.fromisoformat(oldest.replace("Z", "+00:00")) > clock.now - timedelta(days=90)
