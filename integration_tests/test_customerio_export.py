"""Reading Customer.io's people from an export instead of the search."""

from collections.abc import Iterator

import pytest

from integration_tests.rows import JsonObject, by_key, without
from sandbox.airbyte import Attempt, BulkCdkLike, Connector, configured, run_sync
from sandbox.server import Sandbox


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    with Sandbox(scale=0.02) as running:
        yield running


def read(workspace: Sandbox, **settings: object) -> tuple[Attempt, dict[object, JsonObject]]:
    """Read the people; returns them by key."""
    source = Connector("source_customerio", {**workspace.configs()["source-customerio"], **settings})
    destination, catalog = BulkCdkLike(), configured(source.discover(), ["customers"])
    attempt = run_sync(source, destination, catalog)
    return attempt, by_key(destination.table("customers"), catalog["streams"][0]["stream"])


def requested(workspace: Sandbox) -> list[str]:
    return [request.path.removeprefix("/customerio").removeprefix("/us/v1") for request in workspace.journal]


@pytest.mark.parametrize("columns", ["attributes", "identifiers"])
@pytest.mark.parametrize("segment", [None, 2])
def test_an_export_has_the_people_and_attributes_of_the_search(
    workspace: Sandbox, columns: str, segment: int | None
) -> None:
    workspace.customerio.export_columns = columns
    workspace.customerio.export_polls = 1
    settings = {} if segment is None else {"customers_segment_id": segment}
    _, searched = read(workspace, **settings)
    workspace.journal.clear()

    attempt, exported = read(workspace, customers_export=True, **settings)

    assert attempt.failures == []
    assert exported == {key: without(row, "devices", "timestamps") for key, row in searched.items()}
    assert exported
    assert requested(workspace) == [
        "/exports/customers",
        "/exports/1000",
        "/exports/1000",
        "/exports/1000/download",
        "/files/exports/1000.csv",
    ]


def test_a_failed_export_is_one_job_and_one_message(workspace: Sandbox) -> None:
    workspace.customerio.export_ends = "failed"

    attempt, _ = read(workspace, customers_export=True)

    [message] = [failure.message for failure in attempt.source_errors if failure.stream]
    assert message.startswith("Customer.io could not complete export 1000 of people.")
    assert requested(workspace).count("/exports/customers") == 1


def test_a_check_creates_no_export(workspace: Sandbox) -> None:
    source = Connector("source_customerio", {**workspace.configs()["source-customerio"], "customers_export": True})

    assert source.check().status == {"status": "SUCCEEDED"}
    assert "/exports/customers" not in requested(workspace)
