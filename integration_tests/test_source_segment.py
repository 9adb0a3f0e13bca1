"""source-segment as a process, against the sandbox."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from integration_tests.killed_sync import resumed_after_kills
from integration_tests.rows import JsonObject, by_key, without
from sandbox.connector_process import ConnectorProcess, Output, configured
from sandbox.server import Sandbox

START_DATE = datetime(2026, 3, 10, tzinfo=timezone.utc)
PROCESS = ConnectorProcess("source_segment")
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


def config_of(sandbox: Sandbox) -> JsonObject:
    given = sandbox.configs()["source-segment"]
    return {**given, "start_date": START_DATE.strftime("%m/%d/%Y")}


def catalog_of(config: JsonObject, *streams: str) -> JsonObject:
    catalog = PROCESS.discover(config).catalog
    assert catalog
    return configured(catalog, streams or None)


def expected_rows(sandbox: Sandbox, stream: str) -> list[JsonObject]:
    """The rows of the sandbox that the connector can still ask Segment for at the real present."""
    rows = sandbox.segment.expected(
        stream, START_DATE.date().replace(day=1) if "usage" in stream else START_DATE.date()
    )
    if stream == "audit_events":
        retained = datetime.now(timezone.utc) - timedelta(days=89, hours=23)
        return [row for row in rows if datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00")) >= retained]
    if stream == DELIVERY:
        first = (datetime.now(timezone.utc) - timedelta(days=13)).strftime("%Y-%m-%dT00:00:00Z")
        return [row for row in rows if row["startTime"] >= first]
    if stream.startswith("delivery_overview_"):
        first = (datetime.now(timezone.utc) - timedelta(days=28, hours=18)).strftime("%Y-%m-%d")
        return [row for row in rows if row["time"][:10] >= first]
    return [without(row, "writeKeys") for row in rows] if stream == "sources" else rows


def assert_same_rows(
    sandbox: Sandbox, stream: dict[str, Any], emitted: list[JsonObject], unfinished: AbstractSet[date] = frozenset()
) -> None:
    """Every row of the sandbox was emitted, with its latest content, and no other.

    `unfinished` are the days on which the sandbox's clock stood while the connector, whose clock is the real one,
    took them for past: delivery metrics of such a day cannot be compared.
    """
    name = stream["name"]
    found, wanted = (by_key(rows, stream) for rows in (emitted, expected_rows(sandbox, name)))
    if name == DELIVERY:
        days = {day.isoformat() for day in unfinished | {sandbox.clock.now.date()}}
        wanted = {key: row for key, row in wanted.items() if key[-1][:10] not in days}
        found = {key: row for key, row in found.items() if key in wanted}
    if name.startswith("delivery_overview_"):  # what was deleted or switched off meanwhile has no counts any more
        present = {key[:2] for key in wanted}
        found = {key: row for key, row in found.items() if key[:2] in present}
    assert found.keys() == wanted.keys(), name
    assert found == wanted, name


def assert_complete(output: Output, catalog: JsonObject) -> None:
    assert output.errors == []
    assert output.unreadable == []
    assert output.exit_code == 0
    assert output.statuses == {stream["stream"]["name"]: "COMPLETE" for stream in catalog["streams"]}


def windows(requests: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The requests for a period of time, without those that ask for the whole reach in one."""
    asked = {"period", "startTime"}
    return [each for each in requests if asked & dict(each[1]).keys() and "delivery-overview" not in each[0]]


def test_spec_and_check(shared_sandbox: Sandbox) -> None:
    spec = PROCESS.spec().spec
    assert spec
    assert spec["connectionSpecification"]["properties"]["api_token"]["airbyte_secret"] is True
    assert PROCESS.check(config_of(shared_sandbox)).status == {"status": "SUCCEEDED"}


def test_first_and_second_sync_have_exactly_the_sandboxes_rows(whole_sandbox: Sandbox) -> None:
    config = config_of(whole_sandbox)
    catalog = catalog_of(config)
    first_day = whole_sandbox.clock.now.date()

    first = PROCESS.read(config, catalog)
    assert_complete(first, catalog)
    for stream in catalog["streams"]:
        assert_same_rows(whole_sandbox, stream["stream"], first.records[stream["stream"]["name"]])

    requested = [(request.path, request.query) for request in whole_sandbox.journal]
    assert len(requested) == len(set(requested)), "a request was made twice"

    whole_sandbox.clock.advance(timedelta(days=2))
    whole_sandbox.journal.clear()
    second = PROCESS.read(config, catalog, first.state_list())
    assert_complete(second, catalog)
    for stream in catalog["streams"]:
        name = stream["stream"]["name"]
        kept = first.records[name] if stream["sync_mode"] == "incremental" else []
        assert_same_rows(whole_sandbox, stream["stream"], kept + second.records[name], {first_day})
    again = [(request.path, request.query) for request in whole_sandbox.journal]
    assert len(windows(again)) < len(windows(requested)) / 2


@pytest.mark.parametrize("seed", range(3))
def test_a_sync_killed_at_any_point_resumes_without_losing_a_row(shared_sandbox: Sandbox, seed: int) -> None:
    config = config_of(shared_sandbox)
    catalog = catalog_of(config)

    final, rows = resumed_after_kills(PROCESS, config, catalog, seed=seed, most_lines=8_000)

    assert_complete(final, catalog)
    for stream in catalog["streams"]:
        assert_same_rows(shared_sandbox, stream["stream"], rows[stream["stream"]["name"]])


def test_gated_streams_fail_alone(sandbox: Sandbox) -> None:
    sandbox.segment.gates |= {"audit-trail", "protocols"}
    config = config_of(sandbox)
    catalog = catalog_of(config, "audit_events", "transformations", "users", "source_connected_warehouses")

    output = PROCESS.read(config, catalog)

    assert output.exit_code == 1
    assert output.statuses == {
        "audit_events": "INCOMPLETE",
        "transformations": "INCOMPLETE",
        "users": "COMPLETE",
        "source_connected_warehouses": "COMPLETE",
    }
    assert {error["failure_type"] for error in output.errors} == {"config_error"}
    last = output.errors[-1]["message"]
    assert last.startswith("2 stream(s) did not sync, all others did.")
    assert "Audit Trail (Business plan" in last
    assert "Protocols" in last


def test_parents_deleted_meanwhile_skip_their_children_only(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    catalog = catalog_of(config, "source_connected_warehouses", "destination_subscriptions")
    sandbox.segment.removed_ids |= {source["id"] for source in sandbox.segment.sources[:3]}
    sandbox.segment.removed_ids |= {destination["id"] for destination in sandbox.segment.destinations[:3]}

    output = PROCESS.read(config, catalog)

    assert_complete(output, catalog)
    for stream in catalog["streams"]:
        assert_same_rows(sandbox, stream["stream"], output.records[stream["stream"]["name"]])


def test_a_proxy_that_cuts_every_tenth_answer_costs_time_only(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    catalog = catalog_of(config, "sources", "source_connected_warehouses", "catalog_sources")
    sandbox.faults.cut_every = 10

    output = PROCESS.read(config, catalog)

    assert_complete(output, catalog)
    for stream in catalog["streams"]:
        assert_same_rows(sandbox, stream["stream"], output.records[stream["stream"]["name"]])


def test_throttling_is_waited_out(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    catalog = catalog_of(config, "users", "groups", "warehouses")
    sandbox.faults.update({"status": 429, "count": 3, "retry_after": 1})

    output = PROCESS.read(config, catalog)

    assert_complete(output, catalog)


def test_the_other_regions_token_is_refused_with_the_region_in_the_sentence(shared_sandbox: Sandbox) -> None:
    config = {**config_of(shared_sandbox), "api_token": shared_sandbox.segment.region_tokens["eu"]}

    status = PROCESS.check(config).status

    assert status
    assert status["status"] == "FAILED"
    assert "rejected the API token in region 'us'" in status["message"]
