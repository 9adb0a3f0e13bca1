"""source-segment with each interpretation of Segment's documentation that the sandbox supports."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache

import pytest

from integration_tests.rows import JsonObject, by_key
from sandbox.airbyte import Attempt, BulkCdkLike, Connector, configured, run_sync
from sandbox.server import Sandbox

START = datetime.now(timezone.utc) - timedelta(days=10)
MANY = ["sources", "source_regulations", "destination_subscriptions", "reverse_etl_syncs", "space_filters", "audiences"]
OVERVIEW = "delivery_overview_failed_delivery"
OVERVIEWS = [OVERVIEW, "delivery_overview_filtered_at_destination", "delivery_overview_successful_delivery"]
METRICS = "destination_delivery_metrics_summary"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(scale=0.1) as running:
        yield running


@cache
def discovered() -> JsonObject:
    """The catalog, which is the same for every workspace."""
    return Connector("source_segment", {"api_token": "unused"}).discover()


def synced(sandbox: Sandbox, *streams: str, **settings: object) -> tuple[Attempt, BulkCdkLike, JsonObject]:
    config = {**sandbox.configs()["source-segment"], "start_date": START.strftime("%Y-%m-%d"), "retries": 3, **settings}
    source = Connector("source_segment", config)
    catalog = configured(source.discover() if "delivery_grouping" in settings else discovered(), list(streams))
    destination = BulkCdkLike()
    return run_sync(source, destination, catalog), destination, catalog


def assert_all_rows(sandbox: Sandbox, destination: BulkCdkLike, catalog: JsonObject, **reading: object) -> None:
    for stream in (each["stream"] for each in catalog["streams"]):
        name = stream["name"]
        expected = sandbox.segment.expected(name, START.date(), **reading)
        if name == "sources":
            expected = [{key: value for key, value in row.items() if key != "writeKeys"} for row in expected]
        assert by_key(destination.table(name), stream).keys() == by_key(expected, stream).keys(), name


@pytest.mark.parametrize(
    "reading",
    [
        {"largest_page": 1},
        {"largest_page": 7, "after_last_page": "empty"},
        {"largest_page": 7, "after_last_page": "own cursor"},
        {"repeat_records": True},
        {"rate_limit_remaining": "word"},
        {"rate_limit_remaining": "absent"},
        {"pagination_required": False},
    ],
    ids=str,
)
def test_every_way_of_paging_gives_the_same_rows(sandbox: Sandbox, reading: JsonObject) -> None:
    sandbox.segment.change(reading)

    attempt, destination, catalog = synced(sandbox, *MANY)

    assert attempt.failures == []
    assert_all_rows(sandbox, destination, catalog)


def test_endless_pages_are_an_error(sandbox: Sandbox) -> None:
    sandbox.segment.change({"after_last_page": "endless"})

    attempt, _, _ = synced(sandbox, "labels", "users")

    assert attempt.source_status == {"labels": "COMPLETE", "users": "INCOMPLETE"}
    assert attempt.source_errors[0].failure_type == "transient_error"


@pytest.mark.parametrize("damage", ["truncated", "null_data", "no_lists"])
def test_a_damaged_response_to_a_parent_list_is_requested_again(sandbox: Sandbox, damage: str) -> None:
    sandbox.faults.update({"path": "/sources$", "damage": damage, "count": 2})

    attempt, destination, catalog = synced(sandbox, "sources", "source_connected_warehouses")

    assert attempt.failures == []
    assert_all_rows(sandbox, destination, catalog)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_missing_feature_is_named_for_every_status_and_fails_only_its_streams(sandbox: Sandbox, status: int) -> None:
    sandbox.segment.change({"gate_status": status})
    sandbox.segment.gates |= {"protocols", "audience"}

    attempt, _, _ = synced(sandbox, "users", "transformations", "audiences", "audience_schedules")

    assert attempt.source_status["users"] == "COMPLETE"
    messages = [error.message for error in attempt.source_errors]
    assert any("Protocols" in message for message in messages)
    assert any("Audience" in message for message in messages)
    assert {error.failure_type for error in attempt.source_errors} == {"config_error"}


@pytest.mark.parametrize("behind", [0, 20])
def test_a_server_whose_clock_is_behind_may_reject_the_future(sandbox: Sandbox, behind: int) -> None:
    sandbox.clock.advance(datetime.now(timezone.utc) - sandbox.clock.now)
    sandbox.segment.change({"seconds_behind": behind, "reject_future": True})

    attempt, destination, _ = synced(sandbox, OVERVIEW, METRICS, "events_volume", "audit_events")

    assert attempt.failures == []
    assert all(destination.table(name) for name in (OVERVIEW, METRICS, "events_volume", "audit_events"))


def test_times_with_microseconds_and_an_offset_are_cursors(sandbox: Sandbox) -> None:
    sandbox.segment.change({"times": "microseconds"})

    attempt, destination, _ = synced(sandbox, "audit_events", OVERVIEW, "usage_mtu_workspace_daily")

    assert attempt.failures == []
    assert destination.table("audit_events")
    saved = {state["stream"]["stream_descriptor"]["name"]: state for state in attempt.state_list()}
    assert "timestamp" in str(saved["audit_events"])


def test_a_rejected_function_type_loses_only_that_type(sandbox: Sandbox) -> None:
    rejected = {"DESTINATION", "INSERT_SOURCE", "INSERT_TRANSFORMATION"}
    expected = {row["id"] for row in sandbox.segment.expected("functions") if row["resourceType"] not in rejected}
    sandbox.segment.change({"rejected_function_types": sorted(rejected)})

    attempt, destination, _ = synced(sandbox, "functions")

    assert attempt.failures == []
    assert {row["id"] for row in destination.table("functions")} == expected


def test_segments_documented_422_skips_destinations_without_metrics_with_one_request_each(sandbox: Sandbox) -> None:
    sandbox.clock.advance(datetime.now(timezone.utc) - sandbox.clock.now)
    sandbox.segment.change({"validation_errors": "documented"})

    attempt, destination, catalog = synced(sandbox, METRICS)

    assert attempt.failures == []
    assert_all_rows(sandbox, destination, catalog)
    rejected = [request.path for request in sandbox.journal if request.status == 422]
    assert len(rejected) == len(set(rejected))


def test_the_delivery_overview_by_hour(sandbox: Sandbox) -> None:
    attempt, destination, catalog = synced(sandbox, OVERVIEW, delivery_granularity="hour")

    assert attempt.failures == []
    assert {row["granularity"] for row in destination.table(OVERVIEW)} == {"HOUR"}
    assert_all_rows(sandbox, destination, catalog, granularity="HOUR")


@pytest.mark.parametrize("grouping", ["subscription", "audience", "activation"])
def test_the_delivery_overview_by_sender(sandbox: Sandbox, grouping: str) -> None:
    sandbox.segment.change({"largest_page": 7})
    dimensions = dict.fromkeys(("subscriptionId", "audienceId", "activationId"), "")

    attempt, destination, catalog = synced(sandbox, *OVERVIEWS, delivery_grouping=grouping, delivery_granularity="hour")

    assert attempt.failures == []
    for stream in (each["stream"] for each in catalog["streams"]):
        expected = sandbox.segment.expected(stream["name"], START.date(), granularity="HOUR", groups=(f"{grouping}Id",))
        assert any(row[f"{grouping}Id"] for row in expected)
        assert by_key(destination.table(stream["name"]), stream) == by_key(
            [dimensions | row for row in expected], stream
        )


def test_groups_that_segment_does_not_name_fail_and_are_not_summed_or_lost(sandbox: Sandbox) -> None:
    sandbox.segment.change({"unnamed_groups": True})

    attempt, _, _ = synced(sandbox, OVERVIEW, "users", delivery_grouping="subscription")

    assert attempt.source_status == {OVERVIEW: "INCOMPLETE", "users": "COMPLETE"}
    assert "Set Delivery Grouping to none" in attempt.source_errors[0].message
    assert attempt.source_errors[0].failure_type == "config_error"


def test_series_of_several_pages_are_read_while_time_passes(sandbox: Sandbox) -> None:
    sandbox.segment.change({"largest_page": 4})
    sandbox.faults.latency_ms = 300

    attempt, destination, catalog = synced(sandbox, "events_volume", OVERVIEW)

    assert attempt.failures == []
    assert_all_rows(sandbox, destination, catalog)


def test_a_null_list_is_an_empty_table(sandbox: Sandbox) -> None:
    sandbox.faults.update({"path": "/(users|groups)$", "damage": "null_lists"})

    attempt, destination, _ = synced(sandbox, "users", "groups", "group_users")

    assert attempt.failures == []
    assert destination.table("users") == destination.table("group_users") == []
