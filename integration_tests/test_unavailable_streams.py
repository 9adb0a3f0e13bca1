"""A stream that the vendor denies, as seen by Airbyte and its destination with both values of the setting."""

from collections.abc import Iterator

import pytest

from sandbox.airbyte import BulkCdkLike, Connector, configured, run_sync
from sandbox.server import Sandbox

STREAMS = ("transformations", "users")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(scale=0.3) as running:
        yield running


@pytest.mark.parametrize("status", [403, 404])
def test_one_denied_stream_freezes_every_overwritten_table_unless_it_is_skipped(sandbox: Sandbox, status: int) -> None:
    sandbox.segment.change({"gate_status": status})
    config = sandbox.configs()["source-segment"]
    source = Connector("source_segment", config)
    skipping = Connector("source_segment", {**config, "unavailable_streams": "skip"})
    catalog = configured(source.discover(), STREAMS)
    for stream in catalog["streams"]:
        stream.update(sync_mode="full_refresh", destination_sync_mode="overwrite")
    destination = BulkCdkLike()
    assert run_sync(source, destination, catalog).source_exit_code == 0
    before = {name: list(destination.table(name)) for name in STREAMS}
    assert all(before.values())
    sandbox.segment.gates.add("protocols")

    failed = run_sync(source, destination, catalog)
    after_failure = {name: list(destination.table(name)) for name in STREAMS}
    succeeded = run_sync(skipping, destination, catalog)

    assert failed.source_exit_code == 1
    assert failed.source_status["transformations"] == "INCOMPLETE"
    assert "Tables that are overwritten keep their previous content" in failed.source_errors[-1].message
    assert after_failure == before
    assert succeeded.source_exit_code == 0
    assert succeeded.source_errors == []
    assert succeeded.source_status == {"transformations": "INCOMPLETE", "users": "COMPLETE"}
    assert destination.table("users") == before["users"]
    assert destination.table("transformations") == []
    warnings = [log["message"] for log in succeeded.logs if log["level"] == "WARN"]
    assert any(line.startswith("Skipped stream transformations, as configured. Its table") for line in warnings)


def test_check_names_what_the_token_cannot_read(sandbox: Sandbox) -> None:
    sandbox.segment.gates.add("protocols")

    status = Connector("source_segment", sandbox.configs()["source-segment"]).check().status

    assert status
    assert status["status"] == "SUCCEEDED"
    assert "cannot read" in status["message"]
    assert "transformations" in status["message"]
