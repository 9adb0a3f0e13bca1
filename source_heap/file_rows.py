"""Rows of a table's files as Arrow record batches."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from source_heap.avro.arrow import ColumnError, record_batches
from source_heap.avro.container import ContainerReader, CorruptFileError
from source_heap.avro.splits import split_blocks
from source_heap.bucket import Bucket
from source_heap.errors import ConfigError, HeapError
from source_heap.manifests import WHOLE_TABLES
from source_heap.rows import StartDateFilter
from source_heap.table import DUMP_COLUMN, FILE_COLUMN, DumpFile


@dataclass(frozen=True)
class Split:
    """A file, or the blocks of it that `splits.split_blocks` yields for a range of bytes."""

    file: DumpFile
    start: int = 0
    end: int | None = None


@dataclass(frozen=True)
class FileRows:
    """Reads the files of one table with one schema.

    Rows of event-like tables before `start_date` (UTC, `YYYY-MM-DDTHH:MM:SSZ`) are skipped. With `rejects_new_columns`,
    a file that has a column outside of the schema is an error, so that no column is silently lost.
    """

    table: str
    schema: pa.Schema
    start_date: str | None = None
    rejects_new_columns: bool = True

    def batches(self, bucket: Bucket, split: Split) -> Iterator[pa.RecordBatch]:
        """The rows of a file, or of part of it.

        Raises:
            HeapError: the file cannot be read; the message names table, dump, file, and byte or column.
        """
        where = f"Table '{self.table}', dump {split.file.dump_id}, file '{split.file.key}'"
        try:
            yield from self._batches(bucket, split)
        except CorruptFileError as error:
            raise ConfigError(
                f"{where}, byte {error.offset}: {error.reason}. Restore the object, or ask Heap to resync the table."
            ) from error
        except HeapError as error:
            raise type(error)(f"{where}: {error}") from error

    def _batches(self, bucket: Bucket, split: Split) -> Iterator[pa.RecordBatch]:
        key = split.file.key
        constants = {DUMP_COLUMN: split.file.dump_id, FILE_COLUMN: key}
        keeps = StartDateFilter(self.start_date).keeps if self.start_date and self.table not in WHOLE_TABLES else None
        if split.end is None:
            with bucket.open(key) as stream:
                reader = ContainerReader(stream)
                self._check(reader.header.schema["fields"])
                yield from record_batches(reader.header, reader.blocks(), self.schema, constants, keeps=keeps)
            return
        (header,) = bucket.headers([key])
        self._check(header.schema["fields"])
        with bucket.open(key, split.start) as stream:
            blocks = split_blocks(stream, header, split.start, split.end)
            yield from record_batches(header, blocks, self.schema, constants, keeps=keeps)

    def _check(self, fields: list[dict[str, str]]) -> None:
        known = set(self.schema.names)
        unknown = [field["name"] for field in fields if field["name"] not in known]
        if unknown and self.rejects_new_columns:
            raise ColumnError(
                f"it has columns that are not in the table's schema: {', '.join(unknown)}. Read the table again "
                "to refresh its schema, or specify the columns to read."
            )
