"""The current files of a table, and their rows as record batches, whole or in splits."""

import pyarrow as pa
import pytest

from source_heap.avro.arrow import ColumnError
from source_heap.bucket import Bucket
from source_heap.errors import ConfigError
from source_heap.file_rows import FileRows, Split
from source_heap.table import DumpFile, summaries
from source_heap.table_history import TableHistory
from unit_tests.source_heap.avro_files import avro_file
from unit_tests.source_heap.memory_bucket import MemoryBucket

FILE = DumpFile(2, "sync_2/clicks/a.avro")
SCHEMA = pa.schema([pa.field("event_id", pa.int64()), pa.field("_heap_dump_id", pa.int64())])


@pytest.fixture
def memory() -> MemoryBucket:
    """Two dumps of `clicks`, the second a full copy with a new column; `users` is in the first only."""
    memory = MemoryBucket()
    memory.add_dump(
        1,
        clicks={"columns": ["event_id"], "files": ["a.avro", "b.avro"]},
        users={"columns": ["user_id"], "files": ["a.avro"]},
        _event_metadata={"files": ["a.avro"]},
    )
    memory.add_dump(2, clicks={"columns": ["event_id", "color"], "files": ["a.avro"], "incremental": False})
    fields, rows = {"event_id": "long", "color": "string"}, [{"event_id": n, "color": "red"} for n in range(100)]
    memory.objects[FILE.key] = avro_file(fields, rows, rows_per_block=10)
    return memory


def bucket(memory: MemoryBucket) -> Bucket:
    found = memory.run().bucket
    assert found
    return found


@pytest.mark.parametrize("size", [50, 200, 10_000])
def test_splits_of_a_file_together_have_its_rows_once(memory: MemoryBucket, size: int) -> None:
    rows, access = FileRows("clicks", SCHEMA, rejects_new_columns=False), bucket(memory)
    splits = [Split(FILE, start, start + size) for start in range(0, len(memory.objects[FILE.key]), size)]
    found = [row for split in splits for batch in rows.batches(access, split) for row in batch.to_pylist()]
    assert found == [{"event_id": n, "_heap_dump_id": 2} for n in range(100)]


@pytest.mark.parametrize("split", [Split(FILE), Split(FILE, 0, 100)], ids=["whole", "split"])
def test_a_column_outside_of_the_schema_is_an_error_that_names_it(memory: MemoryBucket, split: Split) -> None:
    with pytest.raises(ColumnError) as caught:
        list(FileRows("clicks", SCHEMA).batches(bucket(memory), split))
    assert str(caught.value).startswith(
        "Table 'clicks', dump 2, file 'sync_2/clicks/a.avro': it has columns that are not in the table's schema: color."
    )


@pytest.mark.parametrize("split", [Split(FILE), Split(FILE, 0, 10_000)], ids=["whole", "split"])
def test_the_error_for_a_damaged_file_names_the_byte(memory: MemoryBucket, split: Split) -> None:
    rows = FileRows("clicks", SCHEMA, rejects_new_columns=False)
    memory.objects[FILE.key] = memory.objects[FILE.key][:-1]
    with pytest.raises(ConfigError, match=r"dump 2, file 'sync_2/clicks/a\.avro', byte \d+: unexpected end of file\."):
        list(rows.batches(bucket(memory), split))


def test_the_summary_of_a_table_counts_the_files_since_its_last_full_copy(memory: MemoryBucket) -> None:
    found = [(summary.table, summary.history, summary.columns) for summary in summaries(bucket(memory))]
    assert found == [
        ("clicks", TableHistory(2, 2, 1), ("event_id", "color")),
        ("users", TableHistory(1, 1, 1), ("user_id",)),
    ]
