"""Customer.io's metrics: source-customerio as a process, against the sandbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from integration_tests.rows import JsonObject, by_key, is_counted
from sandbox.airbyte import Attempt, BulkCdkLike, Connector, configured, kill_after, run_sync
from sandbox.clock import Clock
from sandbox.server import Sandbox


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    """A workspace whose clock can advance by two days; today's campaigns are not read before 05:00 UTC."""
    with Sandbox(Clock(datetime.now(timezone.utc) - timedelta(days=3)), scale=0.1) as running:
        yield running


@pytest.fixture
def small_workspace() -> Iterator[Sandbox]:
    with Sandbox(scale=0.02) as running:
        yield running


@pytest.fixture
def early_workspace() -> Iterator[Sandbox]:
    """A workspace whose clock can advance by ten days without overtaking the connector's."""
    with Sandbox(Clock(datetime.now(timezone.utc) - timedelta(days=11)), scale=0.02) as running:
        yield running


def source_of(workspace: Sandbox, **settings: object) -> Connector:
    return Connector("source_customerio", {**workspace.configs()["source-customerio"], **settings})


def catalog_of(source: Connector) -> JsonObject:
    catalog = source.discover()
    return configured(catalog, [each["name"] for each in catalog["streams"] if each["name"].endswith("_metrics")])


def assert_tables(
    workspace: Sandbox,
    catalog: JsonObject,
    destination: BulkCdkLike,
    *,
    once: bool = False,
    resolution: str = "days",
) -> None:
    """Check that the tables have all of the sandbox's rows with their latest numbers, and after one sync no others."""
    for stream in (each["stream"] for each in catalog["streams"]):
        rows = by_key(destination.table(stream["name"]), stream)
        found = {
            key: {name: value for name, value in row.items() if name != "language_variants"}
            for key, row in rows.items()
            if row["resolution"] == resolution and is_counted(row)
        }
        wanted = by_key(workspace.customerio.expected(stream["name"], resolution), stream)
        assert {key: found.get(key) for key in wanted} == wanted, stream["name"]
        assert not once or found.keys() == wanted.keys(), stream["name"]


def assert_complete(attempt: Attempt) -> None:
    assert attempt.failures == []
    assert set(attempt.stream_status.values()) == {"COMPLETE"}


def test_every_day_has_its_numbers_and_a_later_sync_adds_late_ones(workspace: Sandbox) -> None:
    source, destination = source_of(workspace), BulkCdkLike()
    catalog = catalog_of(source)

    first = run_sync(source, destination, catalog)
    assert_complete(first)
    assert_tables(workspace, catalog, destination, once=True)

    workspace.clock.advance(timedelta(days=2))
    second = run_sync(source, destination, catalog, first.state_list())

    assert_complete(second)
    assert_tables(workspace, catalog, destination)
    assert second.emitted["campaign_metrics"] < first.emitted["campaign_metrics"] / 2


def test_a_killed_sync_is_retried_without_losing_a_day(workspace: Sandbox) -> None:
    source, destination = source_of(workspace), BulkCdkLike()
    catalog = catalog_of(source)

    killed = run_sync(source, destination, catalog, during=kill_after(3_000))
    workspace.clock.advance(timedelta(days=1))
    final = run_sync(source, destination, catalog, killed.state_list())

    assert killed.status == "failed"
    assert_complete(final)
    assert_tables(workspace, catalog, destination)


@pytest.mark.long_tests
def test_ten_days_with_late_opens_have_the_rows_of_a_full_read(early_workspace: Sandbox) -> None:
    source, destination = source_of(early_workspace), BulkCdkLike()
    catalog = catalog_of(source)
    last = run_sync(source, destination, catalog)
    first_requests = len(early_workspace.journal)
    for _ in range(10):
        early_workspace.clock.advance(timedelta(days=1))
        early_workspace.journal.clear()
        last = run_sync(source, destination, catalog, last.state_list())
        assert_complete(last)

    assert_tables(early_workspace, catalog, destination)
    assert len(early_workspace.journal) < first_requests


@pytest.mark.parametrize(
    "readings",
    [
        {"metrics_dates": "text"},
        {"metrics_dates": "iso", "metrics_end": "exclusive"},
        {"metrics_dates": "iso", "metrics_zone": "America/New_York"},
        {"journey_parameter": "both"},
        {"fields_of_2026": True, "language_variants": True},
    ],
    ids=str,
)
def test_each_interpretation_of_the_documentation_gives_the_right_rows(
    small_workspace: Sandbox, readings: JsonObject
) -> None:
    for name, value in readings.items():
        setattr(small_workspace.customerio, name, value)
    source, destination = source_of(small_workspace), BulkCdkLike()
    catalog = catalog_of(source)

    assert_complete(run_sync(source, destination, catalog))
    assert_tables(small_workspace, catalog, destination, once=True)


@pytest.mark.long_tests
def test_every_resolution_has_the_numbers_of_the_workspace(small_workspace: Sandbox) -> None:
    resolutions = ["hours", "days", "weeks", "months"]
    source, destination = source_of(small_workspace, metrics_resolutions=resolutions), BulkCdkLike()
    catalog = catalog_of(source)

    assert_complete(run_sync(source, destination, catalog))
    for resolution in resolutions:
        assert_tables(small_workspace, catalog, destination, once=True, resolution=resolution)
