"""The duration of a full sync by source-segment with latency, compared with the ideal."""

import time
from collections import Counter

import yaml

from sandbox.airbyte import Connector, DevNull, configured, run_sync
from sandbox.server import Sandbox

LATENCY_MS = 100
MANIFEST = "source_segment/manifest.yaml"


def run() -> None:
    """Read every stream once and compare the wall time with requests x latency / concurrency.

    The ideal ignores start-up, the processing of records, and lists that must be read before their children; the ratio
    shows their cost.
    """
    with open(MANIFEST) as file:  # noqa: PTH123 # as short as Path.open
        concurrency = yaml.safe_load(file)["concurrency_level"]["default_concurrency"]
    with Sandbox() as sandbox:
        source = Connector("source_segment", sandbox.configs()["source-segment"])
        catalog = configured(source.discover())
        started = time.perf_counter()
        source.discover()
        start_up = time.perf_counter() - started
        sandbox.faults.latency_ms = LATENCY_MS
        sandbox.journal.clear()
        started = time.perf_counter()
        attempt = run_sync(source, DevNull(), catalog, keep=False)
        wall = time.perf_counter() - started
        requests = Counter((request.path, request.query) for request in sandbox.journal)
    total = requests.total()
    ideal = total * LATENCY_MS / 1000 / concurrency
    print(f"source-segment: full sync of {len(catalog['streams'])} streams, {LATENCY_MS} ms latency per request")
    print(f"  {attempt.status}, {attempt.record_count:,} rows")
    print(f"  requests                  {total:,}, {total - len(requests)} of them repeated")
    print(f"  wall time                 {wall:.1f} s, {start_up:.1f} s of it start-up")
    print(f"  ideal                     {ideal:.1f} s = requests x latency / concurrency {concurrency}")
    print(f"  ratio to ideal            {wall / ideal:.2f}, without start-up {(wall - start_up) / ideal:.2f}")
