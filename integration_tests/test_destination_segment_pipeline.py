"""`source-… read | destination-segment write`, as two processes joined by a pipe."""

from datetime import timedelta

from sandbox.connector_process import ConnectorProcess, configured
from sandbox.destination_process import DestinationProcess
from sandbox.server import Sandbox

USERS = {
    "stream": "users",
    "call_type": "identify",
    "user_id_field": "id",
    "traits": {"selection": "list", "fields": ["email", "name"]},
}
EVENTS = {
    "stream": "audit_events",
    "call_type": "track",
    "anonymous_id_field": "id",
    "event_name_field": "type",
    "timestamp_field": "timestamp",
    "properties": {"selection": "mapping", "mapping": [{"name": "resource", "field": "resourceType"}]},
}


def test_what_a_source_reads_arrives_in_segment(sandbox: Sandbox) -> None:
    configs = sandbox.configs()
    start = (sandbox.clock.now - timedelta(days=10)).date()
    source_config = {**configs["source-segment"], "start_date": start.isoformat()}
    discovered = ConnectorProcess("source_segment").discover(source_config).catalog or {}
    catalog = configured(discovered, ["users", "audit_events"])
    config = {**configs["destination-segment"], "mappings": [USERS, EVENTS]}
    exit_code, output = DestinationProcess("destination_segment").write_from(
        "source_segment", source_config, catalog, config
    )

    assert (exit_code, output.exit_code, output.errors) == (0, 0, [])
    assert output.states.keys() == {"users", "audit_events"}
    received = sandbox.segment_tracking.messages
    people = {message["userId"]: message["traits"] for message in received if message["type"] == "identify"}
    assert people == {
        user["id"]: {name: user[name] for name in ("email", "name") if name in user}
        for user in sandbox.segment.expected("users")
    }
    events = {message["anonymousId"]: message["event"] for message in received if message["type"] == "track"}
    assert events == {event["id"]: event["type"] for event in sandbox.segment.expected("audit_events", start)}
