"""Data activation: the objects that `discover` offers, and the calls that mapped records become."""

import logging

import orjson
import pytest
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_protocol.models import AirbyteMessage, DestinationSyncMode, Type
from requests_mock import Mocker

from cdp_connectors.json_types import Json, JsonObject
from destination_segment import DestinationSegment
from unit_tests.destination_segment.segment_writes import catalog_of, record, sent_items, state, write

API = "https://api.segmentapis.com"
SOURCES: JsonObject = {"data": {"sources": [{"slug": "web", "writeKeys": ["sandbox-key"]}]}}
KEY: JsonObject = {"write_key": "sandbox-key"}
TOKEN: JsonObject = {**KEY, "public_api_token": "token"}


def rule(kind: str, key: str | None, bag: JsonObject, version: int = 1) -> JsonObject:
    name = "traits" if kind in {"IDENTIFY", "GROUP"} else "properties"
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {name: bag}}
    return {"type": kind, "version": version, "jsonSchema": schema} | ({"key": key} if key else {})


ORDER: JsonObject = {
    "type": "object",
    "properties": {"orderId": {"type": "string"}, "value": {"type": ["number", "null"]}},
    "required": ["orderId"],
}
COMMON: JsonObject = {
    "type": "COMMON",
    "version": 1,
    "jsonSchema": {"type": "object", "properties": {"context": {"type": "object", "required": ["ip"]}}},
}


@pytest.fixture
def plans(api: Mocker) -> Mocker:
    """A workspace with two live plans that share an event, and a library."""
    found = [
        {"id": "tp_1", "type": "LIVE", "name": "Shop"},
        {"id": "tp_2", "type": "LIVE", "name": "App"},
        {"id": "tp_3", "type": "RULE_LIBRARY", "name": "Library"},
    ]
    rules = {
        "tp_1": [
            rule("TRACK", "Order Completed", {**ORDER, "required": []}),
            rule("TRACK", "Order Completed", ORDER, version=2),
            rule("IDENTIFY", None, {"type": "object", "properties": {"plan": {"enum": ["free", "pro"]}}}),
            rule("PAGE", "Home", {"type": "object", "properties": {}}),
            rule("TRACK", "Signed Up", {"type": "object"}),
        ],
        "tp_2": [rule("TRACK", "Signed Up", {"type": "object"}), rule("TRACK", "Opened", {"type": "object"}), COMMON],
        "tp_3": [rule("TRACK", "Never", {"type": "object"})],
    }
    api.get(f"{API}/sources", json=SOURCES)
    api.get(f"{API}/tracking-plans", json={"data": {"trackingPlans": found}})
    for plan, its_rules in rules.items():
        api.get(f"{API}/tracking-plans/{plan}/rules", json={"data": {"rules": its_rules}})
    return api


def operations(config: JsonObject) -> dict[tuple[str, str], JsonObject]:
    """The operations by object and sync mode, each as protocol 0.18 reads it."""
    line = DestinationSegment().discover(config)
    message = AirbyteMessage.model_validate_json(line)
    assert message.type is Type.DESTINATION_CATALOG
    assert message.destination_catalog
    assert all(isinstance(each.sync_mode, DestinationSyncMode) for each in message.destination_catalog.operations)
    found: list[JsonObject] = orjson.loads(line)["destination_catalog"]["operations"]
    return {(each["object_name"], each["sync_mode"]): each for each in found}


def activated(object_name: str, fields: list[str] | JsonObject) -> JsonObject:
    catalog = catalog_of(properties=fields)
    catalog["streams"][0] |= {"destination_object_name": object_name, "destination_sync_mode": "append"}
    return catalog


def sent(api: Mocker, object_name: str, data: JsonObject, config: JsonObject = KEY) -> JsonObject:
    written = write(config, activated(object_name, list(data)), [record(data), state(1)])
    assert written.error is None
    assert written.counts == [(1, 0)]
    [item] = sent_items(api)
    item.pop("messageId")
    return item


def test_every_call_is_an_object_of_the_destination() -> None:
    found = operations(KEY)
    assert {name for name, _ in found} == {"identify", "track", "group", "page", "screen", "alias"}
    identify = found["identify", "append_dedup"]
    assert identify["matching_keys"] == [["userId"], ["anonymousId"]]
    assert {"userId", "email", "firstName", "address.city", "company.employee_count", "context.ip"} <= set(
        identify["json_schema"]["properties"]
    )
    assert identify["json_schema"]["properties"]["age"] == {"type": ["null", "number"]}
    assert found["track", "append"]["json_schema"]["required"] == ["event"]
    assert found["group", "append_dedup"]["matching_keys"] == [["groupId"]]
    assert found["alias", "append"]["json_schema"]["required"] == ["userId", "previousId"]
    modes = DestinationSegment().spec(logging.getLogger("airbyte")).supported_destination_sync_modes or []
    assert {mode for _, mode in found} <= {mode.value for mode in modes}


@pytest.mark.usefixtures("plans")
def test_every_rule_of_a_tracking_plan_is_an_object() -> None:
    found = operations(TOKEN)
    assert {name for name, _ in found} - {name for name, _ in operations(KEY)} == {
        "Track: Order Completed",
        "Track: Opened",
        "Track: Signed Up (Shop)",
        "Track: Signed Up (App)",
        "Identify (Shop)",
        "Page: Home",
    }
    schema = found["Track: Order Completed", "append"]["json_schema"]
    assert schema["properties"]["value"] == {"type": ["number", "null"]}
    assert schema["required"] == ["orderId"]
    assert "event" not in schema["properties"]


def test_without_the_feature_the_objects_of_the_spec_remain(api: Mocker, caplog: pytest.LogCaptureFixture) -> None:
    api.get(f"{API}/tracking-plans", status_code=403, json={"errors": [{"message": "not on your plan"}]})
    assert operations(TOKEN).keys() == operations(KEY).keys()
    assert any("not on your plan" in message for message in caplog.messages)


def test_a_rejected_token_is_an_error(api: Mocker) -> None:
    api.get(f"{API}/tracking-plans", status_code=401)
    with pytest.raises(AirbyteTracedException, match="did not accept the credentials"):
        operations(TOKEN)


def test_a_rule_that_cannot_be_applied_is_not_offered(api: Mocker) -> None:
    foreign = {"type": "TRACK", "key": "Foreign", "jsonSchema": {"$ref": "https://example.com/schema.json"}}
    invalid = {"type": "TRACK", "key": "Invalid", "jsonSchema": {"type": "objekt"}}
    absent = {"type": "TRACK", "key": "Absent", "jsonSchema": None}
    api.get(f"{API}/tracking-plans", json={"data": {"trackingPlans": [{"id": "tp", "type": "LIVE"}]}})
    api.get(f"{API}/tracking-plans/tp/rules", json={"data": {"rules": [foreign, invalid, absent]}})
    assert operations(TOKEN).keys() == operations(KEY).keys()


@pytest.mark.parametrize(
    ("object_name", "data", "body"),
    [
        (
            "identify",
            {
                "userId": 7,
                "email": "a@example.com",
                "address.city": "Oslo",
                "company.name": "Initech",
                "age": "42",
                "tier": "gold",
                "context.ip": "8.8.8.8",
                "timestamp": "2026-01-02",
            },
            {
                "type": "identify",
                "userId": "7",
                "traits": {
                    "email": "a@example.com",
                    "address": {"city": "Oslo"},
                    "company": {"name": "Initech"},
                    "age": 42,
                    "tier": "gold",
                },
                "context": {"ip": "8.8.8.8"},
                "timestamp": "2026-01-02T00:00:00.000Z",
            },
        ),
        (
            "track",
            {"anonymousId": "a", "event": "Bought", "revenue": "5", "sku": "s"},
            {
                "type": "track",
                "anonymousId": "a",
                "event": "Bought",
                "properties": {"revenue": 5, "sku": "s", "currency": "USD"},
            },
        ),
        (
            "group",
            {"userId": "u", "groupId": 8, "name": "Initech"},
            {"type": "group", "userId": "u", "groupId": "8", "traits": {"name": "Initech"}},
        ),
        (
            "page",
            {"userId": "u", "name": "Home", "url": "https://example.com"},
            {"type": "page", "userId": "u", "name": "Home", "properties": {"url": "https://example.com"}},
        ),
        ("alias", {"userId": "new", "previousId": "old"}, {"type": "alias", "userId": "new", "previousId": "old"}),
    ],
)
def test_a_mapped_record_becomes_its_objects_call(
    api: Mocker, object_name: str, data: JsonObject, body: JsonObject
) -> None:
    assert sent(api, object_name, data) == body


def test_a_record_of_a_rule_becomes_its_event(plans: Mocker) -> None:
    data = {"userId": "u", "orderId": "o1", "value": 5}
    assert sent(plans, "Track: Order Completed", data, TOKEN) == {
        "type": "track",
        "userId": "u",
        "event": "Order Completed",
        "properties": {"orderId": "o1", "value": 5},
    }


@pytest.mark.parametrize(
    ("object_name", "data", "reason"),
    [
        (
            "Track: Order Completed",
            {"userId": "u", "value": 5},
            "violates the rule 'Track: Order Completed' of the tracking plan 'Shop': properties.orderId missing",
        ),
        (
            "Track: Order Completed",
            {"userId": "u", "orderId": 5, "coupon": "secret"},
            (
                "violates the rule 'Track: Order Completed' of the tracking plan 'Shop': properties.orderId is not of "
                "type string"
            ),
        ),
        (
            "Identify (Shop)",
            {"userId": "u", "plan": "secret"},
            "violates the rule 'Identify' of the tracking plan 'Shop': traits.plan does not satisfy 'enum'",
        ),
        (
            "Track: Opened",
            {"userId": "u", "context.locale": "secret"},
            "violates the rule 'Track: Opened' of the tracking plan 'App': context.ip missing",
        ),
    ],
)
def test_a_record_that_violates_the_plan_cannot_be_sent(
    plans: Mocker, object_name: str, data: JsonObject, reason: str
) -> None:
    config = {**TOKEN, "on_invalid": "skip"}
    written = write(config, activated(object_name, list(data)), [record(data), state(1)])
    assert (written.error, written.counts) == (None, [(0, 1)])
    assert not sent_items(plans)
    failed = write(TOKEN, activated(object_name, list(data)), [record(data)])
    assert f"1 of stream 'users': {reason}" in str(failed.error)
    assert "secret" not in str(failed.error)


@pytest.mark.parametrize(
    ("object_name", "fields", "problem"),
    [
        ("contacts", ["userId"], "is mapped to the object 'contacts', which Segment does not have."),
        ("identify", ["email"], "is mapped to 'identify', which needs the fields userId or anonymousId."),
        ("group", ["userId"], "is mapped to 'group', which needs the fields userId or anonymousId, groupId."),
        ("track", ["userId"], "is mapped to 'track', which needs the fields userId or anonymousId, event."),
    ],
)
def test_an_impossible_mapping_fails_before_anything_is_sent(
    api: Mocker, object_name: str, fields: list[str], problem: str
) -> None:
    written = write(KEY, activated(object_name, fields), [record(dict.fromkeys(fields, "x"))])
    assert problem in str(written.error)
    assert not api.request_history


def test_other_streams_of_the_connection_keep_their_mappings(api: Mocker) -> None:
    catalog: Json = activated("identify", ["userId"])
    catalog["streams"] += catalog_of("orders", ["id"])["streams"]
    track = {"call_type": "track", "user_id_field": "id", "event_name": "Ordered"}
    config = {**KEY, "mappings": [{"stream": "orders", "call": track}]}
    assert write(config, catalog, [record({"userId": "u"}), record({"id": 1}, "orders")]).error is None
    assert sorted(item["type"] for item in sent_items(api)) == ["identify", "track"]
