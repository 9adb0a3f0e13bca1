"""The expected rows of the tests, and the rows that Spark has written."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from pyspark_heap.content import Snapshot
from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket
from sandbox.heap.s3 import SeaweedS3

try:
    from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow  # noqa: F401 # only its existence matters

    ADMITS = True
except ImportError:  # before PySpark 4.2
    ADMITS = False


@dataclass(frozen=True)
class World:
    """A bucket with a clock that can be advanced by nights."""

    bucket: HeapBucket
    clock: Clock

    def night(self) -> None:
        self.clock.advance(timedelta(days=1))
        self.bucket.sync()

    def expected(self, table: str) -> list[str]:
        return rows(self.bucket.world.expected(table))


def options(heap: HeapBucket, table: str, **more: str) -> dict[str, str]:
    config = heap.config
    return {
        "bucket": config["bucket"],
        "endpointUrl": config["endpoint_url"],
        "awsAccessKeyId": config["credentials"]["aws_access_key_id"],
        "awsSecretAccessKey": config["credentials"]["aws_secret_access_key"],
        "table": table,
        **more,
    }


def answered(heap: HeapBucket) -> Counter[str]:
    """The number of requests that the server has answered, by kind."""
    assert isinstance(heap.server, SeaweedS3)
    return heap.server.requests_answered()


def load(spark: SparkSession, heap: HeapBucket, table: str, **more: str) -> DataFrame:
    return spark.read.format("heap").options(**options(heap, table, **more)).load()


def rows(found: Iterable[Any]) -> list[str]:
    """Rows of Spark, or of the generator, in the same format and order, without nulls."""
    mappings = (row if isinstance(row, Mapping) else row.asDict() for row in found)
    return sorted(json.dumps({k: v for k, v in row.items() if v is not None}, sort_keys=True) for row in mappings)


def current_rows(spark: SparkSession, world: World, table: str, folder: Path) -> list[str]:
    """The current content of a table in a stream's folder: rows of dumps before the first valid one are void.

    The metadata is read in this process instead of through Spark, where each DataFrame starts two interpreters.
    """
    (first_valid,) = (row[1] for row in snapshot(world.bucket, "_heap_tables").rows or () if row[0] == table)
    if not list((folder / table).glob("*.parquet")):
        return []
    found = spark.read.schema(snapshot(world.bucket, table).schema).parquet(str(folder / table))
    return rows(found.where(f"_heap_dump_id >= {first_valid}").collect())


def snapshot(heap: HeapBucket, table: str) -> Snapshot:
    return Snapshot.of(options(heap, table))
