"""Segment into PostgreSQL; segment.json is the configuration of source-segment, PGPASSWORD the database's password."""

import json
import os
from pathlib import Path

import airbyte as ab
from airbyte.caches import PostgresCache

source = ab.get_source(
    "source-segment",
    local_executable="source-segment",
    config=json.loads(Path("segment.json").read_text()),
)
source.check()
source.select_all_streams()
cache = PostgresCache(
    host=os.environ.get("PGHOST", "localhost"),
    port=int(os.environ.get("PGPORT", "5432")),
    username=os.environ.get("PGUSER", "postgres"),
    password=os.environ["PGPASSWORD"],
    database=os.environ.get("PGDATABASE", "postgres"),
    schema_name="segment",
)
result = source.read(cache=cache)
print(f"{result.processed_records} records read into the schema segment")
