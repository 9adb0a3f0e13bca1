"""A DuckDB file that keeps records as an Airbyte destination would."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import TracebackType
from typing import Any

import duckdb
import orjson
from typing_extensions import Self

JsonObject = dict[str, Any]
_EMITTED = "_emitted"
_SCALAR_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
_STRING_FORMATS = {"date-time": "TIMESTAMPTZ", "date": "DATE"}


class Warehouse:
    """One schema per connector, one table per stream.

    A full refresh overwrites its table. An incremental sync appends, and of the rows with one primary key keeps
    the one with the highest cursor, or of those the one emitted last. Several threads may load at once.
    """

    def __init__(self, path: Path) -> None:
        """Create the file anew."""
        path.unlink(missing_ok=True)
        self.path = path
        self._connection = duckdb.connect(str(path))
        self._connection.execute("SET TimeZone = 'UTC'")
        self._loading = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, so that others can open it."""
        self._connection.close()

    def load(self, schema: str, configured_stream: Mapping[str, Any], records: list[JsonObject]) -> None:
        """Write the records that one sync emitted for one stream."""
        stream = configured_stream["stream"]
        table = f"{_quote(schema)}.{_quote(stream['name'])}"
        columns = {name: _duckdb_type(declared) for name, declared in stream["json_schema"]["properties"].items()}
        incremental = configured_stream["sync_mode"] == "incremental"
        definition = ", ".join(f"{_quote(name)} {kind}" for name, kind in columns.items())
        create = "CREATE TABLE IF NOT EXISTS" if incremental else "CREATE OR REPLACE TABLE"
        with self._loading:
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quote(schema)}")
            self._connection.execute(f"{create} {table} ({definition}, {_EMITTED} BIGINT)")
            self._append(table, columns, records)
            if incremental:
                self._deduplicate(table, configured_stream)

    def execute(self, schema: str, sql: str) -> None:
        """Run statements in which the connector's tables go by their bare names."""
        self._connection.execute(f"USE {_quote(schema)}")
        self._connection.execute(sql)
        self._connection.execute("USE main")

    def count(self, schema: str, stream: str) -> int:
        """The number of rows in the stream's table."""
        [(count,)] = self.query(f"SELECT count(*) FROM {_quote(schema)}.{_quote(stream)}")[1]
        return int(count)

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The column names and the rows of a query."""
        result = self._connection.execute(sql)
        return [column[0] for column in result.description or []], result.fetchall()

    def _append(self, table: str, columns: Mapping[str, str], records: list[JsonObject]) -> None:
        if not records:
            return
        [(first,)] = self.query(f"SELECT coalesce(max({_EMITTED}), 0) + 1 FROM {table}")[1]
        with TemporaryDirectory() as folder:
            lines = Path(folder) / "records.jsonl"
            with lines.open("wb") as file:
                for number, record in enumerate(records, start=first):
                    file.write(orjson.dumps({**record, _EMITTED: number}) + b"\n")
            types = ", ".join(f"{_literal(name)}: {_literal(kind)}" for name, kind in columns.items())
            self._connection.execute(
                f"INSERT INTO {table} BY NAME SELECT * FROM read_json({_literal(str(lines))}, "
                f"format = 'newline_delimited', maximum_object_size = 67108864, "
                f"columns = {{{types}, {_EMITTED}: 'BIGINT'}})"
            )

    def _deduplicate(self, table: str, configured_stream: Mapping[str, Any]) -> None:
        keys = ", ".join(_quote(path[0]) for path in configured_stream["primary_key"])
        cursors = "".join(f"{_quote(name)} DESC NULLS LAST, " for name in configured_stream["cursor_field"])
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM {table} "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {cursors}{_EMITTED} DESC) = 1"
        )


def _duckdb_type(declared: Mapping[str, Any]) -> str:
    kinds = declared.get("type", [])
    named = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    if len(named) != 1 or named[0] not in _SCALAR_TYPES:
        return "JSON"
    if named[0] == "string":
        return _STRING_FORMATS.get(declared.get("format", ""), "VARCHAR")
    return _SCALAR_TYPES[named[0]]


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
