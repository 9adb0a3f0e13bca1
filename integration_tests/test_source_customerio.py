"""source-customerio as a process, against the sandbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from integration_tests.rows import JsonObject, by_key, is_counted
from sandbox.airbyte import Attempt, BulkCdkLike, Connector, Sync, configured, run_sync, sync_despite_kills
from sandbox.clock import Clock
from sandbox.server import Sandbox

SCALE = 0.1  # two thousand people
SMALL = 0.02  # four hundred people, each of whom costs four requests with `people_detail`
EIGHT_MONTHS = timedelta(days=245)
EST = timezone(timedelta(hours=-5))
BY_DATE = {"campaign_metrics", "campaign_action_metrics", "campaign_journey_metrics"}  # not for 45 days only


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    """A workspace whose clock can advance by two days; today's campaigns are not read before 05:00 UTC."""
    with Sandbox(Clock(datetime.now(timezone.utc) - timedelta(days=3)), scale=SCALE) as running:
        yield running


@pytest.fixture(scope="module")
def still_workspace() -> Iterator[Sandbox]:
    """A workspace for tests that only read."""
    with Sandbox(scale=SCALE) as running:
        yield running


@pytest.fixture
def destination() -> BulkCdkLike:
    return BulkCdkLike()


def source_of(sandbox: Sandbox, **changes: object) -> Connector:
    start_date = (datetime.now(timezone.utc) - EIGHT_MONTHS).strftime("%m/%d/%Y")
    return Connector(
        "source_customerio", {**sandbox.configs()["source-customerio"], "start_date": start_date, **changes}
    )


def catalog_of(source: Connector, *streams: str) -> JsonObject:
    return configured(source.discover(), streams or None)


def expected_rows(sandbox: Sandbox, stream: dict[str, Any], config: JsonObject) -> dict[tuple[Any, ...], JsonObject]:
    """The sandbox's rows since the start date, by key."""
    start = datetime.strptime(config["start_date"], "%m/%d/%Y").replace(tzinfo=timezone.utc)
    cursor = (stream.get("default_cursor_field") or ["-"])[0]
    since = start.strftime("%Y-%m-%dT%H:%M:%SZ") if cursor == "period_start" else start.timestamp()
    rows = sandbox.customerio.expected(stream["name"])
    return by_key([row for row in rows if row.get(cursor, since) >= since], stream)


def expected_months(sandbox: Sandbox, stream: dict[str, Any], config: JsonObject) -> dict[tuple[Any, ...], JsonObject]:
    """The months before the current one, which the first sync reads for metrics with only 45 days of daily data."""
    if stream["name"] in BY_DATE:
        return {}
    start = datetime.strptime(config["start_date"], "%m/%d/%Y").replace(tzinfo=timezone.utc).strftime("%Y-%m")
    current = datetime.now(EST).strftime("%Y-%m")
    months = sandbox.customerio.expected(stream["name"], "months")
    return by_key([row for row in months if start <= row["period_start"][:7] < current], stream)


def assert_same_tables(
    sandbox: Sandbox, catalog: JsonObject, destination: BulkCdkLike, source: Connector, *, deleted: bool = False
) -> None:
    """Check that every table has every row of the sandbox, with its latest content, and no other row.

    If some were `deleted` since an earlier sync, incremental tables still have them. Metrics also have the months
    before the current one, as of the first sync, and zeros for days that have counts under another interpretation of
    "Eastern time".
    """
    for configured_stream in catalog["streams"]:
        stream = configured_stream["stream"]
        name = stream["name"]
        found, wanted = by_key(destination.table(name), stream), expected_rows(sandbox, stream, source.config)
        if name.endswith("_metrics"):
            found = {key: row for key, row in found.items() if is_counted(row)}
            months = {key: row for key, row in found.items() if row["resolution"] == "months"}
            assert deleted or months == expected_months(sandbox, stream, source.config), name
            found = {key: row for key, row in found.items() if key not in months}
        missing = wanted.keys() - found.keys()
        assert not missing, f"{name} lacks {len(missing)} rows"
        assert {key: found[key] for key in wanted} == wanted, name
        kept = deleted and configured_stream["sync_mode"] == "incremental"
        assert kept or found.keys() == wanted.keys(), name


def assert_complete(attempt: Attempt, catalog: JsonObject) -> None:
    assert attempt.failures == []
    assert attempt.stream_status == {stream["stream"]["name"]: "COMPLETE" for stream in catalog["streams"]}


def test_spec_names_the_secret(still_workspace: Sandbox) -> None:
    source = source_of(still_workspace)
    spec = source.spec().spec
    assert spec
    assert spec["connectionSpecification"]["properties"]["access_token"]["airbyte_secret"] is True
    assert source.check().status == {"status": "SUCCEEDED"}


@pytest.mark.parametrize("region", ["us", "eu"])
def test_each_region_accepts_only_its_own_key(still_workspace: Sandbox, region: str) -> None:
    keys, other = still_workspace.customerio.region_keys, {"us": "eu", "eu": "us"}[region]
    config = {"api_url": f"{still_workspace.url}/customerio/{region}", "region": region}

    accepted = source_of(still_workspace, **config, access_token=keys[region]).check().status
    rejected = source_of(still_workspace, **config, access_token=keys[other]).check().status

    assert accepted == {"status": "SUCCEEDED"}
    assert rejected
    assert rejected["message"].startswith(f"Customer.io rejected the App API key at {config['api_url']}.")
    assert keys[other] not in rejected["message"]


def test_first_and_second_sync_have_exactly_the_sandboxs_rows(workspace: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(workspace)
    catalog = catalog_of(source)

    first = run_sync(source, destination, catalog)
    assert_complete(first, catalog)
    assert_same_tables(workspace, catalog, destination, source)
    workspace.clock.advance(timedelta(days=2))
    second = run_sync(source, destination, catalog, first.state_list())
    assert_complete(second, catalog)
    assert_same_tables(workspace, catalog, destination, source, deleted=True)
    assert second.emitted["messages"] < first.emitted["messages"] / 4


@pytest.mark.parametrize("seed", range(3))
def test_a_sync_killed_at_any_point_resumes_without_losing_a_row(
    still_workspace: Sandbox, destination: BulkCdkLike, seed: int
) -> None:
    source = source_of(still_workspace)
    catalog = catalog_of(source, "messages", "activities", "newsletters", "customers", "segments")

    attempts = sync_despite_kills(source, destination, catalog, seed=seed, most_lines=5_000)

    assert_complete(attempts[-1], catalog)
    assert_same_tables(still_workspace, catalog, destination, source)


def test_deletions_during_a_sync_lose_no_other_row(workspace: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(workspace)
    catalog = catalog_of(source, "customers", "newsletters", "eps_suppression")
    streams = [stream["stream"] for stream in catalog["streams"]]
    before = {stream["name"]: expected_rows(workspace, stream, source.config) for stream in streams}
    passed: list[Sync] = []

    def let_time_pass(sync: Sync) -> None:
        if not passed and sync.attempt.emitted["customers"] >= 300:
            passed.append(sync)
            workspace.clock.advance(timedelta(minutes=36))

    attempt = run_sync(source, destination, catalog, during=let_time_pass)

    assert_complete(attempt, catalog)
    assert workspace.customerio.now > max(row["created"] for row in before["newsletters"].values())
    for stream in streams:
        name = stream["name"]
        found, after = by_key(destination.table(name), stream), expected_rows(workspace, stream, source.config)
        assert before[name].keys() & after.keys() <= found.keys(), name
        assert found.keys() <= before[name].keys() | after.keys(), name


def test_streams_with_a_request_per_person_are_complete(destination: BulkCdkLike) -> None:
    with Sandbox(scale=SMALL) as small:
        source = source_of(small, people_detail=True)
        names = [f"person_{part}" for part in ("segments", "relationships", "subscription_preferences", "optouts")]
        catalog = catalog_of(source, *names)

        attempt = run_sync(source, destination, catalog)

        assert_complete(attempt, catalog)
        assert_same_tables(small, catalog, destination, source)


def test_parents_that_are_deleted_during_a_sync_lose_no_other_row(workspace: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(workspace)
    children = {
        "campaigns": ["campaign_actions"],
        "broadcasts": ["broadcast_actions", "broadcast_triggers", "broadcast_trigger_errors"],
        "newsletters": ["newsletter_variants", "newsletter_test_groups"],
        "segments": ["segment_memberships", "segment_counts", "segment_usage"],
    }
    catalog = catalog_of(source, *[name for names in children.values() for name in names])
    streams = [stream["stream"] for stream in catalog["streams"]]
    parents = {kind: [row["id"] for row in workspace.customerio.expected(kind)] for kind in children}
    before = {stream["name"]: expected_rows(workspace, stream, source.config) for stream in streams}

    def delete_the_last_ones(_: Sync) -> None:
        workspace.customerio.removed.update(f"{kind}/{ids[-1]}" for kind, ids in parents.items())

    attempt = run_sync(source, destination, catalog, during=delete_the_last_ones)

    assert_complete(attempt, catalog)
    for stream in streams:
        name = stream["name"]
        found, after = by_key(destination.table(name), stream), expected_rows(workspace, stream, source.config)
        assert after.keys() <= found.keys() <= before[name].keys(), name


def test_cutting_every_tenth_response_costs_only_time(workspace: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(workspace)
    catalog = catalog_of(source, "activities", "segments", "newsletters")
    workspace.faults.cut_every = 10

    attempt = run_sync(source, destination, catalog)

    assert_complete(attempt, catalog)
    assert_same_tables(workspace, catalog, destination, source)


def test_the_limit_of_ten_requests_per_second_loses_no_row(workspace: Sandbox, destination: BulkCdkLike) -> None:
    source = source_of(workspace, rate_limit_share=1)
    catalog = catalog_of(source, "messages", "customers", "segment_counts")
    workspace.customerio.rate_limit_per_second = 10

    attempt = run_sync(source, destination, catalog)

    assert_complete(attempt, catalog)
    assert_same_tables(workspace, catalog, destination, source)


def test_a_daily_quota_fails_clearly_and_the_next_day_resumes(workspace: Sandbox, destination: BulkCdkLike) -> None:
    start_date = datetime.now(timezone.utc) - timedelta(days=100)
    source = source_of(workspace, start_date=start_date.strftime("%m/%d/%Y"))
    catalog = catalog_of(source, "messages")
    workspace.customerio.daily_quota = 8

    first = run_sync(source, destination, catalog)
    workspace.customerio.daily_quota = None
    second = run_sync(source, destination, catalog, first.state_list())

    assert first.source_exit_code == 1
    assert first.stream_status == {"messages": "INCOMPLETE"}
    assert {error.failure_type for error in first.source_errors} == {"transient_error"}
    assert "when a daily quota is used up" in first.source_errors[-1].message
    assert_complete(second, catalog)
    assert_same_tables(workspace, catalog, destination, source)
