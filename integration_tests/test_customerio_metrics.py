"""Customer.io's metrics: source-customerio as a process, against the sandbox."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from integration_tests.rows import JsonObject, by_key
from sandbox.connector_process import ConnectorProcess, Output, configured
from sandbox.server import Sandbox

PROCESS = ConnectorProcess("source_customerio")
UNPACED = {"rate_limit_share": 1000}


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    with Sandbox(scale=0.1) as running:
        yield running


def catalog_of(config: JsonObject) -> JsonObject:
    catalog = PROCESS.discover(config).catalog
    assert catalog
    return configured(catalog, [each["name"] for each in catalog["streams"] if each["name"].endswith("_metrics")])


def assert_rows(workspace: Sandbox, catalog: JsonObject, *outputs: Output) -> None:
    """All of the sandbox's rows were emitted, the last time with their latest numbers."""
    for configured_stream in catalog["streams"]:
        stream = configured_stream["stream"]
        found = by_key([row for output in outputs for row in output.records[stream["name"]]], stream)
        wanted = by_key(workspace.customerio.expected(stream["name"]), stream)
        assert wanted, stream["name"]
        assert {key: found.get(key) for key in wanted} == wanted, stream["name"]
        assert len(outputs) > 1 or found.keys() == wanted.keys(), stream["name"]


def test_every_day_has_its_numbers_and_a_later_sync_brings_what_came_late(workspace: Sandbox) -> None:
    config = {**workspace.configs()["source-customerio"], **UNPACED}
    catalog = catalog_of(config)

    first = PROCESS.read(config, catalog)
    assert (first.errors, first.exit_code) == ([], 0)
    assert_rows(workspace, catalog, first)

    workspace.clock.advance(timedelta(days=2))
    second = PROCESS.read(config, catalog, first.state_list())

    assert (second.errors, second.exit_code) == ([], 0)
    assert_rows(workspace, catalog, first, second)
    assert len(second.records["campaign_metrics"]) < len(first.records["campaign_metrics"]) / 2


def test_a_killed_sync_is_repeated_without_losing_a_day(workspace: Sandbox) -> None:
    config = {**workspace.configs()["source-customerio"], **UNPACED}
    catalog = catalog_of(config)

    killed = PROCESS.read(config, catalog, stop_when=lambda count, *_: count >= 3_000)
    workspace.clock.advance(timedelta(days=1))
    final = PROCESS.read(config, catalog, killed.state_list())

    assert killed.exit_code
    assert (final.errors, final.exit_code) == ([], 0)
    assert_rows(workspace, catalog, killed, final)
