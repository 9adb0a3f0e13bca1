from typing import Any
from unittest.mock import Mock

import pytest
from airbyte_cdk.models import FailureType, SyncMode
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

from source_heap.components.companion import CompanionRouter, CompanionTables
from source_heap.components.files import FilesRouter
from source_heap.components.tables import Tables, TableSchema
from source_heap.run_config import RunConfig
from unit_tests.helpers import catalog_of
from unit_tests.source_heap.memory_bucket import MemoryBucket

COLUMNS = ["event_id", "time"]


@pytest.fixture
def bucket() -> MemoryBucket:
    """Three dumps; `clicks` is resynced in the second, `users` is in the first only."""
    bucket = MemoryBucket()
    bucket.add_dump(
        1,
        clicks={"columns": COLUMNS, "files": ["part-00000.avro"]},
        users={"columns": ["user_id"], "files": ["part-00000.avro"], "incremental": False},
        _event_metadata={"columns": [], "files": ["part-00000.avro"]},
    )
    bucket.add_dump(2, clicks={"columns": COLUMNS, "files": ["part-00000.avro"], "incremental": False})
    bucket.add_dump(3, clicks={"columns": [*COLUMNS, "color"], "files": ["part-00001.avro", "part-00000.avro"]})
    bucket.add_file(1, "users", "part-00000.avro", {"user_id": "long"}, [])
    bucket.add_file(2, "clicks", "part-00000.avro", {"event_id": "long", "time": "string"}, [])
    bucket.add_file(3, "clicks", "part-00000.avro", {"event_id": "long", "time": "long"}, [])
    bucket.add_file(3, "clicks", "part-00001.avro", {"event_id": "long", "time": "long"}, [])
    return bucket


def tables(run: RunConfig) -> dict[str, str]:
    found = Tables(config=run, access=Mock()).read_records({})
    return {table["name"]: table["primary_key"] for table in found}


def files(run: RunConfig, table: str, state: dict[str, Any] | None = None) -> tuple[list[str], Any]:
    """The files to read, and the state after they have been read."""
    router = FilesRouter(config=run, table=table)
    router.begin(state)
    slices = list(router.stream_slices())
    return [stream_slice.partition["file"] for stream_slice in slices], router.get_stream_state()


def test_tables_are_discovered_with_few_requests(bucket: MemoryBucket, caplog: pytest.LogCaptureFixture) -> None:
    run = bucket.run()
    with caplog.at_level("INFO"):
        assert tables(run) == {"clicks": "event_id", "users": "user_id"}
    assert "internal to Heap: _event_metadata" in caplog.text
    for table in ("clicks", "users"):
        TableSchema(config=run, table=table).get_json_schema()
    manifests = [f"manifests/sync_{n}.json" for n in (1, 2, 3)]
    headers = ["sync_1/users/part-00000.avro", "sync_2/clicks/part-00000.avro", "sync_3/clicks/part-00001.avro"]
    assert sorted(bucket.asked) == sorted(["LIST", *manifests, *(f"{file} bytes=0-16383" for file in headers)])


def test_a_key_is_declared_only_if_the_table_has_it(bucket: MemoryBucket) -> None:
    bucket.add_dump(
        4, anonymous={"columns": ["time"], "files": ["a.avro"]}, in_files={"columns": [], "files": ["a.avro"]}
    )
    bucket.add_file(4, "anonymous", "a.avro", {"time": "string"}, [])
    bucket.add_file(4, "in_files", "a.avro", {"event_id": "long"}, [])
    keys = {"clicks": "event_id", "users": "user_id", "anonymous": "", "in_files": "event_id"}
    assert tables(bucket.run()) == keys


def test_the_schema_covers_all_dumps_that_count(bucket: MemoryBucket) -> None:
    schema = TableSchema(config=bucket.run(), table="clicks").get_json_schema()
    assert {name: column["type"] for name, column in schema["properties"].items()} == {
        "event_id": ["null", "integer"],
        "time": ["null", "string"],
        "color": ["null", "string"],
        "_heap_dump_id": "integer",
        "_heap_file": "string",
    }


def test_a_long_header_is_fetched_in_a_larger_piece(bucket: MemoryBucket) -> None:
    fields = {f"a_rather_long_name_of_a_column_{i}": "string" for i in range(1_000)}
    bucket.add_file(1, "users", "part-00000.avro", fields, [])
    schema = TableSchema(config=bucket.run(), table="users").get_json_schema()
    assert set(fields) < set(schema["properties"])
    assert [asked.partition(" ")[2] for asked in bucket.asked if "users" in asked] == [
        "bytes=0-16383",
        "bytes=0-131071",
    ]


def test_a_read_gets_its_tables_and_schemas_from_the_catalog(bucket: MemoryBucket) -> None:
    catalog = catalog_of(["clicks", "_heap_tables"], SyncMode.incremental)
    catalog.streams[0].stream.json_schema = {"properties": {"event_id": {"type": ["null", "string"]}}}
    run = bucket.run(catalog)
    assert tables(run) == {"clicks": "event_id"}
    assert TableSchema(config=run, table="clicks").get_json_schema() == catalog.streams[0].stream.json_schema
    assert bucket.asked == []


def test_manifests_that_were_read_are_not_fetched_again(bucket: MemoryBucket) -> None:
    first, state = files(bucket.run(), "clicks")
    assert first == [f"sync_{n}/clicks/part-{i:05}.avro" for n, i in ((2, 0), (3, 0), (3, 1))]
    assert files(bucket.run(), "clicks", state)[0] == []
    assert bucket.asked == ["LIST"]
    bucket.add_dump(7, users={"files": ["part-00000.avro"]})
    bucket.add_dump(8, clicks={"files": ["part-00000.avro"]})
    assert files(bucket.run(), "clicks", state)[0] == ["sync_8/clicks/part-00000.avro"]
    assert sorted(bucket.asked) == ["LIST", "manifests/sync_7.json", "manifests/sync_8.json"]


def test_streams_of_a_run_share_fetched_manifests(bucket: MemoryBucket) -> None:
    run = bucket.run()
    for table in ("clicks", "users"):
        files(run, table)
    assert len(bucket.asked) == 1 + 3


def test_a_table_that_no_dump_contains_is_a_config_error(bucket: MemoryBucket) -> None:
    with pytest.raises(AirbyteTracedException, match="No dump contains the table 'mistyped'") as caught:
        files(bucket.run(), "mistyped")
    assert caught.value.failure_type is FailureType.config_error


def test_a_table_missing_from_newer_dumps_has_nothing_new(bucket: MemoryBucket) -> None:
    _, state = files(bucket.run(), "users")
    assert files(bucket.run(), "users", state)[0] == []


def companion(run: RunConfig, state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The records by table, and the state after them."""
    router = CompanionRouter(config=run)
    retriever = CompanionTables(
        config=run, access=Mock(), partition_router=router, cursor=Mock(state={"parent_state": state})
    )
    records = retriever.read_records({}, StreamSlice(partition={"part": "tables"}, cursor_slice={}))
    return {record["table"]: record for record in records}, dict(router.get_stream_state() or {})


def test_the_companion_stream_follows_full_copies(bucket: MemoryBucket) -> None:
    records, _ = companion(bucket.run(), {})
    assert records["clicks"] == {
        "table": "clicks",
        "first_valid_dump_id": 2,
        "newest_dump_id": 3,
        "file_count": 3,
        "columns": [*COLUMNS, "color"],
        "_heap_dump_id": 3,
    }
    assert set(records) == {"clicks", "users"}


def test_the_companion_stream_only_emits_changed_tables(bucket: MemoryBucket) -> None:
    _, state = companion(bucket.run(), {})
    assert companion(bucket.run(), state)[0] == {}
    assert bucket.asked == ["LIST"]
    bucket.add_dump(5, clicks={"files": ["part-00000.avro"]})
    records, state = companion(bucket.run(), state)
    assert {name: record["file_count"] for name, record in records.items()} == {"clicks": 4}
    assert bucket.asked == ["LIST", "manifests/sync_5.json"]


def test_a_late_full_copy_changes_the_first_valid_dump(bucket: MemoryBucket) -> None:
    _, state = companion(bucket.run(), {})
    bucket.add_dump(10, minute=10, users={"files": ["a.avro"]})
    _, state = companion(bucket.run(), state)
    bucket.add_dump(9, minute=11, users={"files": ["a.avro", "b.avro"], "incremental": False})
    records, _ = companion(bucket.run(), state)
    users = records["users"]
    assert (users["first_valid_dump_id"], users["newest_dump_id"], users["file_count"]) == (9, 10, 3)


@pytest.mark.parametrize("files", [[], ["part-00000.avro"]], ids=["only in an older dump", "in the newest dump"])
def test_access_is_verified_with_a_file_of_the_newest_dump_that_has_one(bucket: MemoryBucket, files: list[str]) -> None:
    bucket.add_dump(4, clicks={"files": files}, users={"files": []})
    bucket.add_file(4, "clicks", "part-00000.avro", {"event_id": "long"}, [])
    assert accessed(bucket) == f"sync_{4 if files else 3}/clicks/part-0000{0 if files else 1}.avro"


def test_a_bucket_whose_dumps_have_no_files_is_accessible() -> None:
    bucket = MemoryBucket()
    bucket.add_dump(1, clicks={"files": []})
    assert accessed(bucket) is None


def accessed(bucket: MemoryBucket) -> str | None:
    """The file whose header `check` reads."""
    run = bucket.run()
    retriever = CompanionTables(
        config=run, access=Mock(), partition_router=CompanionRouter(config=run), cursor=Mock(state={})
    )
    assert list(retriever.read_records({}, StreamSlice(partition={"part": "access"}, cursor_slice={}))) == []
    return next((asked.partition(" ")[0] for asked in bucket.asked if "bytes=" in asked), None)


@pytest.mark.parametrize(
    ("config", "message"),
    [({"bucket": "b"}, "only work within SourceHeap"), (RunConfig({"bucket": "b"}), "must build a BucketAccess")],
)
def test_the_manifest_is_of_no_use_without_the_source(config: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        RunConfig.bucket_of(config)
