"""Sync Customer.io to a DuckDB file; customerio.json is the configuration of source-customerio."""

import json
from pathlib import Path

import airbyte as ab
from airbyte.caches import DuckDBCache

source = ab.get_source(
    "source-customerio",
    local_executable="source-customerio",
    config=json.loads(Path("customerio.json").read_text()),
)
source.check()
source.select_all_streams()
result = source.read(cache=DuckDBCache(db_path="customerio.duckdb"))
print(f"{result.processed_records} records read into customerio.duckdb")
