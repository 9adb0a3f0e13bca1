"""Sync Segment to a DuckDB file with the connector's image; segment.json is the configuration of source-segment."""

import json
from pathlib import Path

import airbyte as ab
from airbyte.caches import DuckDBCache

source = ab.get_source(
    "source-segment",
    docker_image="cdp-connectors/source-segment:0.2.0",
    use_host_network=True,  # only for a sandbox or proxy on this machine
    config=json.loads(Path("segment.json").read_text()),
)
source.check()
source.select_all_streams()
result = source.read(cache=DuckDBCache(db_path="segment.duckdb"))
print(f"{result.processed_records} records read into segment.duckdb")
