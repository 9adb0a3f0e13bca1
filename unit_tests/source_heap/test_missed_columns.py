"""Columns that files have but the connection's schema lacks, and rows without the key that it deduplicates by."""

import logging
from typing import Any
from unittest.mock import Mock

import pytest
from airbyte_cdk.models import DestinationSyncMode, SyncMode, Type
from airbyte_cdk.sources.types import Record, StreamSlice

from cdp_connectors.json_types import Json
from source_heap.components.avro_files import AvroFiles
from source_heap.components.files import FilesRouter
from source_heap.missed_columns import MissedColumns
from source_heap.run_config import RunConfig
from unit_tests.helpers import catalog_of
from unit_tests.source_heap.memory_bucket import MemoryBucket

OLD, NEW = {"event_id": "long"}, {"event_id": "long", "color": ["null", "string"]}


@pytest.fixture
def bucket() -> MemoryBucket:
    """Two dumps of a table; the second has a new column."""
    bucket = MemoryBucket()
    bucket.add_dump(1, clicks={"columns": list(OLD), "files": ["a.avro"]})
    bucket.add_dump(2, clicks={"columns": list(NEW), "files": ["a.avro"]})
    bucket.add_file(1, "clicks", "a.avro", OLD, [{"event_id": 1}])
    bucket.add_file(2, "clicks", "a.avro", NEW, [{"event_id": 2, "color": "red"}])
    return bucket


def run_of(bucket: MemoryBucket, *columns: str, **settings: Json) -> RunConfig:
    catalog = catalog_of(["clicks"], SyncMode.incremental)
    catalog.streams[0].stream.json_schema = {"properties": {name: {} for name in columns}}
    run = bucket.run(catalog)
    run.update(settings)
    return run


def sync(run: RunConfig, state: dict[str, Any] | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of all files, and the last state."""
    router = FilesRouter(config=run, table="clicks")
    cursor = Mock(state={"parent_state": state or {}})
    files = AvroFiles(config=run, partition_router=router, cursor=cursor, name="clicks", parameters={})
    rows: list[dict[str, Any]] = []
    for stream_slice in list(router.stream_slices()):
        assert isinstance(stream_slice, StreamSlice)
        for item in files.read_records({}, stream_slice):
            if isinstance(item, Record):
                rows.append(dict(item.data))
            else:
                assert item.type is Type.STATE
                state = item.state.stream.stream_state.__dict__["parent_state"]
    return rows, dict(router.get_stream_state() or {})


def test_a_new_column_is_reported_once(bucket: MemoryBucket, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rows, state = sync(run_of(bucket, "event_id"))
    assert [row["event_id"] for row in rows] == [1, 2]
    assert caplog.text.count("Table 'clicks': from dump 2 on, files have columns") == 1
    assert "values: color. Refresh the source schema" in caplog.text
    assert state["missed_columns"] == ["color"]
    caplog.clear()
    sync(run_of(bucket, "event_id"), {**state, "settled_dump_ids": [1]})
    assert "color" not in caplog.text


def test_a_declared_column_is_not_reported(bucket: MemoryBucket, caplog: pytest.LogCaptureFixture) -> None:
    _, state = sync(run_of(bucket, "event_id", "color"))
    assert "missed_columns" not in state
    assert caplog.text == ""


def test_a_table_whose_schema_gains_missed_columns_is_read_again_if_enabled(bucket: MemoryBucket) -> None:
    _, state = sync(run_of(bucket, "event_id"))
    assert sync(run_of(bucket, "event_id", reread_on_new_columns=True), state) == ([], state)
    assert sync(run_of(bucket, "event_id", "color"), state) == ([], state)
    rows, state = sync(run_of(bucket, "event_id", "color", reread_on_new_columns=True), state)
    assert [row.get("color") for row in rows] == [None, "red"]
    assert "missed_columns" not in state
    assert sync(run_of(bucket, "event_id", "color", reread_on_new_columns=True), state) == ([], state)


def test_a_column_that_no_file_had_does_not_cause_a_second_read(bucket: MemoryBucket) -> None:
    _, state = sync(run_of(bucket, "event_id", "color"))
    assert sync(run_of(bucket, "event_id", "color", "size", reread_on_new_columns=True), state)[0] == []


def test_without_a_schema_no_column_counts_as_missed() -> None:
    assert MissedColumns(None).add(["a"]) == []


def test_rows_without_the_key_that_a_connection_deduplicates_by_are_skipped_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bucket = MemoryBucket()
    bucket.add_dump(1, clicks={"columns": ["event_id"], "files": ["a.avro"]})
    bucket.add_file(1, "clicks", "a.avro", {"event_id": ["null", "long"]}, [{"event_id": n} for n in (1, None, 3)])
    bucket.add_dump(2, clicks={"columns": ["color"], "files": ["a.avro"]})
    bucket.add_file(2, "clicks", "a.avro", {"color": "string"}, [{"color": "red"}, {"color": "blue"}])
    catalog = catalog_of(["clicks"], SyncMode.incremental)
    catalog.streams[0].destination_sync_mode = DestinationSyncMode.append_dedup
    catalog.streams[0].primary_key = [["event_id"]]

    rows, _ = sync(bucket.run(catalog))

    assert [row["event_id"] for row in rows] == [1, 3]
    assert [record.getMessage().partition(" row(s)")[0] for record in caplog.records] == [
        "Table 'clicks', dump 1, file 'sync_1/clicks/a.avro': skipped 1",
        "Table 'clicks', dump 2, file 'sync_2/clicks/a.avro': skipped 2",
    ]
