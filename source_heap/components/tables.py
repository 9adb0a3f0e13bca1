"""The connector's streams: one for every table in the dumps."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.schema.schema_loader import SchemaLoader
from airbyte_cdk.sources.types import StreamSlice

from source_heap.avro.json_schema import table_schema
from source_heap.components.bucket_access import BucketAccess
from source_heap.components.errors import airbyte_errors
from source_heap.manifests import INTERNAL_TABLES, USER_MIGRATIONS, TableEntry
from source_heap.run_config import RunConfig
from source_heap.table import current_entries

COMPANION_STREAM = "_heap_tables"
_PRIMARY_KEYS = {"users": "user_id", USER_MIGRATIONS: "from_user_id"}
_EVENT_KEY = "event_id"
_ADDED_COLUMNS: Mapping[str, Any] = {
    "_heap_dump_id": {"type": "integer", "description": "The dump that contained the row."},
    "_heap_file": {"type": "string", "description": "The key of the Avro file that contained the row."},
}
_LOGGER = logging.getLogger("airbyte")


@dataclass
class Tables(Retriever):
    """Yields the name and the primary key of every table, from which the CDK creates a stream each.

    A table whose columns do not include its documented key has no key.

    A read gets the tables from its catalog and reads no manifest; only discovery gets the names from the manifests.
    `SimpleRetriever` makes one kind of request; this needs the listing and then one request per manifest.
    """

    config: Mapping[str, Any]
    access: BucketAccess
    parameters: InitVar[Mapping[str, Any]] = None

    def read_records(
        self,
        records_schema: Mapping[str, Any],  # noqa: ARG002 # the CDK's own signature
        stream_slice: StreamSlice | None = None,  # noqa: ARG002 # the CDK's own signature
    ) -> Iterable[Mapping[str, Any]]:
        """The tables by name."""
        configured = RunConfig.of(self.config).configured_schemas
        tables = self._discovered() if configured is None else _columns_of(configured)
        for name, columns in tables.items():
            key = _PRIMARY_KEYS.get(name, _EVENT_KEY)
            yield {"name": name, "primary_key": key if key in columns else ""}

    @airbyte_errors()
    def _discovered(self) -> Mapping[str, Collection[str]]:
        bucket = RunConfig.bucket_of(self.config)
        entries = bucket.entries(bucket.manifests())
        found = {name for tables in entries.values() for name in tables}
        if internal := sorted(found & INTERNAL_TABLES):
            _LOGGER.info("Skipping tables that are internal to Heap: %s", ", ".join(internal))
        names = sorted(found - INTERNAL_TABLES)
        bucket.record_schemas([file for name in names for file in sample_files(entries, name)])
        columns: dict[str, set[str]] = {}
        for name in names:
            schemas = bucket.record_schemas(sample_files(entries, name))
            columns[name] = {column for entry in current_entries(entries, name) for column in entry.columns}
            columns[name].update(field["name"] for schema in schemas for field in schema["fields"])
        return columns


def _columns_of(configured: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Collection[str]]:
    return {name: schema.get("properties", ()) for name, schema in configured.items() if name != COMPANION_STREAM}


@dataclass
class TableSchema(SchemaLoader):
    """The schema of a table from the headers of its Avro files, one or two for each distinct list of columns.

    The built-in loaders read a fixed schema, or one request with a JSON response. During a read, the schema is the
    catalog's, which is the one the destination expects, and no header is fetched.
    """

    config: Mapping[str, Any]
    table: str
    parameters: InitVar[Mapping[str, Any]] = None

    def get_json_schema(self) -> Mapping[str, Any]:
        """A JSON schema in which all columns are nullable, except the two that the connector adds."""
        configured = (RunConfig.of(self.config).configured_schemas or {}).get(self.table)
        return configured if configured and configured.get("properties") else self._discovered()

    @airbyte_errors()
    def _discovered(self) -> Mapping[str, Any]:
        bucket = RunConfig.bucket_of(self.config)
        entries = bucket.entries(bucket.manifests())
        record_schemas = bucket.record_schemas(sample_files(entries, self.table))
        columns = dict.fromkeys(column for entry in current_entries(entries, self.table) for column in entry.columns)
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "additionalProperties": True,
            "properties": {**table_schema(record_schemas, columns), **_ADDED_COLUMNS},
        }


def sample_files(entries: Mapping[int, Mapping[str, TableEntry]], table: str) -> list[str]:
    """For each distinct list of the table's columns, a file of the first and one of the newest dump that has it.

    Both are needed, because a column's type can change while its name stays the same. Void dumps do not count.
    """
    first: dict[tuple[str, ...], str] = {}
    newest: dict[tuple[str, ...], str] = {}
    for entry in current_entries(entries, table):
        if entry.files:
            first.setdefault(entry.columns, entry.files[0])
            newest[entry.columns] = entry.files[0]
    return list(dict.fromkeys((*first.values(), *newest.values())))
