"""Properties of the rows of every stream, and relations between streams."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from sandbox.api.endpoints import OfParents
from sandbox.api.timeline import Record
from sandbox.clock import Clock
from sandbox.segment.access import GATES
from sandbox.segment.world import SegmentWorld

ENDPOINTS = {endpoint.stream: endpoint for endpoint in SegmentWorld(Clock(), seed=1, scale=0.01).endpoints}
BELOW = {
    stream: endpoint
    for stream, endpoint in ENDPOINTS.items()
    if isinstance(endpoint, OfParents) and "{" in endpoint.path and set(endpoint.adds) & set(endpoint.primary_key)
}
# references to rows of another stream: stream, its fields, the other stream, its fields
REFERENCES = [
    ("audience_activations", ["connectionId"], "audience_destination_connections", ["id"]),
    ("audience_references", ["id"], "audiences", ["id"]),
    ("destination_filters", ["destinationId", "sourceId"], "destinations", ["id", "sourceId"]),
    ("events_volume", ["sourceId"], "sources", ["id"]),
    ("group_invites", ["email"], "invites", ["email"]),
    ("group_users", ["id", "name", "email"], "users", ["id", "name", "email"]),
    ("group_users", ["groupId", "id"], "user_groups", ["id", "userId"]),
    ("user_groups", ["id", "userId"], "group_users", ["groupId", "id"]),
    ("insert_function_instances", ["functionId"], "functions", ["id"]),
    ("reverse_etl_syncs", ["modelId", "subscriptionId"], "destination_subscriptions", ["modelId", "id"]),
    ("reverse_etl_syncs", ["modelId", "sourceId"], "reverse_etl_models", ["id", "sourceId"]),
    ("profiles_warehouse_selective_syncs", ["spaceId", "warehouseId"], "profiles_warehouses", ["spaceId", "id"]),
    ("space_filters", ["spaceId"], "spaces", ["id"]),
    ("tracking_plan_sources", ["id"], "sources", ["id"]),
    ("warehouse_connected_sources", ["warehouseId", "id"], "source_connected_warehouses", ["id", "sourceId"]),
    ("source_connected_warehouses", ["id", "sourceId"], "warehouse_connected_sources", ["warehouseId", "id"]),
    ("warehouse_selective_syncs", ["warehouseId", "sourceId"], "warehouse_connected_sources", ["warehouseId", "id"]),
    ("warehouse_syncs", ["warehouseId", "sourceId"], "warehouse_connected_sources", ["warehouseId", "id"]),
]


def keys(rows: list[Record], *fields: str) -> set[tuple[object, ...]]:
    return {tuple(row[field] for field in fields) for row in rows}


def test_every_feature_gates_something() -> None:
    assert {endpoint.gate for endpoint in ENDPOINTS.values()} == {None, *GATES}


@pytest.mark.parametrize("stream", ENDPOINTS)
def test_rows_are_unique_by_a_key_that_is_never_null(still_world: SegmentWorld, stream: str) -> None:
    rows, key = still_world.expected(stream), ENDPOINTS[stream].primary_key
    assert rows
    assert len(keys(rows, *key)) == len(rows)
    assert all(row[field] is not None for row in rows for field in key)


@pytest.mark.parametrize("stream", BELOW)
def test_a_row_belongs_to_a_parent_that_is_listed(still_world: SegmentWorld, stream: str) -> None:
    lists = {endpoint.path: endpoint.stream for endpoint in still_world.endpoints}
    kind, first = BELOW[stream].path.split("/")[1:3]
    (field,) = [field for field, argument in BELOW[stream].adds.items() if f"{{{argument}}}" == first] or [""]
    if field and f"/{kind}" in lists:
        listed = still_world.expected(lists[f"/{kind}"])
        assert keys(still_world.expected(stream), field) <= keys(listed, "id")


def test_the_same_seed_and_clock_give_the_same_rows(clock: Clock, still_world: SegmentWorld) -> None:
    twin, other = (SegmentWorld(clock, seed=seed, scale=1) for seed in (7, 8))
    for stream in ENDPOINTS:
        assert twin.expected(stream) == still_world.expected(stream), stream
    assert keys(still_world.sources, "id").isdisjoint(keys(other.sources, "id"))


@pytest.mark.parametrize(("child", "fields", "parent", "parent_fields"), REFERENCES)
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


def test_groups_contain_their_number_of_members(still_world: SegmentWorld) -> None:
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
def test_secrets_are_not_expected_from_a_connector(still_world: SegmentWorld, stream: str, field: str) -> None:
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
    before = keys(world.expected(stream), *ENDPOINTS[stream].primary_key)
    clock.advance(timedelta(days=2))
    assert keys(world.expected(stream), *ENDPOINTS[stream].primary_key) - before


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
    def values() -> dict[tuple[object, ...], object]:
        key = ENDPOINTS[stream].primary_key
        return {tuple(row[name] for name in key): row.get(field) for row in world.expected(stream)}

    before = values()
    clock.advance(timedelta(days=2))
    after = values()
    assert any(after[key] != before[key] for key in before.keys() & after.keys())


@pytest.mark.parametrize("stream", BELOW)
def test_rows_below_removed_objects_are_not_expected(world: SegmentWorld, stream: str) -> None:
    before = world.expected(stream)
    field = next(field for field in BELOW[stream].adds if field in BELOW[stream].primary_key)
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
