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


def is_counted(row: JsonObject) -> bool:
    """Whether the row has more than the zeros that replace what another reading of "Eastern time" has written."""
    return any(value for name, value in row.items() if isinstance(value, int) and not name.endswith("_id"))


def assert_rows(workspace: Sandbox, catalog: JsonObject, *outputs: Output, resolution: str = "days") -> None:
    """All of the sandbox's rows were emitted, the last time with their latest numbers."""
    for configured_stream in catalog["streams"]:
        stream = configured_stream["stream"]
        emitted = by_key([row for output in outputs for row in output.records[stream["name"]]], stream)
        found = {
            key: {name: value for name, value in row.items() if name != "language_variants"}
            for key, row in emitted.items()
            if row["resolution"] == resolution and is_counted(row)
        }
        wanted = by_key(workspace.customerio.expected(stream["name"], resolution), stream)
        assert wanted or len(outputs) == 1, stream["name"]
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


def test_ten_days_with_late_opens_and_few_requests(workspace: Sandbox) -> None:
    config = {**workspace.configs()["source-customerio"], **UNPACED}
    catalog = catalog_of(config)
    outputs, requests = [PROCESS.read(config, catalog)], []
    for _ in range(10):
        workspace.clock.advance(timedelta(days=1))
        workspace.journal.clear()
        outputs.append(PROCESS.read(config, catalog, outputs[-1].state_list()))
        requests.append(len(workspace.journal))

    assert [(output.errors, output.exit_code) for output in outputs] == [([], 0)] * 11
    assert_rows(workspace, catalog, *outputs)


@pytest.mark.parametrize(
    "readings",
    [
        {"metrics_dates": "text"},
        {"metrics_dates": "iso", "metrics_end": "exclusive"},
        {"metrics_dates": "iso", "metrics_zone": "America/New_York"},
        {"journey_parameter": "res"},
        {"journey_parameter": "resolution"},
        {"fields_of_2026": True, "language_variants": True},
    ],
    ids=str,
)
def test_each_reading_of_the_documents_gives_the_right_rows(readings: JsonObject) -> None:
    with Sandbox(scale=0.02) as small:
        for name, value in readings.items():
            setattr(small.customerio, name, value)
        config = {**small.configs()["source-customerio"], **UNPACED}
        catalog = catalog_of(config)

        output = PROCESS.read(config, catalog)

        assert (output.errors, output.exit_code) == ([], 0)
        assert_rows(small, catalog, output)


def test_every_resolution_has_the_numbers_of_the_workspace() -> None:
    with Sandbox(scale=0.02) as small:
        resolutions = ["hours", "days", "weeks", "months"]
        config = {**small.configs()["source-customerio"], **UNPACED, "metrics_resolutions": resolutions}
        catalog = catalog_of(config)

        output = PROCESS.read(config, catalog)

        assert (output.errors, output.exit_code) == ([], 0)
        for resolution in resolutions:
            assert_rows(small, catalog, output, resolution=resolution)
