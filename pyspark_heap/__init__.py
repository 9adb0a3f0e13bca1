"""The Apache Spark data source `heap`: the tables of a Heap Connect bucket, as batches and as streams.

When a session first looks for a Python data source, Spark imports every module whose name begins with `pyspark_` and
registers its `DefaultSource`. If one fails to import, every such lookup fails, so importing this package requires only
PySpark.
"""

from typing import TYPE_CHECKING

from pyspark.sql.datasource import DataSource

if TYPE_CHECKING:
    from pyspark.sql.datasource import DataSourceReader, DataSourceStreamReader
    from pyspark.sql.types import StructType

    from pyspark_heap.content import Snapshot

__all__ = ["DefaultSource", "HeapDataSource"]


class HeapDataSource(DataSource):
    """One table of a Heap Connect bucket; the package's README documents its options.

    Spark creates an instance per DataFrame. `schema` lists the bucket once, and the batch reader reads the files of
    that listing, so a DataFrame does not change until it is loaded again. With PySpark 4.2 or newer, a stream that is
    started soon after also begins with that listing. For later batches, it lists the bucket again, but does not read
    any manifest a second time.
    """

    _snapshot: "Snapshot | None" = None

    @classmethod
    def name(cls) -> str:
        """The name of the format, as passed to `format`."""
        return "heap"

    def schema(self) -> "StructType":
        """The columns of the table.

        Raises:
            HeapError: an option is invalid, or the bucket cannot be read.
        """
        from pyspark_heap.content import Snapshot  # noqa: PLC0415 # see the module's docstring

        self._snapshot = Snapshot.of(self.options)
        return self._snapshot.schema

    def reader(self, schema: "StructType") -> "DataSourceReader":
        """The batch reader, which reads the current content."""
        from pyspark_heap.batch import HeapReader  # noqa: PLC0415 # see the module's docstring

        return HeapReader(dict(self.options), schema, self._snapshot)

    def streamReader(self, schema: "StructType") -> "DataSourceStreamReader":  # noqa: N802 # Spark's name
        """The stream reader, which reads the current content and then new dumps."""
        from pyspark_heap.stream import HeapStreamReader  # noqa: PLC0415 # see the module's docstring

        return HeapStreamReader(dict(self.options), schema, self._snapshot)


DefaultSource = HeapDataSource
