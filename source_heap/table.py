"""One table of a bucket: its files, its columns and its dumps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from source_heap.avro.json_schema import JsonSchema, table_schema
from source_heap.bucket import Bucket
from source_heap.errors import ConfigError
from source_heap.manifests import INTERNAL_TABLES, USER_MIGRATIONS, TableEntry
from source_heap.positions import Manifest, Part, Position, plan
from source_heap.table_history import TableHistory

DUMP_COLUMN = "_heap_dump_id"
FILE_COLUMN = "_heap_file"
ADDED_COLUMNS: Mapping[str, JsonSchema] = {
    DUMP_COLUMN: {"type": ["null", "integer"]},
    FILE_COLUMN: {"type": ["null", "string"]},
}


@dataclass(frozen=True)
class DumpFile:
    """A file of a dump, identified by its key."""

    dump_id: int
    key: str


class Table:
    """A table as the manifests of a bucket describe it.

    `known` has the table's entries in manifests that were read before, or None for manifests without the table. Those
    are not read again unless they have been modified; entries that are read are added.
    """

    def __init__(self, bucket: Bucket, name: str, known: dict[Manifest, TableEntry | None] | None = None) -> None:
        self.bucket = bucket
        self.name = name
        self.known = {} if known is None else known

    def entries(self, manifests: Sequence[Manifest]) -> dict[int, TableEntry]:
        """The entries of the table in these dumps, by dump id; dumps without it are omitted.

        Raises:
            HeapError: a manifest cannot be read.
        """
        read = self.bucket.entries([manifest for manifest in manifests if manifest not in self.known])
        self.known.update({m: read[m.dump_id].get(self.name) for m in manifests if m.dump_id in read})
        found = ((manifest.dump_id, self.known[manifest]) for manifest in manifests)
        return {dump_id: entry for dump_id, entry in found if entry}

    def parts(self, manifests: Sequence[Manifest]) -> dict[int, Part]:
        """The parts of the table in these dumps, by dump id; dumps without it are omitted."""
        return {
            dump_id: Part(entry.incremental and self.name != USER_MIGRATIONS, entry.files)
            for dump_id, entry in self.entries(manifests).items()
        }

    def files(self) -> list[DumpFile]:
        """The files that make up the current content, by dump, then in order within the dump.

        Raises:
            ConfigError: no dump contains the table.
        """
        manifests = self.bucket.manifests()
        parts = self.parts(manifests)
        if not parts:
            names = sorted({name for tables in self.bucket.entries(manifests).values() for name in tables})
            known = ", ".join(name for name in names if name not in INTERNAL_TABLES)
            raise ConfigError(f"No dump contains the table '{self.name}'. Tables in the bucket: {known}.")
        return [DumpFile(step.dump_id, step.file) for step in plan(manifests, parts, Position())]

    def columns(self) -> dict[str, JsonSchema]:
        """The JSON schemas of the current columns and the two added ones, from one header per current dump.

        Raises:
            HeapError: no dump contains the table, or a header cannot be read.
        """
        first_files = {file.dump_id: file.key for file in reversed(self.files())}
        entries = {dump_id: {self.name: entry} for dump_id, entry in self.entries(self.bucket.manifests()).items()}
        current = current_entries(entries, self.name)
        named = dict.fromkeys(column for entry in current for column in entry.columns)
        headers = self.bucket.record_schemas([first_files[dump_id] for dump_id in sorted(first_files)])
        return {**table_schema(headers, named), **ADDED_COLUMNS}


@dataclass(frozen=True)
class TableSummary:
    """The current state of a table; `columns` are those of the newest dump."""

    table: str
    history: TableHistory
    columns: tuple[str, ...]


def current_entries(entries: Mapping[int, Mapping[str, TableEntry]], table: str) -> list[TableEntry]:
    """The entries of the table in the dumps that count, ascending by dump id."""
    current: list[TableEntry] = []
    for _, tables in sorted(entries.items()):
        entry = tables.get(table)
        if entry:
            if table == USER_MIGRATIONS or not entry.incremental:
                current.clear()
            current.append(entry)
    return current


def summaries(bucket: Bucket) -> Iterator[TableSummary]:
    """The current state of every table except Heap's internal ones, sorted by name.

    Raises:
        HeapError: the manifests cannot be read.
    """
    histories: dict[str, TableHistory] = {}
    columns: dict[str, tuple[str, ...]] = {}
    for dump_id, tables in sorted(bucket.entries(bucket.manifests()).items()):
        for name, entry in tables.items():
            is_full_copy = name == USER_MIGRATIONS or not entry.incremental
            histories[name] = TableHistory.after(
                histories.get(name), dump_id, len(entry.files), is_full_copy=is_full_copy
            )
            columns[name] = entry.columns
    for name in sorted(histories.keys() - INTERNAL_TABLES):
        yield TableSummary(name, histories[name], columns[name])
