"""Customer.io's activities, whose first sync can take hours: resuming after kills."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from integration_tests.rows import by_key
from sandbox.airbyte import BulkCdkLike, Connector, configured, kill_after, run_sync
from sandbox.clock import Clock
from sandbox.server import Sandbox

PAGE = 30  # so that the 250 activities of the bulk import fill fewer pages than end a read


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    """A workspace with some two hundred pages of activities, whose clock can advance by two days."""
    with Sandbox(Clock(datetime.now(timezone.utc) - timedelta(days=3))) as running:
        running.customerio.largest_page = PAGE
        yield running


def source_of(workspace: Sandbox) -> Connector:
    return Connector("source_customerio", workspace.configs()["source-customerio"])


def requests(workspace: Sandbox) -> int:
    """The requests for activities since the last call."""
    count = sum(request.path.endswith("/activities") for request in workspace.journal)
    workspace.journal.clear()
    return count


@pytest.mark.parametrize("tokens", [["position"] * 3, ["row"] * 3, ["position", "row", "row"]], ids=str)
def test_a_first_sync_that_is_killed_repeatedly_resumes_where_it_was(workspace: Sandbox, tokens: list[str]) -> None:
    source, destination = source_of(workspace), BulkCdkLike()
    catalog = configured(source.discover(), ["activities"])
    pages = len(workspace.customerio.expected("activities")) // PAGE
    states, counts = [], []
    for kill_at, reading in zip([1_800, 1_600, None], tokens, strict=True):
        workspace.clock.advance(timedelta(hours=12))
        workspace.customerio.activity_tokens = reading
        attempt = run_sync(source, destination, catalog, states, during=kill_after(kill_at) if kill_at else None)
        states = attempt.state_list() or states
        counts.append(requests(workspace))

    assert attempt.failures == []
    stream = catalog["streams"][0]["stream"]
    found = by_key(destination.table("activities"), stream)
    assert found == by_key(workspace.customerio.expected("activities"), stream)
    assert set(states[0]["stream"]["stream_state"]) == {"timestamp"}
    if len(set(tokens)) == 1:
        assert sum(counts) < pages * 1.6


def test_a_sync_after_a_month_without_one_resumes_too(workspace: Sandbox) -> None:
    source, destination = source_of(workspace), BulkCdkLike()
    catalog = configured(source.discover(), ["activities"])
    month_ago = int(datetime.now(timezone.utc).timestamp()) - 33 * 86400
    old = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "activities"}}}
    old["stream"]["stream_state"] = {"timestamp": str(month_ago)}

    killed = run_sync(source, destination, catalog, [old], during=kill_after(2_000))
    final = run_sync(source, destination, catalog, killed.state_list())

    assert killed.state_list()[0]["stream"]["stream_state"]["timestamp"] == str(month_ago)
    assert final.failures == []
    assert final.emitted["activities"] < len(workspace.customerio.expected("activities"))
    stream = catalog["streams"][0]["stream"]
    found = by_key(destination.table("activities"), stream)
    assert found == by_key(workspace.customerio.expected("activities"), stream)
