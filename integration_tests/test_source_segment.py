"""source-segment as a process, against the sandbox."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from integration_tests.rows import JsonObject, by_key, without
from sandbox.airbyte import Attempt, BulkCdkLike, Connector, configured, run_sync, sync_despite_kills
from sandbox.server import Sandbox

START_DATE = datetime(2026, 3, 10, tzinfo=timezone.utc)
DELIVERY = "destination_delivery_metrics_summary"


@pytest.fixture
def whole_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(scale=0.3) as running:
        yield running


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(scale=0.3) as running:
        yield running


@pytest.fixture
def destination() -> BulkCdkLike:
    return BulkCdkLike()


def source_of(sandbox: Sandbox, **changes: object) -> Connector:
    config = {**sandbox.configs()["source-segment"], "start_date": START_DATE.strftime("%m/%d/%Y"), **changes}
    return Connector("source_segment", config)


def catalog_of(source: Connector, *streams: str) -> JsonObject:
    return configured(source.discover(), streams or None)


def expected_rows(sandbox: Sandbox, stream: str) -> list[JsonObject]:
    """The rows of the sandbox that the connector can still request at the real current time."""
    rows = sandbox.segment.expected(
        stream, START_DATE.date().replace(day=1) if "usage" in stream else START_DATE.date()
    )
    if stream == "audit_events":
        retained = datetime.now(timezone.utc) - timedelta(days=89, hours=23)
        return [row for row in rows if datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00")) >= retained]
    if stream == DELIVERY:
        first = (datetime.now(timezone.utc) - timedelta(days=12, hours=18)).strftime("%Y-%m-%dT00:00:00Z")
        return [row for row in rows if row["startTime"] >= first]
    if stream.startswith("delivery_overview_"):
        first = (datetime.now(timezone.utc) - timedelta(days=28, hours=18)).strftime("%Y-%m-%d")
        return [row for row in rows if row["time"][:10] >= first]
    return [without(row, "writeKeys") for row in rows] if stream == "sources" else rows


def assert_same_tables(
    sandbox: Sandbox, catalog: JsonObject, destination: BulkCdkLike, unfinished: AbstractSet[date] = frozenset()
) -> None:
    """Check that every table has every row of the sandbox, with its latest content, and no other row.

    `unfinished` are days at which the sandbox's clock was stopped, but which were past for the connector, which uses
    the real clock: delivery metrics of such a day cannot be compared.
    """
    for stream in (each["stream"] for each in catalog["streams"]):
        assert_same_rows(sandbox, stream, destination.table(stream["name"]), unfinished)


def assert_same_rows(
    sandbox: Sandbox, stream: dict[str, Any], table: list[JsonObject], unfinished: AbstractSet[date]
) -> None:
    name = stream["name"]
    found, wanted = (by_key(rows, stream) for rows in (table, expected_rows(sandbox, name)))
    if name == DELIVERY:
        days = {day.isoformat() for day in unfinished | {sandbox.clock.now.date()}}
        wanted = {key: row for key, row in wanted.items() if key[-1][:10] not in days}
        found = {key: row for key, row in found.items() if key in wanted}
    if name.startswith("delivery_overview_"):  # deleted or disabled destinations no longer have counts
        present = {key[:2] for key in wanted}
        found = {key: row for key, row in found.items() if key[:2] in present}
    assert found.keys() == wanted.keys(), name
    assert found == wanted, name


def assert_complete(attempt: Attempt, catalog: JsonObject) -> None:
    assert attempt.failures == []
    assert attempt.stream_status == {stream["stream"]["name"]: "COMPLETE" for stream in catalog["streams"]}


def windows(requests: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The requests for a time window, without those for the full reach at once."""
    asked = {"period", "startTime"}
    return [each for each in requests if asked & dict(each[1]).keys() and "delivery-overview" not in each[0]]


def test_spec_and_check(shared_sandbox: Sandbox) -> None:
    source = source_of(shared_sandbox)
    spec = source.spec().spec
    assert spec
    assert spec["connectionSpecification"]["properties"]["api_token"]["airbyte_secret"] is True
    assert source.check().status == {"status": "SUCCEEDED"}


def test_first_and_second_sync_have_exactly_the_sandboxs_rows(whole_sandbox: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(whole_sandbox)
    catalog = catalog_of(source)
    first_day = whole_sandbox.clock.now.date()

    first = run_sync(source, destination, catalog)
    assert_complete(first, catalog)
    assert_same_tables(whole_sandbox, catalog, destination)

    requested = [(request.path, request.query) for request in whole_sandbox.journal]
    assert len(requested) == len(set(requested)), "a request was made twice"

    whole_sandbox.clock.advance(timedelta(days=2))
    whole_sandbox.journal.clear()
    second = run_sync(source, destination, catalog, first.state_list())
    assert_complete(second, catalog)
    assert_same_tables(whole_sandbox, catalog, destination, {first_day})
    again = [(request.path, request.query) for request in whole_sandbox.journal]
    assert len(windows(again)) < len(windows(requested)) / 2


@pytest.mark.parametrize("seed", range(3))
def test_a_sync_killed_at_any_point_resumes_without_losing_a_row(
    shared_sandbox: Sandbox, destination: BulkCdkLike, seed: int
) -> None:
    source = source_of(shared_sandbox)
    catalog = catalog_of(source)

    attempts = sync_despite_kills(source, destination, catalog, seed=seed, most_lines=8_000)

    assert_complete(attempts[-1], catalog)
    assert_same_tables(shared_sandbox, catalog, destination)


def test_gated_streams_fail_alone(sandbox: Sandbox, destination: BulkCdkLike) -> None:
    sandbox.segment.gates |= {"audit-trail", "protocols"}
    source = source_of(sandbox)
    catalog = catalog_of(source, "audit_events", "transformations", "users", "source_connected_warehouses")

    attempt = run_sync(source, destination, catalog)

    assert attempt.source_exit_code == 1
    assert attempt.source_status == {
        "audit_events": "INCOMPLETE",
        "transformations": "INCOMPLETE",
        "users": "COMPLETE",
        "source_connected_warehouses": "COMPLETE",
    }
    assert {error.failure_type for error in attempt.source_errors} == {"config_error"}
    last = attempt.source_errors[-1].message
    assert last.startswith("2 stream(s) failed; all others were read to their end.")
    assert "Audit Trail (Business plan" in last
    assert "Protocols" in last


def test_parents_deleted_during_the_sync_skip_only_their_children(sandbox: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(sandbox)
    catalog = catalog_of(source, "source_connected_warehouses", "destination_subscriptions")
    sandbox.segment.removed_ids |= {source["id"] for source in sandbox.segment.sources[:3]}
    sandbox.segment.removed_ids |= {destination["id"] for destination in sandbox.segment.destinations[:3]}

    attempt = run_sync(source, destination, catalog)

    assert_complete(attempt, catalog)
    assert_same_tables(sandbox, catalog, destination)


def test_cutting_every_tenth_response_costs_only_time(sandbox: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(sandbox)
    catalog = catalog_of(source, "sources", "source_connected_warehouses", "catalog_sources")
    sandbox.faults.cut_every = 10

    attempt = run_sync(source, destination, catalog)

    assert_complete(attempt, catalog)
    assert_same_tables(sandbox, catalog, destination)


def test_throttling_is_waited_out(sandbox: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(sandbox)
    catalog = catalog_of(source, "users", "groups", "warehouses")
    sandbox.faults.update({"status": 429, "count": 3, "retry_after": 1})

    attempt = run_sync(source, destination, catalog)

    assert_complete(attempt, catalog)
    assert_same_tables(sandbox, catalog, destination)


def test_the_other_regions_token_is_rejected_and_the_message_names_the_region(shared_sandbox: Sandbox) -> None:
    source = source_of(shared_sandbox, api_token=shared_sandbox.segment.region_tokens["eu"])

    status = source.check().status

    assert status
    assert status["status"] == "FAILED"
    assert "rejected the API token in region 'us'" in status["message"]
