"""Read Heap tables into DuckDB, Polars and Parquet, without Airbyte; heap.json is the configuration of source-heap.

Install the requirements with `pip install 'cdp-connectors[arrow]' duckdb`.
"""

import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq

from source_heap import scan

config = json.loads(Path("heap.json").read_text())

with duckdb.connect("heap_scan.duckdb") as connection:
    pageviews = scan(config, "pageviews")
    connection.execute("CREATE OR REPLACE TABLE pageviews AS SELECT * FROM pageviews")
    print(connection.sql("SELECT count(*) AS pageviews FROM pageviews"))

users = pl.DataFrame(scan(config, "users"))
print(users.sort("_heap_dump_id").unique("user_id", keep="last"))

sessions = scan(config, "sessions", columns=["user_id", "session_id", "time"])
with pq.ParquetWriter("sessions.parquet", sessions.schema) as writer:
    for batch in sessions:
        writer.write_batch(batch)
print(pq.read_metadata("sessions.parquet"))
