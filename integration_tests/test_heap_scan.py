"""`source_heap.scan` compared with the world that wrote the dumps, and the example that uses it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import SeaweedS3
from source_heap import scan
from source_heap.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "examples" / "heap_scan.py"


@pytest.fixture(scope="module")
def bucket() -> Iterator[HeapBucket]:
    """Every dump that the sandbox has: a late one, a full resync, changed types, emptied tables."""
    clock = Clock()
    clock.advance(timedelta(days=3))
    with heap_bucket(clock, scale=0.2, server=SeaweedS3) as bucket:
        yield bucket


def rows(table: pa.Table | list[dict[str, Any]]) -> list[str]:
    listed = table if isinstance(table, list) else table.to_pylist()
    return sorted(
        json.dumps({k: v for k, v in row.items() if v is not None}, sort_keys=True, default=str) for row in listed
    )


def test_every_table_has_exactly_its_current_rows(bucket: HeapBucket) -> None:
    for table in bucket.world.tables:
        assert rows(scan(bucket.config, table).read_all()) == rows(bucket.world.expected(table)), table


def test_columns_are_read_in_the_requested_order(bucket: HeapBucket) -> None:
    columns = ["time", "_heap_dump_id", "event_id"]
    table = scan(bucket.config, "pageviews", columns).read_all()
    assert table.schema.names == columns
    assert rows(table) == rows(
        [{name: row.get(name) for name in columns} for row in bucket.world.expected("pageviews")]
    )


def test_a_start_date_omits_earlier_events(bucket: HeapBucket) -> None:
    since = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    config = {**bucket.config, "start_date": f" {since:%m/%d/%Y} "}
    for table in ("pageviews", "users", "search_submit_results"):
        assert rows(scan(config, table).read_all()) == rows(bucket.world.expected(table, since)), table


@pytest.mark.parametrize(
    ("change", "table", "columns", "message"),
    [
        ({}, "mistyped", None, "No dump contains the table 'mistyped'. Tables in the bucket: .*pageviews"),
        ({}, "users", ["user_id", "e-mail"], "Table 'users' has no column e-mail. Its columns are user_id"),
        ({"bucket": " "}, "users", None, "The configuration lacks bucket"),
        ({"credentials": {"auth_type": "role"}}, "users", None, "lacks role_arn"),
        ({"credentials": {"auth_type": "role", "role_name": "heap"}}, "users", None, "lacks aws_account_id"),
        ({"credentials": {"auth_type": "keys"}}, "users", None, "not one of role, access_key, default"),
        ({"start_date": "soon"}, "users", None, "Start date 'soon' is not a date"),
        ({"bucket": "heap-rs3-absent"}, "users", None, "Access denied when listing bucket 'heap-rs3-absent'"),
    ],
)
def test_errors_name_what_to_change(
    bucket: HeapBucket, change: dict[str, Any], table: str, columns: list[str] | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        scan({**bucket.config, **change}, table, columns)


def test_a_corrupt_file_is_named_with_the_byte(bucket: HeapBucket) -> None:
    dump_id, file = next((d, f) for d, f in bucket.world.current_files("pageviews") if len(list(f.rows())) > 100)
    client, key = bucket.server.client(bucket.server.writer), file.key
    content = (bucket.directory / key).read_bytes()
    try:
        client.put_object(Bucket=bucket.server.bucket, Key=key, Body=content[:-40])
        with pytest.raises(
            ConfigError, match=rf"Table 'pageviews', dump {dump_id}, file '{key}', byte \d+: unexpected end"
        ):
            scan(bucket.config, "pageviews").read_all()
    finally:
        client.put_object(Bucket=bucket.server.bucket, Key=key, Body=content)


def test_a_reader_that_is_dropped_stops_reading(bucket: HeapBucket) -> None:
    reader = scan(bucket.config, "pageviews")
    assert reader.read_next_batch().num_rows
    del reader


def test_the_example_fills_duckdb_polars_and_parquet(bucket: HeapBucket, tmp_path: Path) -> None:
    (tmp_path / "heap.json").write_text(json.dumps(bucket.config))
    printed = subprocess.run([sys.executable, EXAMPLE], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    world = bucket.world
    users = {row["user_id"] for row in world.expected("users")}
    assert f"shape: ({len(users)}, " in printed
    with duckdb.connect(str(tmp_path / "heap_scan.duckdb")) as connection:
        assert connection.execute("SELECT count(*) FROM pageviews").fetchone() == (len(world.expected("pageviews")),)
    sessions = pl.read_parquet(tmp_path / "sessions.parquet")
    assert sessions.columns == ["user_id", "session_id", "time"]
    assert sessions.height == len(world.expected("sessions"))
