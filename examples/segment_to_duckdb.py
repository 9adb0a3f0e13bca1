"""Sync Segment to a DuckDB file; segment.json is the configuration of source-segment."""

import json
from pathlib import Path

import airbyte as ab
from airbyte.caches import DuckDBCache

source = ab.get_source(
    "source-segment",
    local_executable="source-segment",
    config=json.loads(Path("segment.json").read_text()),
)
source.check()
source.select_all_streams()
result = source.read(cache=DuckDBCache(db_path="segment.duckdb"))
print(f"{result.processed_records} records read into segment.duckdb")
