"""The reader of the current content of a table."""

from collections.abc import Mapping, Sequence

from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from pyspark_heap.client import client
from pyspark_heap.content import Snapshot, sizes
from pyspark_heap.partitions import Rows, Splits, bundles
from pyspark_heap.reading import TaskReader
from source_heap.errors import ConfigError


class HeapReader(TaskReader, DataSourceReader):
    """Reads the files of a snapshot: the one that `schema` took, or a new one if the user specified the schema."""

    def __init__(self, options: Mapping[str, str], schema: StructType, snapshot: Snapshot | None) -> None:
        super().__init__(options, schema)
        self._snapshot = snapshot or Snapshot.of(options)
        known = set(self._snapshot.schema.names)
        if unknown := [name for name in schema.names if name not in known]:
            raise ConfigError(f"Table '{self.options.table}' has no column {', '.join(unknown)}.")

    def __getstate__(self) -> dict[str, object]:
        return {"options": self.options, "schema": self.schema}

    def partitions(self) -> Sequence[InputPartition]:
        """The tasks of the query; for an empty table, one without rows, because Spark would pass None in its place."""
        if self._snapshot.rows is not None:
            return [Rows(self._snapshot.rows)]
        files = self._snapshot.files
        found = sizes(client(self.options.config), files)
        return [Splits(bundle) for bundle in bundles(files, found, self.options)] or [Splits([])]
