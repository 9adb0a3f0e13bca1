"""A table as a stream of Arrow record batches, for DuckDB, Polars, Ray, Daft and anything else that reads Arrow."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import pyarrow as pa

from cdp_connectors.json_types import Json
from source_heap.avro.arrow import arrow_type
from source_heap.errors import ConfigError
from source_heap.file_rows import FileRows, Split
from source_heap.s3 import S3
from source_heap.settings import checked
from source_heap.table import DUMP_COLUMN, FILE_COLUMN, Table

FILES_AHEAD = 3
T = TypeVar("T")


def scan(config: Mapping[str, Json], table: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
    """The current content of a table: the rows of all files that no later full copy of the table has voided.

    Types are bool, int64, float64, large_string and binary; nested values are JSON. Columns whose types differ between
    dumps are strings, except that integers and numbers together are float64. Rows come dump by dump, each with
    `_heap_dump_id` and `_heap_file`; a row that Heap exported again, such as a changed user, occurs once per export.
    Memory does not grow with the table. The call takes a snapshot of the bucket's manifests; files are read as the
    reader is consumed.

    Args:
        config: the configuration of source-heap; `credentials` may be absent for the AWS default chain.
        table: the name of the table.
        columns: the columns to read, in this order; all by default.

    Raises:
        HeapError: the configuration is invalid, or the bucket cannot be read; also while the reader is consumed.
    """
    settings = checked(config)
    bucket = S3(settings).bucket()
    source = Table(bucket, table)
    types = {name: arrow_type(json_schema, pa.large_string()) for name, json_schema in source.columns().items()}
    names = list(types) if columns is None else list(columns)
    if unknown := [name for name in names if name not in types]:
        raise ConfigError(f"Table '{table}' has no column {', '.join(unknown)}. Its columns are {', '.join(types)}.")
    never_null = {DUMP_COLUMN, FILE_COLUMN}
    schema = pa.schema([pa.field(name, types[name], name not in never_null) for name in names])
    rows = FileRows(table, schema, settings.get("start_date"), rejects_new_columns=columns is None)
    files = (rows.batches(bucket, Split(file)) for file in source.files())
    return pa.RecordBatchReader.from_batches(schema, _read_ahead(files, FILES_AHEAD))


def _read_ahead(iterators: Iterable[Iterator[T]], count: int) -> Iterator[T]:
    """The items of the iterators in order, while threads fetch the next item of `count` iterators ahead."""
    waiting = iter(iterators)
    started: deque[tuple[Iterator[T], Future[T | None]]] = deque()
    with ThreadPoolExecutor(count) as pool:

        def start(iterator: Iterator[T]) -> tuple[Iterator[T], Future[T | None]]:
            return iterator, pool.submit(next, iterator, None)

        started.extend(map(start, islice(waiting, count)))
        while started:
            iterator, future = started.popleft()
            item = future.result()
            if item is None:
                started.extend(map(start, islice(waiting, 1)))
                continue
            started.appendleft(start(iterator))
            yield item
