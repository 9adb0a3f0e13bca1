"""Sync Heap to a DuckDB file; heap.json is the configuration of source-heap."""

import json
from pathlib import Path

import airbyte as ab
from airbyte.caches import DuckDBCache

source = ab.get_source(
    "source-heap",
    local_executable="source-heap",
    config=json.loads(Path("heap.json").read_text()),
)
source.check()
source.select_all_streams()
result = source.read(cache=DuckDBCache(db_path="heap.duckdb"))
print(f"{result.processed_records} records read into heap.duckdb")
