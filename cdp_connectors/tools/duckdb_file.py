"""A DuckDB file that stores records as an Airbyte destination does."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from types import TracebackType

import duckdb
import orjson
from typing_extensions import Self

from cdp_connectors.json_types import Json, JsonObject

ROWS_PER_INSERT = 20_000
_EMITTED = "_emitted"
_LOADING = "_loading"
_SCALAR_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
_STRING_FORMATS = {"date-time": "TIMESTAMPTZ", "date": "DATE"}
_LONGEST_LINE = 1 << 26


class DuckDbFile:
    """One schema per connector, one table per stream, one column per declared field.

    Several threads may use it at once. Tables and columns carry the descriptions of the schemas as comments.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or create it.

        Raises:
            duckdb.Error: the file cannot be opened, or another process has it open.
        """
        self.path = path
        self._connection = duckdb.connect(str(path))
        self._connection.execute("SET TimeZone = 'UTC'")
        self._lock = RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, so that others can open it."""
        self._connection.close()

    def execute(self, schema: str, sql: str) -> None:
        """Run statements that can refer to the connector's tables by their bare names."""
        with self._lock:
            self.run(f"USE {quoted(schema)}")
            try:
                self.run(sql)
            finally:
                self.run("USE main")

    def query(self, sql: str) -> tuple[list[str], list[tuple[Json, ...]]]:
        """Return the column names and the rows of a query."""
        with self._lock:
            result = self._connection.execute(sql)
            return [column[0] for column in result.description or []], result.fetchall()

    def insert(self, table: str, columns: Mapping[str, str], rows: Iterable[JsonObject]) -> None:
        """Append rows to a table; `columns` maps each field to its DuckDB type."""
        types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
        with TemporaryDirectory() as folder:
            lines = Path(folder) / "rows.jsonl"
            with lines.open("wb") as output:
                output.writelines(orjson.dumps(row) + b"\n" for row in rows)
            self.run(
                f"INSERT INTO {table} BY NAME SELECT * FROM read_json({literal(str(lines))}, "
                f"format = 'newline_delimited', maximum_object_size = {_LONGEST_LINE}, columns = {{{types}}})"
            )

    def run(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with self._lock:
            self._connection.begin()
            try:
                for statement in statements:
                    self._connection.execute(statement)
            except duckdb.Error:
                self._connection.rollback()
                raise
            self._connection.commit()


class StreamTable:
    """The table of one stream during one sync.

    A full refresh replaces the table when the stream is complete. An incremental sync appends; of the rows with the
    same primary key, `finish` then keeps the one with the highest cursor, and among those the one emitted last.
    """

    def __init__(self, file: DuckDbFile, schema: str, configured_stream: JsonObject) -> None:
        """Create the table that this sync writes to."""
        stream = configured_stream["stream"]
        self._file = file
        self._schema = schema
        self._declared: dict[str, JsonObject] = stream["json_schema"].get("properties", {})
        self._description = str(stream["json_schema"].get("description", ""))
        self._configured = configured_stream
        self._overwrites = configured_stream["destination_sync_mode"] == "overwrite"
        self._table = f"{quoted(schema)}.{quoted(stream['name'])}"
        self._target = (
            f"{quoted(schema)}.{quoted(_LOADING + '_' + stream['name'])}" if self._overwrites else self._table
        )
        self._columns = {name: _duckdb_type(declared) for name, declared in self._declared.items()} | {
            _EMITTED: "BIGINT"
        }
        self._rows: list[JsonObject] = []
        self._create()

    def add(self, record: JsonObject) -> None:
        """Add a record; undeclared fields are dropped, as the platform does. Call `flush` to write it."""
        self._rows.append({name: value for name, value in record.items() if name in self._columns})
        if len(self._rows) >= ROWS_PER_INSERT:
            self.flush()

    def flush(self) -> None:
        """Write the records added so far."""
        if not self._rows:
            return
        [(first,)] = self._file.query(f"SELECT coalesce(max({_EMITTED}), 0) + 1 FROM {self._target}")[1]
        rows = ({**row, _EMITTED: number} for number, row in enumerate(self._rows, start=first))
        self._file.insert(self._target, self._columns, rows)
        self._rows = []

    def finish(self) -> None:
        """Write the remaining records, and make the rows of a complete stream visible: replace, or deduplicate."""
        self.flush()
        if self._overwrites:
            name = quoted(self._configured["stream"]["name"])
            self._file.run(f"DROP TABLE IF EXISTS {self._table}", f"ALTER TABLE {self._target} RENAME TO {name}")
        elif self._configured["primary_key"]:
            self._file.run(self._deduplication())
        self._comment()

    def count(self) -> int:
        """Return the number of rows that the table shows."""
        [(count,)] = self._file.query(f"SELECT count(*) FROM {self._table}")[1]
        return int(count)

    def _create(self) -> None:
        definition = ", ".join(f"{quoted(name)} {kind}" for name, kind in self._columns.items())
        create = "CREATE OR REPLACE TABLE" if self._overwrites else "CREATE TABLE IF NOT EXISTS"
        self._file.run(
            f"CREATE SCHEMA IF NOT EXISTS {quoted(self._schema)}",
            f"{create} {self._target} ({definition})",
            *(
                f"ALTER TABLE {self._target} ADD COLUMN IF NOT EXISTS {quoted(name)} {kind}"
                for name, kind in self._columns.items()
            ),
        )

    def _deduplication(self) -> str:
        keys = ", ".join(quoted(path[0]) for path in self._configured["primary_key"])
        cursors = "".join(f"{quoted(name)} DESC NULLS LAST, " for name in self._configured["cursor_field"])
        return (
            f"DELETE FROM {self._table} WHERE {_EMITTED} NOT IN (SELECT {_EMITTED} FROM {self._table} "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {cursors}{_EMITTED} DESC) = 1)"
        )

    def _comment(self) -> None:
        comments = [f"COMMENT ON TABLE {self._table} IS {literal(self._description)}"] if self._description else []
        comments += [
            f"COMMENT ON COLUMN {self._table}.{quoted(name)} IS {literal(str(declared['description']))}"
            for name, declared in self._declared.items()
            if declared.get("description")
        ]
        self._file.run(*comments, f"COMMENT ON COLUMN {self._table}.{_EMITTED} IS 'Order of emission'")


class DuckDbRows:
    """The tables of all streams of one sync."""

    def __init__(self, file: DuckDbFile, schema: str, configured_catalog: JsonObject) -> None:
        """Create the tables."""
        self._tables = {
            each["stream"]["name"]: StreamTable(file, schema, each) for each in configured_catalog["streams"]
        }

    def add(self, stream: str, record: JsonObject) -> None:
        """Add a record."""
        self._tables[stream].add(record)

    def flush(self) -> None:
        """Write all records added so far."""
        for table in self._tables.values():
            table.flush()

    def finish(self, stream: str) -> None:
        """Make the rows of a stream visible."""
        self._tables[stream].finish()

    def count(self, stream: str) -> int:
        """Return the number of rows that the table of a stream shows."""
        return self._tables[stream].count()


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(string: str) -> str:
    """Return a string as an SQL literal."""
    return "'" + string.replace("'", "''") + "'"


def _duckdb_type(declared: JsonObject) -> str:
    kinds = declared.get("type", [])
    named = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    if len(named) != 1 or named[0] not in _SCALAR_TYPES:
        return "JSON"
    if named[0] == "string":
        return _STRING_FORMATS.get(declared.get("format", ""), "VARCHAR")
    return _SCALAR_TYPES[named[0]]
