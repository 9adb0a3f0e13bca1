"""The contents of a bucket for planning on the driver: schemas, files, sizes, and the rows of the metadata tables."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pyspark.sql.types import StructType

from pyspark_heap.client import client
from pyspark_heap.options import Options
from pyspark_heap.schemas import METADATA, TABLES, spark_schema
from source_heap.bucket import SIMULTANEOUS_REQUESTS, Bucket
from source_heap.errors import ConfigError
from source_heap.manifests import TableEntry
from source_heap.positions import Manifest
from source_heap.s3 import S3
from source_heap.table import DumpFile, Table, summaries

Rows = list[tuple[object, ...]]


@dataclass(frozen=True)
class Snapshot:
    """A table according to one listing of the bucket.

    `rows` are those of a metadata table, which has no files. `known` are the table's entries in the manifests, for
    readers in other processes. `listed_at` is in seconds since 1970.
    """

    schema: StructType
    files: Sequence[DumpFile]
    rows: Rows | None = None
    known: Mapping[Manifest, TableEntry | None] = field(default_factory=dict)
    listed_at: float = field(default_factory=time.time)

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Snapshot":
        """The current snapshot of the table that the options specify.

        Raises:
            HeapError: an option is invalid, or the bucket cannot be read.
        """
        options = Options.parse(given)
        s3 = client(options.config)
        bucket = s3.bucket()
        if options.table in METADATA:
            rows = list(_summaries(bucket)) if options.table == TABLES else list(_files(bucket, s3, options))
            return cls(METADATA[options.table], (), rows)
        table = Table(bucket, options.table)
        schema = spark_schema(table.columns(), options.columns, options.table)
        return cls(schema, table.files(), known=table.known)


def sizes(s3: S3, files: Sequence[DumpFile]) -> dict[str, int]:
    """The sizes of files in bytes by key, from one listing per folder that contains any of them.

    Raises:
        ConfigError: a file is missing.
        HeapError: the bucket cannot be listed.
    """
    found = _listed(s3, {file.key.rpartition("/")[0] + "/" for file in files})
    for file in files:
        if file.key not in found:
            raise ConfigError(
                f"The manifest of dump {file.dump_id} lists the file '{file.key}', which is not in the bucket. "
                "Restore the object, or ask Heap to resync the table."
            )
    return {file.key: found[file.key] for file in files}


def _listed(s3: S3, prefixes: set[str]) -> dict[str, int]:
    with ThreadPoolExecutor(SIMULTANEOUS_REQUESTS) as pool:
        pages = pool.map(lambda prefix: [(item["Key"], int(item["Size"])) for item in s3.objects(prefix)], prefixes)
        return {key: size for page in pages for key, size in page}


def _summaries(bucket: Bucket) -> Iterator[tuple[object, ...]]:
    for summary in summaries(bucket):
        history = summary.history
        yield (
            summary.table,
            history.first_valid_dump_id,
            history.newest_dump_id,
            history.file_count,
            list(summary.columns),
        )


def _files(bucket: Bucket, s3: S3, options: Options) -> Iterator[tuple[object, ...]]:
    files = {summary.table: Table(bucket, summary.table).files() for summary in summaries(bucket)}
    found = _listed(s3, {file.key.partition("/")[0] + "/" for table in files.values() for file in table})
    for name, current in files.items():
        for file in current:
            uri = f"s3://{options.config['bucket']}/{file.key}"
            yield name, file.dump_id, uri, found.get(file.key, 0)
