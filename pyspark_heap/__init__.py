"""Apache Spark's data source `heap`: the tables of a Heap Connect bucket, in batches and as streams.

Spark imports every module whose name begins with `pyspark_` when a session first looks for a Python data source, and
registers its `DefaultSource`. One that fails to import fails every such look-up, so importing this package needs
nothing but PySpark.
"""

from typing import TYPE_CHECKING

from pyspark.sql.datasource import DataSource

if TYPE_CHECKING:
    from pyspark.sql.datasource import DataSourceReader, DataSourceStreamReader
    from pyspark.sql.types import StructType

    from pyspark_heap.content import Snapshot

__all__ = ["DefaultSource", "HeapDataSource"]


class HeapDataSource(DataSource):
    """One table of a Heap Connect bucket; its options are in the package's README.

    Spark makes an instance for each DataFrame. `schema` lists the bucket once, and the batch reader reads the files of
    that listing: a DataFrame does not change until it is loaded again. So does a stream that is started soon after, at
    its beginning, from PySpark 4.2; later it lists the bucket for each batch, but reads no manifest a second time.
    """

    _snapshot: "Snapshot | None" = None

    @classmethod
    def name(cls) -> str:
        """The name for `format`."""
        return "heap"

    def schema(self) -> "StructType":
        """The columns of the table.

        Raises:
            HeapError: an option is wrong, or the bucket cannot be read.
        """
        from pyspark_heap.content import Snapshot  # noqa: PLC0415 # see the module's docstring

        self._snapshot = Snapshot.of(self.options)
        return self._snapshot.schema

    def reader(self, schema: "StructType") -> "DataSourceReader":
        """The reader of the current content."""
        from pyspark_heap.batch import HeapReader  # noqa: PLC0415 # see the module's docstring

        return HeapReader(dict(self.options), schema, self._snapshot)

    def streamReader(self, schema: "StructType") -> "DataSourceStreamReader":  # noqa: N802 # Spark's name
        """The reader of what comes, beginning with the current content."""
        from pyspark_heap.stream import HeapStreamReader  # noqa: PLC0415 # see the module's docstring

        return HeapStreamReader(dict(self.options), schema, self._snapshot)


DefaultSource = HeapDataSource
