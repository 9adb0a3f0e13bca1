"""Reads that are ended early: by SIGTERM, as from Airbyte and Kubernetes, by Ctrl-C, or by a reader that goes away."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.vendors import vendor
from sandbox.airbyte import BulkCdkLike, Connector, Sync, after, configured, run_sync

SOURCES = sorted(path.parent.name for path in Path(__file__).parents[1].glob("source_*/run.py"))

ENDS: dict[str, tuple[Callable[[Sync], None], int]] = {
    "SIGTERM": (lambda sync: sync.source.terminate(), -signal.SIGTERM),
    "Ctrl-C": (lambda sync: sync.source.interrupt(), 130),
    "closed output": (lambda sync: sync.source.close_output(), 141),
}


@pytest.fixture(scope="module", params=SOURCES)
def connection(request: pytest.FixtureRequest) -> Iterator[tuple[Connector, dict[str, Any]]]:
    """A source whose vendor has enough data to fill any buffer, and its catalog."""
    package = request.param
    with vendor(package.replace("_", "-")) as (config, _):
        source = Connector(package, config)
        yield source, configured(source.discover())


@pytest.mark.parametrize("lines", [1, 200, 700])
@pytest.mark.parametrize("end", ENDS)
def test_a_read_ends_promptly_after_a_complete_line(
    connection: tuple[Connector, dict[str, Any]], end: str, lines: int
) -> None:
    (source, catalog), (act, exit_code) = connection, ENDS[end]

    attempt = run_sync(source, BulkCdkLike(), catalog, during=after(lines, act))

    assert attempt.source_exit_code == exit_code
    assert attempt.stderr == []
