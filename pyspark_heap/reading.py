"""Reading partitions in executor tasks, for both readers."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
from pyspark.sql.datasource import InputPartition
from pyspark.sql.types import StructType

from pyspark_heap.client import client
from pyspark_heap.options import Options
from pyspark_heap.partitions import Rows, Splits
from pyspark_heap.schemas import METADATA, arrow_schema
from source_heap.file_rows import FileRows


class TaskReader:
    """Reads partitions. Only its options and its schema are pickled."""

    def __init__(self, options: Mapping[str, str], schema: StructType) -> None:
        """Validate options and schema.

        Raises:
            ConfigError: an option is invalid, or the type of a column is not supported.
        """
        self.options = Options.parse(options)
        self.schema = schema
        if self.options.table not in METADATA:
            arrow_schema(schema)

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch | tuple[object, ...]]:
        """The rows of a partition.

        Raises:
            HeapError: a file cannot be read; the message names table, dump, file, and byte or column.
        """
        if isinstance(partition, Rows):
            yield from partition.rows
        elif isinstance(partition, Splits):
            yield from self._batches(partition)

    def _batches(self, partition: Splits) -> Iterator[pa.RecordBatch]:
        options, schema = self.options, arrow_schema(self.schema)
        bucket = client(options.config).bucket()
        for split in partition.splits:
            rejects_new_columns = options.rejects_new_columns and split.file.dump_id not in partition.void
            rows = FileRows(options.table, schema, options.config.get("start_date"), rejects_new_columns)
            yield from rows.batches(bucket, split)
