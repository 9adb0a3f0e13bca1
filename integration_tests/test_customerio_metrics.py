"""Customer.io's metrics: source-customerio as a process, against the sandbox."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from integration_tests.rows import JsonObject, by_key
from sandbox.airbyte import Attempt, BulkCdkLike, Connector, configured, kill_after, run_sync
from sandbox.server import Sandbox


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    with Sandbox(scale=0.1) as running:
        yield running


def source_of(workspace: Sandbox) -> Connector:
    return Connector("source_customerio", workspace.configs()["source-customerio"])


def catalog_of(source: Connector) -> JsonObject:
    catalog = source.discover()
    return configured(catalog, [each["name"] for each in catalog["streams"] if each["name"].endswith("_metrics")])


def assert_tables(workspace: Sandbox, catalog: JsonObject, destination: BulkCdkLike, *, once: bool = False) -> None:
    """The tables have all of the sandbox's rows with their latest numbers, and after only one sync no others."""
    for stream in (each["stream"] for each in catalog["streams"]):
        found = by_key(destination.table(stream["name"]), stream)
        wanted = by_key(workspace.customerio.expected(stream["name"]), stream)
        assert wanted, stream["name"]
        assert {key: found.get(key) for key in wanted} == wanted, stream["name"]
        assert not once or found.keys() == wanted.keys(), stream["name"]


def assert_complete(attempt: Attempt) -> None:
    assert attempt.failures == []
    assert set(attempt.stream_status.values()) == {"COMPLETE"}


def test_every_day_has_its_numbers_and_a_later_sync_brings_what_came_late(workspace: Sandbox) -> None:
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


def test_a_killed_sync_is_repeated_without_losing_a_day(workspace: Sandbox) -> None:
    source, destination = source_of(workspace), BulkCdkLike()
    catalog = catalog_of(source)

    killed = run_sync(source, destination, catalog, during=kill_after(3_000))
    workspace.clock.advance(timedelta(days=1))
    final = run_sync(source, destination, catalog, killed.state_list())

    assert killed.status == "failed"
    assert_complete(final)
    assert_tables(workspace, catalog, destination)
