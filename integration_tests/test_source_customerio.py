"""source-customerio as a process, against the sandbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from integration_tests.killed_sync import resumed_after_kills
from integration_tests.rows import JsonObject, by_key
from sandbox.connector_process import ConnectorProcess, Output, configured
from sandbox.server import Sandbox

PROCESS = ConnectorProcess("source_customerio")
SCALE = 0.1  # two thousand people
SMALL = 0.02  # four hundred people, each of whom costs four requests with `people_detail`
EIGHT_MONTHS = timedelta(days=245)


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    with Sandbox(scale=SCALE) as running:
        yield running


@pytest.fixture(scope="module")
def still_workspace() -> Iterator[Sandbox]:
    """A workspace for tests that only read."""
    with Sandbox(scale=SCALE) as running:
        yield running


def config_of(sandbox: Sandbox) -> JsonObject:
    start_date = (datetime.now(timezone.utc) - EIGHT_MONTHS).strftime("%m/%d/%Y")
    return {**sandbox.configs()["source-customerio"], "start_date": start_date}


def catalog_of(config: JsonObject, *streams: str) -> JsonObject:
    catalog = PROCESS.discover(config).catalog
    assert catalog
    return configured(catalog, streams or None)


def expected_rows(sandbox: Sandbox, stream: dict[str, Any], config: JsonObject) -> dict[tuple[Any, ...], JsonObject]:
    """The sandbox's rows since the start date, by key."""
    start = datetime.strptime(config["start_date"], "%m/%d/%Y").replace(tzinfo=timezone.utc)
    cursor = (stream.get("default_cursor_field") or ["-"])[0]
    since = start.strftime("%Y-%m-%dT%H:%M:%SZ") if cursor == "period_start" else start.timestamp()
    rows = sandbox.customerio.expected(stream["name"])
    return by_key([row for row in rows if row.get(cursor, since) >= since], stream)


def assert_same_rows(
    sandbox: Sandbox, stream: dict[str, Any], emitted: list[JsonObject], config: JsonObject, *, deleted: bool = False
) -> None:
    """Every row of the sandbox was emitted, with its latest content, and no other unless some were `deleted` since."""
    found, wanted = by_key(emitted, stream), expected_rows(sandbox, stream, config)
    missing = wanted.keys() - found.keys()
    assert not missing, f"{stream['name']} lacks {len(missing)} rows"
    assert {key: found[key] for key in wanted} == wanted, stream["name"]
    assert deleted or found.keys() == wanted.keys(), stream["name"]


def assert_complete(output: Output, catalog: JsonObject) -> None:
    assert output.errors == []
    assert output.unreadable == []
    assert output.exit_code == 0
    assert output.statuses == {stream["stream"]["name"]: "COMPLETE" for stream in catalog["streams"]}


def test_spec_names_the_secret(still_workspace: Sandbox) -> None:
    spec = PROCESS.spec().spec
    assert spec
    assert spec["connectionSpecification"]["properties"]["access_token"]["airbyte_secret"] is True
    assert PROCESS.check(config_of(still_workspace)).status == {"status": "SUCCEEDED"}


@pytest.mark.parametrize("region", ["us", "eu"])
def test_each_region_takes_its_own_key_only(still_workspace: Sandbox, region: str) -> None:
    keys, other = still_workspace.customerio.region_keys, {"us": "eu", "eu": "us"}[region]
    config = {"api_url": f"{still_workspace.url}/customerio/{region}", "region": region}

    accepted = PROCESS.check({**config, "access_token": keys[region]}).status
    rejected = PROCESS.check({**config, "access_token": keys[other]}).status

    assert accepted == {"status": "SUCCEEDED"}
    assert rejected
    assert rejected["message"].startswith(f"Customer.io rejected the App API key at {config['api_url']}.")
    assert keys[other] not in rejected["message"]


def test_first_and_second_sync_have_exactly_the_sandboxes_rows(workspace: Sandbox) -> None:
    config = config_of(workspace)
    catalog = catalog_of(config)

    first = PROCESS.read(config, catalog)
    assert_complete(first, catalog)
    for stream in catalog["streams"]:
        assert_same_rows(workspace, stream["stream"], first.records[stream["stream"]["name"]], config)
    workspace.clock.advance(timedelta(days=2))
    second = PROCESS.read(config, catalog, first.state_list())
    assert_complete(second, catalog)
    for stream in catalog["streams"]:
        name, incremental = stream["stream"]["name"], stream["sync_mode"] == "incremental"
        kept = first.records[name] if incremental else []
        assert_same_rows(workspace, stream["stream"], kept + second.records[name], config, deleted=incremental)
    assert len(second.records["messages"]) < len(first.records["messages"]) / 4


@pytest.mark.parametrize("seed", range(3))
def test_a_sync_killed_at_any_point_resumes_without_losing_a_row(still_workspace: Sandbox, seed: int) -> None:
    config = config_of(still_workspace)
    catalog = catalog_of(config, "messages", "activities", "newsletters", "customers", "segments")

    final, rows = resumed_after_kills(PROCESS, config, catalog, seed=seed, most_lines=5_000)

    assert_complete(final, catalog)
    for stream in catalog["streams"]:
        assert_same_rows(still_workspace, stream["stream"], rows[stream["stream"]["name"]], config)


def test_what_is_deleted_during_a_sync_costs_no_other_row(workspace: Sandbox) -> None:
    config = config_of(workspace)
    catalog = catalog_of(config, "customers", "newsletters", "eps_suppression")
    streams = [stream["stream"] for stream in catalog["streams"]]
    before = {stream["name"]: expected_rows(workspace, stream, config) for stream in streams}

    def let_time_pass(output: Output) -> None:
        if len(output.records["customers"]) == 300:
            workspace.clock.advance(timedelta(minutes=36))

    output = PROCESS.read(config, catalog, on_line=let_time_pass)

    assert_complete(output, catalog)
    assert workspace.customerio.now > max(row["created"] for row in before["newsletters"].values())
    for stream in streams:
        found, after = by_key(output.records[stream["name"]], stream), expected_rows(workspace, stream, config)
        assert before[stream["name"]].keys() & after.keys() <= found.keys(), stream["name"]
        assert found.keys() <= before[stream["name"]].keys() | after.keys(), stream["name"]


def test_what_is_asked_of_each_person_is_complete() -> None:
    with Sandbox(scale=SMALL) as small:
        config = {**config_of(small), "people_detail": True}
        names = [f"person_{part}" for part in ("segments", "relationships", "subscription_preferences", "optouts")]
        catalog = catalog_of(config, *names)

        output = PROCESS.read(config, catalog)

        assert_complete(output, catalog)
        for stream in catalog["streams"]:
            assert_same_rows(small, stream["stream"], output.records[stream["stream"]["name"]], config)


def test_parents_that_are_deleted_during_a_sync_cost_no_other_row(workspace: Sandbox) -> None:
    config = config_of(workspace)
    children = {
        "campaigns": ["campaign_actions"],
        "broadcasts": ["broadcast_actions", "broadcast_triggers", "broadcast_trigger_errors"],
        "newsletters": ["newsletter_variants", "newsletter_test_groups"],
        "segments": ["segment_memberships", "segment_counts", "segment_usage"],
    }
    catalog = catalog_of(config, *[name for names in children.values() for name in names])
    parents = {kind: [row["id"] for row in workspace.customerio.expected(kind)] for kind in children}
    before = {
        stream["stream"]["name"]: expected_rows(workspace, stream["stream"], config) for stream in catalog["streams"]
    }

    def delete_the_last_ones(_: Output) -> None:
        workspace.customerio.removed.update(f"{kind}/{ids[-1]}" for kind, ids in parents.items())

    output = PROCESS.read(config, catalog, on_line=delete_the_last_ones)

    assert_complete(output, catalog)
    for stream in catalog["streams"]:
        name = stream["stream"]["name"]
        found, after = (
            by_key(output.records[name], stream["stream"]),
            expected_rows(workspace, stream["stream"], config),
        )
        assert after.keys() <= found.keys() <= before[name].keys(), name


def test_a_proxy_that_cuts_every_tenth_answer_costs_time_only(workspace: Sandbox) -> None:
    config = config_of(workspace)
    catalog = catalog_of(config, "activities", "segments", "newsletters")
    workspace.faults.cut_every = 10

    output = PROCESS.read(config, catalog)

    assert_complete(output, catalog)
    for stream in catalog["streams"]:
        assert_same_rows(workspace, stream["stream"], output.records[stream["stream"]["name"]], config)


def test_the_limit_of_ten_requests_a_second_costs_no_row(workspace: Sandbox) -> None:
    config = {**config_of(workspace), "rate_limit_share": 1}
    catalog = catalog_of(config, "messages", "customers", "segment_counts")
    workspace.customerio.rate_limit_per_second = 10

    output = PROCESS.read(config, catalog)

    assert_complete(output, catalog)
    for stream in catalog["streams"]:
        assert_same_rows(workspace, stream["stream"], output.records[stream["stream"]["name"]], config)


def test_a_daily_quota_fails_clearly_and_the_next_day_goes_on(workspace: Sandbox) -> None:
    start_date = datetime.now(timezone.utc) - timedelta(days=100)
    config = {**config_of(workspace), "start_date": start_date.strftime("%m/%d/%Y")}
    catalog = catalog_of(config, "messages")
    workspace.customerio.daily_quota = 8

    first = PROCESS.read(config, catalog)
    workspace.customerio.daily_quota = None
    second = PROCESS.read(config, catalog, first.state_list())

    assert first.exit_code == 1
    assert first.statuses == {"messages": "INCOMPLETE"}
    assert {error["failure_type"] for error in first.errors} == {"transient_error"}
    assert "when a daily quota is used up" in first.errors[-1]["message"]
    assert_complete(second, catalog)
    [stream] = catalog["streams"]
    emitted = first.committed("messages") + second.records["messages"]
    assert_same_rows(workspace, stream["stream"], emitted, config)
