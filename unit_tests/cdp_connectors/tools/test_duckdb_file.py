from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from cdp_connectors.json_types import Json, JsonObject
from cdp_connectors.tools import duckdb_file
from cdp_connectors.tools.catalogs import configured_catalog
from cdp_connectors.tools.duckdb_file import DuckDbFile, DuckDbRows


@pytest.fixture
def file(tmp_path: Path) -> Iterator[DuckDbFile]:
    with DuckDbFile(tmp_path / "rows.duckdb") as file:
        yield file


def catalog(*modes: str, key: str | None = "id", **properties: Json) -> JsonObject:
    stream = {
        "name": "people",
        "json_schema": {"properties": {"id": {"type": ["null", "integer"]}, **properties}},
        "supported_sync_modes": list(modes),
        "default_cursor_field": ["updated"] if "incremental" in modes else [],
        "source_defined_primary_key": [[key]] if key else [],
    }
    return configured_catalog({"streams": [stream]})


UPDATED = {"type": ["null", "integer"]}


def sync(file: DuckDbFile, configured: JsonObject, *records: JsonObject, complete: bool = True) -> None:
    rows = DuckDbRows(file, "vendor", configured)
    for record in records:
        rows.add("people", record)
    rows.flush()
    if complete:
        rows.finish("people")


def ids(file: DuckDbFile) -> list[tuple[Json, ...]]:
    return file.query("SELECT * EXCLUDE _emitted FROM vendor.people ORDER BY ALL")[1]


def test_a_full_refresh_replaces_the_table_once_it_is_complete(file: DuckDbFile) -> None:
    configured = catalog("full_refresh")
    sync(file, configured, {"id": 1}, {"id": 2})
    sync(file, configured, {"id": 3}, complete=False)
    assert ids(file) == [(1,), (2,)]
    sync(file, configured, {"id": 3})
    assert ids(file) == [(3,)]


def test_an_incremental_sync_keeps_the_row_with_the_highest_cursor_then_the_latest(file: DuckDbFile) -> None:
    configured = catalog("full_refresh", "incremental", updated=UPDATED, name={"type": "string"})
    sync(file, configured, {"id": 1, "updated": 5, "name": "a"}, {"id": 2, "updated": 5, "name": "b"})
    sync(file, configured, {"id": 1, "updated": 4, "name": "late"}, {"id": 2, "updated": 5, "name": "again"})
    assert ids(file) == [(1, 5, "a"), (2, 5, "again")]


def test_rows_without_a_primary_key_are_appended(file: DuckDbFile) -> None:
    configured = catalog("full_refresh", "incremental", key=None, updated=UPDATED)
    sync(file, configured, {"id": 1, "updated": 1})
    sync(file, configured, {"id": 1, "updated": 1})
    assert ids(file) == [(1, 1), (1, 1)]


def test_types_follow_the_schema_and_an_open_type_is_json(file: DuckDbFile) -> None:
    properties = {
        "at": {"type": ["null", "string"], "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "open": {},
        "parts": {"type": "array"},
    }
    sync(file, catalog("full_refresh", **properties), {"id": 1, "at": "2026-03-01T00:00:00Z", "open": {"a": [1]}})
    sql = 'SELECT typeof("at"), typeof(day), typeof("open"), typeof(parts), "open"::VARCHAR FROM vendor.people'
    assert file.query(sql)[1] == [("TIMESTAMP WITH TIME ZONE", "DATE", "JSON", "JSON", '{"a":[1]}')]


def test_a_new_column_is_added_and_an_undeclared_field_is_dropped(file: DuckDbFile) -> None:
    sync(file, catalog("full_refresh", "incremental", updated=UPDATED), {"id": 1, "updated": 1, "undeclared": True})
    sync(file, catalog("full_refresh", "incremental", updated=UPDATED, new={"type": "string"}), {"id": 2, "new": "x"})
    assert ids(file) == [(1, 1, None), (2, None, "x")]


def test_descriptions_become_comments(file: DuckDbFile) -> None:
    sync(file, catalog("full_refresh", name={"type": "string", "description": "Not the person's login"}))
    comments = file.query("SELECT comment FROM duckdb_columns() WHERE table_name = 'people' AND column_name = 'name'")[
        1
    ]
    assert comments == [("Not the person's login",)]


def test_names_may_be_keywords_or_contain_quotes(file: DuckDbFile) -> None:
    sync(file, catalog("full_refresh", **{'select "x"': {"type": "string"}}), {"id": 1, 'select "x"': "y"})
    assert ids(file) == [(1, "y")]


def test_rows_are_written_before_memory_fills(file: DuckDbFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb_file, "ROWS_PER_INSERT", 2)
    rows = DuckDbRows(file, "vendor", catalog("full_refresh", "incremental", updated=UPDATED))
    for number in range(3):
        rows.add("people", {"id": number})
    assert rows.count("people") == 2


def test_statements_change_all_or_nothing_and_name_the_tables_of_their_schema(file: DuckDbFile) -> None:
    sync(file, catalog("full_refresh"), {"id": 1}, {"id": 2})
    with pytest.raises(duckdb.Error, match="nowhere"):
        file.execute("vendor", "DELETE FROM people; SELECT * FROM nowhere")
    assert ids(file) == [(1,), (2,)]
    file.execute("vendor", "DELETE FROM people WHERE id = 1")
    assert ids(file) == [(2,)]
    assert file.query("SELECT current_schema()")[1] == [("main",)]
