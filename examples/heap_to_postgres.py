"""Heap into PostgreSQL; heap.json is the configuration of source-heap, and PGPASSWORD the database's password."""

import json
import os
from pathlib import Path

import airbyte as ab
from airbyte.caches import PostgresCache

source = ab.get_source(
    "source-heap",
    local_executable="source-heap",
    config=json.loads(Path("heap.json").read_text()),
)
source.check()
source.select_all_streams()
cache = PostgresCache(
    host=os.environ.get("PGHOST", "localhost"),
    port=int(os.environ.get("PGPORT", "5432")),
    username=os.environ.get("PGUSER", "postgres"),
    password=os.environ["PGPASSWORD"],
    database=os.environ.get("PGDATABASE", "postgres"),
    schema_name="heap",
)
result = source.read(cache=cache)
print(f"{result.processed_records} records read into the schema heap")
