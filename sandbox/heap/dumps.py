"""The parts of a Heap Connect dump: Avro files, the tables they belong to, and the manifest that lists them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import orjson

from sandbox.heap.columns import Columns, Row, avro_type, encode

SPARK_BLOCK_BYTES = 64_000
"""Uncompressed bytes after which an Avro writer closes a block."""


@dataclass(frozen=True)
class AvroFile:
    """One data file."""

    key: str
    columns: Columns
    source: Callable[[], Iterable[Row]]
    """Returns the same rows every time, with more values than the file has columns."""
    null_first: bool = False

    def rows(self) -> Iterator[Row]:
        """The rows, as stored in the file."""
        return (encode(row, self.columns) for row in self.source())

    @property
    def schema(self) -> dict[str, Any]:
        """The writer schema, with Spark's names and order of unions, or with null first."""
        return {
            "type": "record",
            "name": "record" if self.null_first else "topLevelRecord",
            "fields": [{"name": name, "type": self._field_type(kind)} for name, kind in self.columns.items()],
        }

    def _field_type(self, kind: str) -> str | list[str]:
        if kind.endswith("!"):
            return avro_type(kind)
        return ["null", avro_type(kind)] if self.null_first else [avro_type(kind), "null"]

    def write(self, path: Path) -> None:
        """Write the file, compressed with Snappy."""
        with path.open("wb") as target:
            fastavro.writer(target, self.schema, self.rows(), codec="snappy", sync_interval=SPARK_BLOCK_BYTES)


@dataclass(frozen=True)
class TableDump:
    """The part of one table in one dump."""

    table: str
    incremental: bool
    files: tuple[AvroFile, ...] = ()
    columns: tuple[str, ...] = ()
    """The manifest's list of columns, which can include some that no file has."""
    names_files: bool = True
    """True if the manifest's entry has the key `files` at all."""
    strays: tuple[AvroFile, ...] = ()
    """Files in the table's folder that the manifest does not list, left behind by a failed attempt."""

    def entry(self, bucket: str) -> dict[str, Any]:
        """This table's entry in the manifest."""
        entry: dict[str, Any] = {
            "name": self.table,
            "incremental": self.incremental,
            "columns": list(self.columns),
        }
        if self.names_files:
            entry["files"] = [f"s3://{bucket}/{file.key}" for file in self.files]
        return entry


@dataclass(frozen=True)
class Dump:
    """One run of Heap's export: its data files appear first, its manifest last."""

    dump_id: int
    written: datetime
    """The time at which the data files appeared, UTC."""
    finished: datetime | None
    """The time at which the manifest appeared, UTC; None for a failed run."""
    tables: tuple[TableDump, ...]
    manifest_key: str

    def is_complete(self, now: datetime) -> bool:
        """True if the dump has a manifest."""
        return self.finished is not None and self.finished <= now

    def manifest(self, bucket: str) -> bytes:
        """The manifest's JSON."""
        return orjson.dumps(
            {
                "dump_id": self.dump_id,
                "property_definitions": f"s3://{bucket}/sync_{self.dump_id}/property_definitions.json",
                "tables": [table.entry(bucket) for table in self.tables],
            }
        )

    def documents(self, bucket: str) -> Iterator[tuple[str, bytes]]:
        """The JSON objects of a complete dump, as key and content; the manifest last.

        One is a copy of the manifest under another prefix, where another reader keeps the manifests it has seen.
        """
        definition = {
            "property_name": "channel",
            "type": "user",
            "cases": [{"value": "paid", "condition": {"combinator": "and", "clauses": []}}],
            "default_value": "direct",
        }
        report = {
            "start_time": int(self.written.timestamp() * 1000),
            "finish_time": int(self.finished.timestamp() * 1000) if self.finished else None,
            "status": "success",
            "error": None,
        }
        yield f"sync_{self.dump_id}/property_definitions.json", orjson.dumps([definition])
        yield f"sync_reports/sync_{self.dump_id}.json", orjson.dumps(report)
        yield f"imported_manifests/sync_{self.dump_id}.json", self.manifest(bucket)
        yield self.manifest_key, self.manifest(bucket)
