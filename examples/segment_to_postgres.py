"""Sync Segment to PostgreSQL; segment.json is the configuration of source-segment, PGPASSWORD the password."""

import functools
import json
import os
from pathlib import Path

import airbyte as ab
import pandas as pd
from airbyte.caches import PostgresCache
from psycopg2.extensions import register_adapter
from psycopg2.extras import Json

# Workaround for two bugs of PyAirbyte's PostgreSQL cache, see README.md.
pd.read_json = functools.partial(pd.read_json, convert_dates=False, dtype=False)
for kind in (dict, list):
    register_adapter(kind, Json)

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
