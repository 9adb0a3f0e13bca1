"""How close source-customerio comes to the limit of ten requests a second, and how much memory people need."""

import resource
import sys
import threading
import time
from collections import Counter

from typing_extensions import Self

from sandbox.connector_process import ConnectorProcess, configured
from sandbox.server import Sandbox

LATENCY_MS = 150
LIMIT_PER_SECOND = 10
STREAMS = ["customers", "messages", "activities", "newsletters"]


def run() -> None:
    """Read the large streams from a sandbox that enforces the limit, then three times as many people.

    The share of the limit is requests / (10 x seconds from the first to the last of them, and the second in which the
    first ten are free). It knows no start-up and counts no repeated request twice, since none should be refused.
    """
    print(f"source-customerio: {LIMIT_PER_SECOND} requests a second enforced, {LATENCY_MS} ms latency per request")
    _measure(STREAMS, scale=1)
    _measure(["customers"], scale=1)
    _measure(["customers"], scale=3)


def _measure(streams: list[str], scale: float) -> None:
    process = ConnectorProcess("source_customerio")
    with Sandbox(scale=scale) as sandbox:
        config = sandbox.configs()["source-customerio"]
        catalog = configured(process.discover(config).catalog or {}, streams)
        sandbox.customerio.rate_limit_per_second = LIMIT_PER_SECOND
        sandbox.faults.latency_ms = LATENCY_MS
        with _Stopwatch(sandbox) as stopwatch:
            output = process.read(config, catalog)
        statuses = Counter(request.status for request in sandbox.journal)
    share = statuses[200] / (LIMIT_PER_SECOND * (stopwatch.seconds + 1))
    rows = sum(map(len, output.records.values()))
    print(f"  {', '.join(streams)}: exit code {output.exit_code}, {rows:,} rows")
    print(f"    requests                {statuses.total():,}, of them refused with 429: {statuses[429]}")
    print(f"    first to last request   {stopwatch.seconds:.1f} s")
    print(f"    share of the limit      {share:.1%}")
    print(f"    peak memory so far      {_peak_megabytes():.0f} MB")


class _Stopwatch:
    """Measures the time from the first to the last request that the sandbox answers."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._journal = sandbox.journal
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        seen, first = len(self._journal), 0.0
        while not self._stopped.wait(0.005):
            if len(self._journal) > seen:
                seen = len(self._journal)
                first = first or time.perf_counter()
                self.seconds = time.perf_counter() - first


def _peak_megabytes() -> float:
    """The highest resident memory of any connector process so far."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
