"""The cost of syncing a workspace of 2,000 sources and 500 destinations: requests, minutes, memory."""

import gc
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Cost, measure
from cdp_connectors.json_types import JsonObject
from cdp_connectors.manifests import declared, endpoint, limit_per_minute
from sandbox.airbyte import Connector, configured
from sandbox.clock import Clock
from sandbox.server import Sandbox
from source_segment.source import SourceSegment

SOURCES, DESTINATIONS = 2_000, 500
PER_MINUTE = 3_000
"""The connector's limit for all endpoints that have no limit of their own."""
_DAY = timedelta(days=1)


def run() -> None:
    """Read all streams, then the suggested ones, each in a first sync and a day later, from a sandbox without limits.

    The minutes are computed from the counted requests and the documented limits; streams wait in parallel, so the
    slowest endpoint determines the total. The seconds are measured here, where the API responds immediately and shares
    the CPU with the connector.
    """
    table = Table(title=f"source-segment: {SOURCES:,} sources, {DESTINATIONS} destinations", title_justify="left")
    table.add_column("streams", no_wrap=True)
    for heading in ("rows", "requests", "minutes at the limits", "seconds here", "CPU seconds", "peak RSS MB"):
        table.add_column(heading, justify="right")
    limited = Table(title="endpoints with a limit of their own, all streams", title_justify="left")
    limited.add_column("endpoint", no_wrap=True)
    for heading in ("per minute", "requests", "minutes"):
        limited.add_column(heading, justify="right")
    suggested = _suggested_streams()
    for name, requests, cost in [*_syncs("all", None), *_syncs(f"the {len(suggested)} suggested", suggested)]:
        minutes = _minutes(requests)
        table.add_row(
            name,
            f"{cost.records:,}",
            f"{requests.total():,}",
            f"{max(minutes.values()):,.1f}",
            f"{cost.seconds:,.0f}",
            f"{cost.cpu_seconds:,.0f}",
            f"{cost.peak_rss_mb:,.0f}",
        )
        if not limited.rows:
            for path, taken in sorted(minutes.items(), key=lambda each: -each[1]):
                count = round(taken * _limits().get(path, PER_MINUTE))
                limited.add_row(path, f"{_limits().get(path, PER_MINUTE):,}", f"{count:,}", f"{taken:,.1f}")
    console = Console(width=140)
    console.print(table)
    console.print(limited)


def _suggested_streams() -> list[str]:
    metadata = yaml.safe_load(Path("metadata.yaml").read_text())
    streams: list[str] = metadata["connectors"]["source-segment"]["suggestedStreams"]["streams"]
    return streams


def _syncs(name: str, streams: list[str] | None) -> Iterator[tuple[str, Counter[str], Cost]]:
    # The connector's clock cannot be set, so the sandbox's starts a day behind and catches up.
    clock = Clock(datetime.now(timezone.utc).replace(microsecond=0) - _DAY - timedelta(minutes=2))
    with (
        TemporaryDirectory() as folder,
        Sandbox(clock, segment_sources=SOURCES, segment_destinations=DESTINATIONS) as sandbox,
    ):
        gc.freeze()  # otherwise garbage collections scan all rows of the sandbox and delay its responses
        config = sandbox.configs()["source-segment"]
        del config["start_date"]
        catalog = configured(Connector("source_segment", config).discover(), streams)
        inputs: dict[str, JsonObject | list[JsonObject]] = {"config": config, "catalog": catalog}
        for time in ("first sync", "a day later"):
            sandbox.journal.clear()
            cost = _read(Path(folder), inputs)
            yield f"{name}, {time}", sandbox.requests_of("segment"), cost
            inputs["state"] = _last_states(cost.output)
            clock.advance(_DAY)


def _read(folder: Path, inputs: Mapping[str, JsonObject | list[JsonObject]]) -> Cost:
    command = [sys.executable, "-m", "source_segment", "read"]
    for option, content in inputs.items():
        path = folder / f"{option}.json"
        path.write_text(json.dumps(content))
        command += [f"--{option}", str(path)]
    return measure(command, keep=b'"type":"STATE"')


def _last_states(lines: bytes) -> list[JsonObject]:
    states = [json.loads(line) for line in lines.splitlines()]
    return list({each["state"]["stream"]["stream_descriptor"]["name"]: each["state"] for each in states}.values())


def _minutes(requests: Counter[str]) -> dict[str, float]:
    """The minutes that requests take at the limits, by path; paths without their own limit are summed up."""
    limits = _limits()
    minutes = {path: count / limits[path] for path, count in requests.items() if path in limits}
    minutes["all others"] = sum(count for path, count in requests.items() if path not in limits) / PER_MINUTE
    return minutes


@cache
def _limits() -> Mapping[str, int]:
    manifest = SourceSegment().resolved_manifest
    streams = list(declared(manifest["streams"]))
    limits = {endpoint(stream).partition(" ")[2]: limit_per_minute(stream, manifest) for stream in streams}
    return {path: limit for path, limit in limits.items() if limit}
