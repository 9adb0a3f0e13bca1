"""`source-…` through the platform into `destination-segment`."""

import json
from datetime import timedelta

import pytest

from cdp_connectors.json_types import JsonObject
from sandbox.airbyte import Connector, DestinationNames, ScriptedSource, configured, run_sync
from sandbox.server import Sandbox

USERS: JsonObject = {
    "stream": "users",
    "call": {
        "call_type": "identify",
        "user_id_field": "id",
        "traits": {"selection": "list", "fields": ["email", "name"]},
    },
}
EVENTS: JsonObject = {
    "stream": "audit_events",
    "call": {
        "call_type": "track",
        "anonymous_id_field": "id",
        "event_name_field": "type",
        "timestamp_field": "timestamp",
        "properties": {"selection": "mapping", "mapping": [{"name": "resource", "field": "resourceType"}]},
    },
}


@pytest.mark.parametrize("names", [DestinationNames(), DestinationNames(namespace="crm")], ids=["plain", "namespace"])
def test_the_records_of_a_source_arrive_in_segment(sandbox: Sandbox, names: DestinationNames) -> None:
    configs = sandbox.configs()
    start = (sandbox.clock.now - timedelta(days=10)).date()
    source = Connector("source_segment", {**configs["source-segment"], "start_date": start.isoformat()})
    catalog = configured(source.discover(), ["users", "audit_events"])
    destination = Connector("destination_segment", {**configs["destination-segment"], "mappings": [USERS, EVENTS]})
    attempt = run_sync(source, destination, catalog, names=names)

    assert (attempt.status, attempt.failures) == ("succeeded", [])
    assert attempt.stream_status == {"users": "COMPLETE", "audit_events": "COMPLETE"}
    assert attempt.states.keys() == {"users", "audit_events"}
    received = sandbox.segment_tracking.messages
    people = {message["userId"]: message["traits"] for message in received if message["type"] == "identify"}
    assert people == {
        user["id"]: {name: user[name] for name in ("email", "name") if name in user}
        for user in sandbox.segment.expected("users")
    }
    events = {message["anonymousId"]: message["event"] for message in received if message["type"] == "track"}
    assert events == {event["id"]: event["type"] for event in sandbox.segment.expected("audit_events", start)}


def test_the_rules_of_the_workspaces_tracking_plans_can_be_activated(sandbox: Sandbox) -> None:
    destination = Connector("destination_segment", sandbox.configs()["destination-segment"])
    discovered = destination.run("discover", config=destination.config).destination_catalog
    operations = (discovered or {})["operations"]
    rule = next(
        each for each in operations if each["object_name"].startswith("Track: ") and each["json_schema"]["required"]
    )
    [required] = rule["json_schema"]["required"]
    fields = {"userId": {"type": "string"}, required: {"type": ["string", "number", "boolean"]}}
    stream = {"name": "orders", "json_schema": {"type": "object", "properties": fields}, "supported_sync_modes": []}
    catalog = {
        "streams": [
            {
                "stream": stream,
                "sync_mode": "incremental",
                "destination_sync_mode": "append",
                "destination_object_name": rule["object_name"],
                "primary_key": [["userId"]],
            }
        ]
    }
    is_string = rule["json_schema"]["properties"][required]["type"] == "string"
    good, bad = ("a", True) if is_string else (5, "a")
    rows = [{"userId": "u1", required: good}, {"userId": "u2", required: bad}]
    lines = [{"type": "RECORD", "record": {"stream": "orders", "data": row, "emitted_at": 1}} for row in rows]
    described = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "orders"}, "stream_state": {"n": 2}}}
    source = ScriptedSource([json.dumps(each).encode() for each in (*lines, {"type": "STATE", "state": described})])
    destination = Connector("destination_segment", {**destination.config, "on_invalid": "skip"})
    attempt = run_sync(source, destination, catalog)

    assert attempt.status == "succeeded"
    [message] = sandbox.segment_tracking.messages
    assert (message["event"], message["userId"]) == (
        rule["object_name"].removeprefix("Track: ").partition(" (")[0],
        "u1",
    )
    assert attempt.states["orders"]["destinationStats"] == {"recordCount": 1, "rejectedRecordCount": 1}
