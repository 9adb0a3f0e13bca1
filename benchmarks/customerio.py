"""Throughput of source-customerio at the limit of ten requests per second, and its memory when it reads people."""

import gc
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.measure import measure
from sandbox.airbyte import Connector, configured
from sandbox.server import Sandbox

LATENCY_MS = 150
LIMIT_PER_SECOND = 10
RUNS: list[tuple[list[str], float]] = [(["customers", "messages"], 1), (["customers"], 1), (["customers"], 5)]


def run() -> None:
    """Read from a sandbox that enforces the limit: two streams together, then people, then five times as many.

    The share of the limit is (successful requests - 1) / (10 x seconds from the first request to the last), which
    excludes start-up. Pages have 1,000 deliveries or 100 people.
    """
    title = f"source-customerio: {LIMIT_PER_SECOND} requests per second enforced, {LATENCY_MS} ms latency"
    table = Table(title=title, title_justify="left")
    table.add_column("streams", no_wrap=True)
    for heading in ("rows", "requests", "429 responses", "seconds", "share of the limit", "peak RSS MB"):
        table.add_column(heading, justify="right")
    for streams, scale in RUNS:
        table.add_row(", ".join(streams), *_measured(streams, scale))
    Console().print(table)


def _measured(streams: list[str], scale: float) -> Iterator[str]:
    with TemporaryDirectory() as folder, Sandbox(scale=scale) as sandbox:
        gc.freeze()  # otherwise garbage collections scan all rows of the sandbox and delay its responses
        config = {**sandbox.configs()["source-customerio"], "rate_limit_share": 1}
        catalog = configured(Connector("source_customerio", config).discover(), streams)
        command = [sys.executable, "-m", "source_customerio", "read"]
        for option, content in {"config": config, "catalog": catalog}.items():
            path = Path(folder) / f"{option}.json"
            path.write_text(json.dumps(content))
            command += [f"--{option}", str(path)]
        sandbox.customerio.rate_limit_per_second = LIMIT_PER_SECOND
        sandbox.faults.latency_ms = LATENCY_MS
        with _requests_timed(sandbox) as times:
            cost = measure(command)
        statuses = Counter(request.status for request in sandbox.journal)
    seconds = times[-1] - times[0]
    yield f"{cost.records:,}"
    yield f"{statuses.total():,}"
    yield f"{statuses[429]}"
    yield f"{seconds:.1f}"
    yield f"{(statuses[200] - 1) / (LIMIT_PER_SECOND * seconds):.1%}"
    yield f"{cost.peak_rss_mb:.0f}"


@contextmanager
def _requests_timed(sandbox: Sandbox) -> Iterator[list[float]]:
    """Record the times at which the journal grew, with a resolution of five milliseconds."""
    times: list[float] = []
    finished = threading.Event()

    def watch() -> None:
        seen = len(sandbox.journal)
        while not finished.wait(0.005):
            if len(sandbox.journal) > seen:
                seen = len(sandbox.journal)
                times.append(time.perf_counter())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield times
    finally:
        finished.set()
        watcher.join()
