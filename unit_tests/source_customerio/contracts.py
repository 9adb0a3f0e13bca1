"""The contract of every stream except metrics."""

from dataclasses import replace

from cdp_connectors.json_types import Json
from unit_tests.helpers import JsonObject
from unit_tests.source_customerio.customerio_api import NOW_TS, START_TS, Contract


def incremental(name: str, path: str, data_key: str, cursor: str) -> Contract:
    return Contract(name, path, data_key, cursor=cursor, record={"id": 1, cursor: START_TS})


def design_studio(kind: str) -> Contract:
    return Contract(
        f"design_studio_{kind}",
        f"/design_studio/{kind}",
        kind,
        cursor="updated",
        record={"id": "123e4567-e89b-12d3-a456-426614174000", "updated": START_TS},
        parameters={"limit": "1000", "updated_after": str(START_TS - 1)},
        token="page",
    )


def child(name: str, path: str, data_key: str, parent: str, added: JsonObject, **others: Json) -> Contract:
    """A child stream, whose key is its parent's keys and its own `id`."""
    key = others.pop("primary_key", [*added, "id"])
    return Contract(name, path, data_key, key, added=added, parents=(parent,), **others)


def person(name: str, path: str, data_key: str, key: list[str], **others: Json) -> Contract:
    """A stream with one request per person."""
    added = {"cio_id": "30e00001", **others.pop("added", {})}
    parameters = {"id_type": "cio_id", **others.pop("parameters", {})}
    path = f"/customers/30e00001/{path}"
    return Contract(
        name, path, data_key, ["cio_id", *key], None, parameters, added=added, parents=("customers_search",), **others
    )


OBJECT = {"object_type_id": "1", "cio_object_id": "30e00002"}
USAGE = {"campaigns": [7], "sent_newsletters": [], "draft_newsletters": []}


CONTRACTS = [
    Contract("workspaces", "/workspaces", "workspaces"),
    incremental("campaigns", "/campaigns", "campaigns", "updated"),
    incremental("broadcasts", "/broadcasts", "broadcasts", "updated"),
    replace(
        incremental("newsletters", "/newsletters", "newsletters", "updated"),
        parameters={"limit": "100", "sort": "asc"},
        token="start",
    ),
    incremental("segments", "/segments", "segments", "updated_at"),
    incremental("transactional_messages", "/transactional", "messages", "updated_at"),
    incremental("exports", "/exports", "exports", "updated_at"),
    incremental("collections", "/collections", "collections", "updated_at"),
    replace(
        incremental("snippets", "/snippets", "snippets", "updated_at"),
        primary_key=["name"],
        record={"name": "footer", "value": "<p>", "updated_at": START_TS},
    ),
    Contract("topics", "/subscription_topics", "topics"),
    Contract("types", "/object_types", "types", record={"id": "1"}),
    Contract("reporting_webhooks", "/reporting_webhooks", "reporting_webhooks"),
    Contract(
        "ip_addresses",
        "/info/ip_addresses",
        "ip_addresses",
        ["ip_address"],
        record={"ip_address": "192.0.2.1"},
        served=lambda record: record["ip_address"],
    ),
    Contract(
        "sender_identities",
        "/sender_identities",
        "sender_identities",
        parameters={"limit": "100", "sort": "asc", "hidden": "false"},
        token="start",
    ),
    Contract(
        "eps_suppression",
        "/esp/suppression/bounces",
        "suppressions",
        ["suppression_type", "domain", "email"],
        parameters={"limit": "1000"},
        record={"email": "lost@example.net", "created": 1},
        added={"suppression_type": "bounces", "domain": ""},
        parents=("sender_identities",),
        token="offset",
    ),
    replace(
        incremental("messages", "/messages", "messages", "created"),
        parameters={
            "limit": "1000",
            "get_tracked_responses": "true",
            "start_ts": str(START_TS),
            "end_ts": str(NOW_TS),
        },
        record={"id": "dg==", "created": START_TS, "deduplicate_id": f"dg==:{NOW_TS}"},
        added={"updated_at": NOW_TS},
        token="start",
    ),
    replace(
        incremental("activities", "/activities", "activities", "timestamp"),
        parameters={"limit": "100", "deleted": "true"},
        record={"id": "01K", "timestamp": START_TS},
        token="start",
    ),
    Contract(
        "customers",
        "/customers/attributes",
        "customers",
        ["cio_id"],
        parameters={"id_type": "cio_id"},
        record={"id": "", "identifiers": {"cio_id": "30e00001", "email": None, "id": None}},
        added={"cio_id": "30e00001"},
        method="POST",
        parents=("customers_search",),
    ),
    child(
        "campaign_actions",
        "/campaigns/7/actions",
        "actions",
        "campaigns",
        {"campaign_id": 7},
        served=lambda record: {**record, "id": str(record["id"])},
        token="start",
    ),
    child(
        "broadcast_actions",
        "/broadcasts/5/actions",
        "actions",
        "broadcasts",
        {"broadcast_id": 5},
        served=lambda record: {**record, "id": str(record["id"])},
        token="start",
    ),
    child("broadcast_triggers", "/broadcasts/5/triggers", "triggers", "broadcasts", {"broadcast_id": 5}),
    Contract(
        "broadcast_trigger_errors",
        "/campaigns/5/triggers/9/errors",
        "errors",
        ["broadcast_id", "trigger_id", "index"],
        parameters={"limit": "100"},
        record={"error": "no such person"},
        added={"broadcast_id": 5, "trigger_id": 9, "index": 0},
        parents=("broadcasts", "broadcast_triggers"),
        served=lambda record: record.get("error"),
        token="start",
    ),
    child("newsletter_variants", "/newsletters/3/contents", "contents", "newsletters", {"newsletter_id": 3}),
    child(
        "newsletter_test_groups",
        "/newsletters/3/test_groups",
        "test_groups",
        "newsletters",
        {"newsletter_id": 3},
        record={"id": 0, "winner": False},
    ),
    child(
        "transactional_variants",
        "/transactional/2/contents",
        "contents",
        "transactional_messages",
        {"transactional_id": 2},
    ),
    child(
        "segment_memberships",
        "/segments/4/membership",
        "identifiers",
        "segments",
        {"segment_id": 4},
        primary_key=["segment_id", "cio_id"],
        parameters={"limit": "30000"},
        record={"cio_id": "30e00001", "id": "17"},
        token="start",
    ),
    child(
        "segment_counts",
        "/segments/4/customer_count",
        "",
        "segments",
        {"segment_id": 4},
        primary_key=["segment_id"],
        record={"segment_id": 4, "count": 0},
        is_list=False,
    ),
    child(
        "segment_usage",
        "/segments/4/used_by",
        "used_by",
        "segments",
        {"segment_id": 4},
        primary_key=["segment_id"],
        record=USAGE,
        is_list=False,
    ),
    child(
        "sender_usage",
        "/sender_identities/8/used_by",
        "",
        "sender_identities",
        {"sender_id": 8},
        primary_key=["sender_id"],
        record=USAGE,
        is_list=False,
    ),
    Contract(
        "objects",
        "/objects",
        "identifiers",
        ["object_type_id", "cio_object_id"],
        parameters={"limit": "100"},
        record={"cio_object_id": "30e00002", "object_id": "acme"},
        added={"object_type_id": "1"},
        method="POST",
        parents=("types",),
        token="start",
    ),
    Contract(
        "object_attributes",
        "/objects/1/30e00002/attributes",
        "object",
        ["object_type_id", "cio_object_id"],
        parameters={"id_type": "cio_object_id"},
        record={"attributes": {"seats": "1"}, "object_type_id": "1"},
        added=OBJECT,
        parents=("types", "objects"),
        is_list=False,
    ),
    Contract(
        "object_relationships",
        "/objects/1/30e00002/relationships",
        "cio_relationships",
        ["object_type_id", "cio_object_id", "cio_id"],
        parameters={"limit": "100", "id_type": "cio_object_id"},
        record={"identifiers": {"cio_id": "30e00001", "email": None}},
        added={**OBJECT, "cio_id": "30e00001"},
        parents=("types", "objects"),
        token="start",
    ),
    Contract(
        "collection_contents",
        "/collections/6/content",
        "",
        ["collection_id", "row_key"],
        record={"content": {"city": "Bergen"}},
        added={"collection_id": 6, "index": 0, "row_key": "0"},
        parents=("collections",),
        served=lambda record: record.get("content"),
    ),
    Contract("collection_sources", "/collections/sources", "sources", record={"id": "01JD8X", "name": "exports"}),
    child(
        "collection_syncs",
        "/collections/6/sync",
        "sync",
        "collections",
        {"collection_id": 6},
        primary_key=["collection_id"],
        record={"state": "active", "poll_hours": 24},
        is_list=False,
    ),
    child(
        "collection_sync_rejects",
        "/collections/6/sync/rejects",
        "rejects",
        "collections",
        {"collection_id": 6},
        primary_key=["collection_id", "file", "file_version", "row"],
        parameters={"limit": "1000"},
        record={"file": "a.csv", "file_version": "1", "row": 2, "code": "missing-key"},
    ),
    design_studio("emails"),
    design_studio("folders"),
    design_studio("components"),
    replace(
        incremental("assets", "/assets", "assets", "updated"),
        parameters={"limit": "1000"},
        token="page",
    ),
    replace(
        incremental("asset_folders", "/assets/folders", "folders", "updated"),
        parameters={"limit": "1000"},
        token="page",
    ),
    Contract("subscription_channels", "/subscription_channels", "channels"),
    Contract(
        "optouts",
        "/optouts",
        "optouts",
        ["cio_id"],
        parameters={"limit": "1000"},
        record={"cio_id": "30e00001", "optouts": [{"channel": "sms", "from": "+15550100"}]},
        token="start",
    ),
    person("person_segments", "segments", "segments", ["id"]),
    person(
        "person_relationships",
        "relationships",
        "cio_relationships",
        ["object_type_id", "cio_object_id"],
        parameters={"limit": "100"},
        record={"object_type_id": 1, "identifiers": {"cio_object_id": "30e00002", "object_id": "acme"}},
        added={"cio_object_id": "30e00002"},
        token="start",
    ),
    person(
        "person_subscription_preferences",
        "subscription_preferences",
        "customer",
        [],
        record={"id": "17", "unsubscribed": False},
        is_list=False,
    ),
    person("person_optouts", "optouts", "optouts", ["channel", "from"], record={"channel": "sms", "from": "+15550100"}),
]
DELIVERIES = next(contract for contract in CONTRACTS if contract.name == "messages")
CONTRACTS.append(replace(DELIVERIES, name="draft_messages", parameters={**DELIVERIES.parameters, "drafts": "true"}))
BY_NAME = {contract.name: contract for contract in CONTRACTS}
PAGED = [contract for contract in CONTRACTS if contract.token == "start"]
NUMBERED = [contract for contract in CONTRACTS if contract.token == "page"]
CHILDREN = [contract for contract in CONTRACTS if contract.parents and contract.name != "customers"]
SERVER_SIDE = [contract for contract in CONTRACTS if "updated_after" in contract.parameters]
CLIENT_SIDE = [
    contract
    for contract in CONTRACTS
    if contract.cursor and contract.cursor.startswith("updated") and contract not in SERVER_SIDE
]
