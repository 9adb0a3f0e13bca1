"""The contract of every stream, in the order of Segment's reference."""

from typing import Any

from unit_tests.source_segment.segment_api import ONE_DAY, Contract


def usage(name: str, endpoint: str, data_key: str, keys: str) -> Contract:
    row = {"sourceId": "s1", "periodStart": 1, "timestamp": "2026-11-22T00:00:00.000Z"}
    return Contract(
        name,
        f"/usage/{endpoint}",
        data_key,
        keys,
        "timestamp",
        parameters={"period": "2026-11-01"},
        added={"period": "2026-11-01"},
        record={name: row[name] for name in keys.split()},
    )


def series(
    name: str, path: str, data_key: str, grouping: str, parent: str | None = None, **parameters: str
) -> Contract:
    """A daily series; `grouping` lists its grouping fields in the order of the request."""
    groups = grouping.split()
    objects = [name for name in parameters if name.endswith("Id")]
    key = [*(objects or ["sourceId"]), *(name for name in groups if name != "source"), "time", "granularity"]
    return Contract(
        name,
        path,
        data_key,
        " ".join(key),
        "time",
        parameters={
            "granularity": "DAY",
            **ONE_DAY,
            **parameters,
            **{f"groupBy.{index}": group for index, group in enumerate(groups)},
        },
        added={"sourceId": "s1", "granularity": "DAY", "eventName": "", **parameters},
        record={
            **{group: group for group in groups if group not in {"source", "eventName"}},
            **({"source": {"id": "s1", "slug": "s"}} if "source" in groups else {}),
            "time": "2026-11-22T00:00:00.000Z",
            "count": 3,
        },
        shape="series",
        parent=parent,
    )


def overview_of_source(name: str, keys: str) -> Contract:
    path = f"/delivery-overview/{name.replace('_', '-')}"
    return series(f"delivery_overview_{name}", path, "dataset", keys, "s1", sourceId="s1")


def overview_of_destination(name: str) -> Contract:
    path = f"/delivery-overview/{name.replace('_', '-')}"
    keys = "eventName eventType discardReason"
    return series(f"delivery_overview_{name}", path, "dataset", keys, "d1", sourceId="s1", destinationConfigId="d1")


SPACE = {"parent": "sp1", "added": {"spaceId": "sp1"}}
AUDIENCE = {"parent": "a1", "added": {"spaceId": "sp1", "audienceId": "a1"}}
WAREHOUSE = {"parent": "w1", "added": {"warehouseId": "w1"}}
SOURCE = {"parent": "s1", "added": {"sourceId": "s1"}}
ONE_OBJECT: dict[str, Any] = {"shape": "object", "paging": {}}
WHOLE_DATA: dict[str, Any] = {"shape": "data", "paging": {}}

CONTRACTS = [
    usage("usage_api_calls_workspace_daily", "api-calls/daily", "dailyWorkspaceAPICallsUsage", "timestamp"),
    usage(
        "usage_api_calls_per_source_daily",
        "api-calls/sources/daily",
        "dailyPerSourceAPICallsUsage",
        "sourceId timestamp",
    ),
    Contract("audience_activations", "/spaces/sp1/audiences/a1/activations", "activations", **AUDIENCE),
    Contract(
        "audience_destination_connections",
        "/spaces/sp1/audiences/a1/destination-connections",
        "connections",
        "audienceId id",
        **AUDIENCE,
    ),
    Contract(
        "audiences",
        "/spaces/sp1/audiences",
        "audiences",
        "spaceId id",
        parameters={"include": "schedules"},
        paging={"pagination[count]": "200"},
        **SPACE,
    ),
    Contract(
        "audience_schedules",
        "/spaces/sp1/audiences/a1/schedules",
        "audienceSchedules",
        "audienceId id",
        paging={},
        **AUDIENCE,
    ),
    Contract(
        "audience_references",
        "/spaces/sp1/audiences/a1/audience-references",
        "audiences",
        "audienceId id",
        **AUDIENCE,
    ),
    Contract(
        "audit_events",
        "/audit-events",
        "events",
        cursor="timestamp",
        parameters={"startTime": "2026-11-21T23:59:59Z", "endTime": "2026-11-22T11:58:59Z"},
        record={"id": "1", "timestamp": "2026-11-22T01:00:00.500Z"},
    ),
    Contract("catalog_destinations", "/catalog/destinations", "destinationsCatalog"),
    Contract("catalog_sources", "/catalog/sources", "sourcesCatalog"),
    Contract("catalog_warehouses", "/catalog/warehouses", "warehousesCatalog"),
    Contract("computed_traits", "/spaces/sp1/computed-traits", "computedTraits", "spaceId id", **SPACE),
    Contract("credentials", "/credentials", "credentials", removed=["settings"]),
    Contract("regulations", "/regulations", "regulations"),
    Contract(
        "source_regulations",
        "/regulations/sources/s1",
        "regulations",
        "sourceId id",
        **SOURCE,
    ),
    Contract(
        "suppressions",
        "/suppressions",
        "suppressed",
        "subjectType subjectId",
        record={"subjectType": "USER_ID", "subjectId": "1"},
        shape="subjects",
    ),
    overview_of_source("successfully_received", "eventName eventType"),
    overview_of_source("failed_on_ingest", "eventName eventType discardReason"),
    overview_of_source("filtered_at_source", "eventName eventType discardReason"),
    overview_of_destination("filtered_at_destination"),
    overview_of_destination("failed_delivery"),
    overview_of_destination("successful_delivery"),
    Contract("destination_filters", "/destination/d1/filters", "filters", parent="d1", added={"destinationId": "d1"}),
    Contract("destinations", "/destinations", "destinations"),
    Contract(
        "destination_subscriptions",
        "/destinations/d1/subscriptions",
        "subscriptions",
        parent="d1",
        added={"destinationId": "d1"},
    ),
    Contract(
        "destination_delivery_metrics_summary",
        "/destinations/d1/delivery-metrics",
        "deliveryMetricsSummary",
        "sourceId destinationId granularity startTime",
        "startTime",
        parameters={"sourceId": "s1", "granularity": "DAY", **ONE_DAY},
        added={"destinationId": "d1", "granularity": "DAY", **ONE_DAY, "endTime": "2026-11-23T00:00:00Z"},
        record={"sourceId": "s1", "metrics": []},
        parent="d1",
        **ONE_OBJECT,
    ),
    series("events_volume", "/events/volume", "result", "source eventType eventName"),
    Contract(
        "functions",
        "/functions",
        "functions",
        parameters={"resourceType": "SOURCE"},
        added={"resourceType": "SOURCE"},
        query="resourceType=SOURCE",
    ),
    Contract(
        "function_versions",
        "/functions/f1/versions",
        "versions",
        "functionId id",
        parent="f1",
        added={"functionId": "f1"},
    ),
    Contract(
        "insert_function_instances",
        "/insert-function-instances",
        "instances",
        parameters={"functionId": "f1"},
        parent="f1",
        added={"functionId": "f1"},
        removed=["settings", "encryptedSettings"],
    ),
    Contract("groups", "/groups", "userGroups"),
    Contract("group_users", "/groups/g1/users", "users", "groupId id", parent="g1", added={"groupId": "g1"}),
    Contract(
        "group_invites",
        "/groups/g1/invites",
        "emails",
        "groupId email",
        record={"email": "1"},
        shape="strings",
        parent="g1",
        added={"groupId": "g1"},
    ),
    Contract("roles", "/roles", "roles"),
    Contract("users", "/users", "users"),
    Contract("user_groups", "/users/u1/groups", "groups", "userId id", parent="u1", added={"userId": "u1"}),
    Contract("invites", "/invites", "invites", "email", record={"email": "1"}, shape="strings"),
    Contract("labels", "/labels", "labels", "key value", record={"key": "1", "value": "2"}, paging={}),
    Contract(
        "source_live_plugins",
        "/sources/s1/live-plugins/latest",
        "livePlugin",
        "sourceId id",
        absent="this source has no live plugin or the plan lacks Live Plugins",
        **ONE_OBJECT,
        **SOURCE,
    ),
    usage("usage_mtu_workspace_daily", "mtu/daily", "dailyWorkspaceMTUUsage", "periodStart timestamp"),
    usage(
        "usage_mtu_per_source_daily",
        "mtu/sources/daily",
        "dailyPerSourceMTUUsage",
        "sourceId periodStart timestamp",
    ),
    Contract("profiles_warehouses", "/spaces/sp1/profiles-warehouses", "profilesWarehouses", "spaceId id", **SPACE),
    Contract(
        "profiles_warehouse_selective_syncs",
        "/spaces/sp1/profiles-warehouses/pw1/selective-syncs",
        "items",
        "spaceId warehouseId collection",
        record={"collection": "tracks"},
        parent="pw1",
        added={"spaceId": "sp1", "warehouseId": "pw1"},
    ),
    Contract("reverse_etl_models", "/reverse-etl-models", "models"),
    Contract(
        "reverse_etl_syncs",
        "/reverse-etl-models/m1/subscriptionId/sub1/syncs",
        "syncStatuses",
        "modelId subscriptionId syncId",
        record={"syncId": "1"},
        paging={"count": "100"},
        parent="sub1",
        added={"modelId": "m1", "subscriptionId": "sub1"},
    ),
    Contract(
        "warehouse_syncs",
        "/warehouses/w1/syncs",
        "reports",
        "warehouseId sourceId start",
        record={"sourceId": "s1", "start": "2026-11-22T00:00:00Z"},
        **WAREHOUSE,
    ),
    Contract(
        "warehouse_selective_syncs",
        "/warehouses/w1/connected-sources/cs1/selective-syncs",
        "items",
        "warehouseId sourceId collection",
        record={"warehouseId": "w1", "sourceId": "cs1", "collection": "tracks"},
        parent="cs1",
    ),
    Contract(
        "warehouse_sync_schedules",
        "/warehouses/w1/advanced-sync-schedule",
        "schedule",
        "warehouseId",
        record={"enabled": True, "schedule": {"times": []}},
        **WHOLE_DATA,
        **WAREHOUSE,
    ),
    Contract("sources", "/sources", "sources"),
    Contract(
        "source_connected_destinations",
        "/sources/s1/connected-destinations",
        "destinations",
        "sourceId id",
        **SOURCE,
    ),
    Contract("source_connected_warehouses", "/sources/s1/connected-warehouses", "warehouses", "sourceId id", **SOURCE),
    Contract(
        "source_settings",
        "/sources/s1/settings",
        "settings",
        "sourceId",
        record={"sourceId": "s1", "settings": {"track": {}}},
        parent="s1",
        **WHOLE_DATA,
    ),
    Contract(
        "space_filters",
        "/filters",
        "filters",
        parameters={"integrationId": "sp1"},
        paging={"pagination[count]": "10"},
        **SPACE,
    ),
    Contract(
        "space_events",
        "/spaces/sp1/events",
        "events",
        "spaceId name type",
        record={"name": "Order Completed", "type": "TRACK"},
        **SPACE,
    ),
    Contract(
        "space_traits",
        "/spaces/sp1/traits",
        "traits",
        "spaceId collection trait",
        parameters={"collection": "users"},
        record={"trait": "plan"},
        parent="sp1",
        added={"spaceId": "sp1", "collection": "users"},
    ),
    Contract("space_entity_paths", "/spaces/sp1/entity-paths", "entityPaths", "spaceId id", **SPACE),
    Contract("spaces", "/spaces", "spaces"),
    Contract("tracking_plans", "/tracking-plans", "trackingPlans"),
    Contract(
        "tracking_plan_rules",
        "/tracking-plans/tp1/rules",
        "rules",
        "trackingPlanId type key version",
        record={"type": "COMMON", "version": 1},
        parent="tp1",
        added={"trackingPlanId": "tp1", "key": ""},
    ),
    Contract(
        "tracking_plan_sources",
        "/tracking-plans/tp1/sources",
        "sources",
        "trackingPlanId id",
        parent="tp1",
        added={"trackingPlanId": "tp1"},
        removed=["writeKeys"],
    ),
    Contract("transformations", "/transformations", "transformations"),
    Contract("warehouses", "/warehouses", "warehouses"),
    Contract(
        "warehouse_connected_sources",
        "/warehouses/w1/connected-sources",
        "sources",
        "warehouseId id",
        removed=["writeKeys"],
        **WAREHOUSE,
    ),
    Contract(
        "warehouse_connection_states",
        "/warehouses/w1/connection-state",
        "connectionState",
        "warehouseId",
        record={"connectionState": "CONNECTED"},
        **WHOLE_DATA,
        **WAREHOUSE,
    ),
    Contract("workspace", "/", "workspace", **ONE_OBJECT),
]
BY_NAME = {contract.name: contract for contract in CONTRACTS}
LISTS = [contract for contract in CONTRACTS if contract.is_list]
PAGED = [contract for contract in CONTRACTS if contract.paging]
CHILDREN = [contract for contract in CONTRACTS if contract.parent]
