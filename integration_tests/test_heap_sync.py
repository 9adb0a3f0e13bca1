"""First sync, later syncs and full resyncs, row by row against the world that wrote the dumps."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

from integration_tests.heap_process import JsonObject, Output, configured, run, without_nulls
from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import SeaweedS3

README = Path(__file__).parents[1] / "source_heap" / "README.md"


@dataclass
class Round:
    """One sync of all streams, and the rows that make up each table at that time."""

    output: Output
    current: dict[str, list[JsonObject]]
    file_counts: dict[str, int]


@dataclass
class Syncs:
    """Three syncs: the first, one after a night with new and late dumps, one after a night with a full resync."""

    catalog: list[JsonObject] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)

    def emitted(self, table: str, until: int = 3) -> list[JsonObject]:
        return [row for done in self.rounds[:until] for row in done.output.rows(table)]

    def valid_from(self, table: str, until: int) -> int:
        newest = {row["table"]: row["first_valid_dump_id"] for row in self.emitted("_heap_tables", until)}
        return int(newest[table])


def sync(bucket: HeapBucket, folder: Path, state: list[JsonObject]) -> tuple[list[JsonObject], Round]:
    catalog = run(folder, "discover", config=bucket.config).catalog
    output = run(folder, "read", config=bucket.config, catalog=configured(catalog), state=state)
    world = bucket.world
    current = {table: world.expected(table) for table in world.tables}
    return catalog, Round(output, current, {table: len(world.current_files(table)) for table in world.tables})


@pytest.fixture(scope="module")
def syncs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Syncs]:
    folder, done, clock = tmp_path_factory.mktemp("heap"), Syncs(), Clock()
    with heap_bucket(clock, scale=0.3, server=SeaweedS3) as bucket:
        state: list[JsonObject] = []
        for _ in range(3):
            done.catalog, latest = sync(bucket, folder, state)
            done.rounds.append(latest)
            state = list(
                {s["stream"]["stream_descriptor"]["name"]: s for s in (*state, *latest.output.states)}.values()
            )
            clock.advance(timedelta(days=1))
            bucket.sync()
        yield done


def test_all_syncs_complete(syncs: Syncs) -> None:
    for done in syncs.rounds:
        assert done.output.return_code == 0, done.output.errors
        assert set(done.output.statuses.values()) == {"COMPLETE"}
        assert set(done.output.statuses) == {"_heap_tables", *done.current}


def test_the_first_sync_emits_every_row_once(syncs: Syncs) -> None:
    first = syncs.rounds[0]
    for table, expected in first.current.items():
        assert without_nulls(first.output.rows(table)) == without_nulls(expected), table
    assert sum(map(len, first.current.values())) > 5_000


@pytest.mark.parametrize("until", [2, 3])
def test_the_rows_of_the_dumps_that_count_are_the_current_content(syncs: Syncs, until: int) -> None:
    for table, expected in syncs.rounds[until - 1].current.items():
        valid_from = syncs.valid_from(table, until)
        rows = [row for row in syncs.emitted(table, until) if row["_heap_dump_id"] >= valid_from]
        assert without_nulls(rows) == without_nulls(expected), table


def test_no_file_is_read_by_two_syncs(syncs: Syncs) -> None:
    for table in syncs.rounds[-1].current:
        files = [{row["_heap_file"] for row in done.output.rows(table)} for done in syncs.rounds]
        assert sum(map(len, files)) == len(set().union(*files)), table


def test_the_history_has_what_the_syncs_are_to_be_tested_with(syncs: Syncs) -> None:
    """A late manifest with a lower id, a new table, and a full resync that voids what was emitted."""
    first, second, third = (done.output for done in syncs.rounds)
    newest = max(row["_heap_dump_id"] for row in first.rows("pageviews"))
    assert any(row["_heap_dump_id"] < newest for row in (*second.rows("pageviews"), *third.rows("pageviews")))
    assert {row["table"] for row in third.rows("_heap_tables")} - set(syncs.rounds[0].current)
    assert syncs.valid_from("sign_up_click_link", 1) < syncs.valid_from("sign_up_click_link", 3)


@pytest.mark.parametrize("until", [1, 2, 3])
def test_the_companion_stream_describes_the_current_content(syncs: Syncs, until: int) -> None:
    tables = {row["table"]: row for row in syncs.emitted("_heap_tables", until)}
    assert {name: row["file_count"] for name, row in tables.items()} == syncs.rounds[until - 1].file_counts
    for name, expected in syncs.rounds[until - 1].current.items():
        newest = max((row["_heap_dump_id"] for row in expected), default=0)
        assert tables[name]["newest_dump_id"] >= newest
        assert tables[name]["_heap_dump_id"] == tables[name]["newest_dump_id"]
        assert {"users": "user_id", "user_migrations": "to_user_id"}.get(name, "event_id") in tables[name]["columns"]


def test_the_states_stay_small(syncs: Syncs) -> None:
    tables = [
        state
        for state in syncs.rounds[-1].output.states
        if state["stream"]["stream_descriptor"]["name"] != "_heap_tables"
    ]
    assert max(len(json.dumps(state)) for state in tables) < 1_000


def test_keys_cursor_and_types(syncs: Syncs) -> None:
    streams = {stream["name"]: stream for stream in syncs.catalog}
    for name, stream in streams.items():
        key = {"_heap_tables": "table", "users": "user_id", "user_migrations": "from_user_id"}.get(name, "event_id")
        assert stream["source_defined_primary_key"] == [[key]]
        assert stream["default_cursor_field"] == ["_heap_dump_id"]
    assert streams["pageviews"]["json_schema"]["properties"]["event_id"] == {"type": ["null", "integer"]}
    assert "_event_metadata" not in streams


def test_rows_match_the_discovered_schema(syncs: Syncs) -> None:
    python_types: dict[str, Any] = {
        "integer": int,
        "string": str,
        "number": (int, float),
        "boolean": bool,
        "array": list,
    }
    for stream in syncs.catalog:
        properties = stream["json_schema"]["properties"]
        for row in syncs.rounds[-1].output.rows(stream["name"]):
            for name, value in row.items():
                allowed = properties[name]["type"]
                kinds = [
                    python_types[kind]
                    for kind in ([allowed] if isinstance(allowed, str) else allowed)
                    if kind != "null"
                ]
                assert any(isinstance(value, kind) for kind in kinds), (stream["name"], name, value)


def test_a_sync_without_new_dumps_emits_nothing(tmp_path: Path) -> None:
    with heap_bucket(Clock(), scale=0.05, server=SeaweedS3) as bucket:
        catalog, first = sync(bucket, tmp_path, [])
        again = run(tmp_path, "read", config=bucket.config, catalog=configured(catalog), state=first.output.states)
        assert (again.return_code, again.row_count) == (0, 0)
        assert [state["stream"] for state in again.states] != []


def test_the_start_date_leaves_out_earlier_events_only(tmp_path: Path) -> None:
    clock = Clock()
    since = clock.now.replace(hour=0, minute=0, second=0) - timedelta(days=3)
    with heap_bucket(clock, scale=0.1, server=SeaweedS3) as bucket:
        config = {**bucket.config, "start_date": since.strftime("%Y-%m-%d")}
        catalog = run(tmp_path, "discover", config=config).catalog
        output = run(tmp_path, "read", config=config, catalog=configured(catalog))
        left_out = 0
        for table in bucket.world.tables:
            expected = bucket.world.expected(table, since=since.astimezone(timezone.utc))
            assert without_nulls(output.rows(table)) == without_nulls(expected), table
            left_out += len(bucket.world.expected(table)) - len(expected)
        assert left_out > 0


def recipe(title: str) -> str:
    """The SQL of the README that begins with this comment."""
    blocks = re.findall(r"```sql\n(.*?)```", README.read_text(), re.DOTALL)
    return next(block for block in blocks if block.startswith(f"-- recipe: {title}"))


def load(syncs: Syncs, folder: Path, *tables: str) -> duckdb.DuckDBPyConnection:
    """A destination that deduplicates: of each key the row with the highest cursor."""
    warehouse = duckdb.connect()
    keys = {stream["name"]: stream["source_defined_primary_key"][0][0] for stream in syncs.catalog}
    for table in tables:
        path = folder / f"{table}.json"
        path.write_text("\n".join(json.dumps(row) for row in syncs.emitted(table)))
        warehouse.execute(
            f"CREATE TABLE {table} AS SELECT * FROM read_json(?, sample_size = -1) QUALIFY row_number() OVER "  # noqa: S608 # names of the sandbox
            f'(PARTITION BY "{keys[table]}" ORDER BY _heap_dump_id DESC) = 1',
            [str(path)],
        )
    return warehouse


@pytest.mark.parametrize("table", ["pageviews", "sign_up_click_link", "search_submit_results"])
def test_the_recipe_for_current_content(syncs: Syncs, tmp_path: Path, table: str) -> None:
    warehouse = load(syncs, tmp_path, table, "_heap_tables")
    warehouse.execute(recipe("current content").replace("pageviews", table))
    found = warehouse.execute(f"SELECT event_id, _heap_dump_id FROM current_{table}").fetchall()  # noqa: S608 # as above
    newest = {row["event_id"]: row["_heap_dump_id"] for row in syncs.rounds[-1].current[table]}
    assert sorted(found) == sorted(newest.items())


def resolve(merges: dict[int, int], user: int) -> int:
    """The identity of a user, written a second time: the end of the chain, or the lowest id of the cycle."""
    seen = [user]
    while seen[-1] in merges:
        following = merges[seen[-1]]
        if following in seen:
            return min(seen[seen.index(following) :])
        seen.append(following)
    return seen[-1]


def test_the_recipe_for_identities(syncs: Syncs, tmp_path: Path) -> None:
    warehouse = load(syncs, tmp_path, "pageviews", "user_migrations", "_heap_tables")
    dump_id = syncs.valid_from("user_migrations", 3)
    cycles = [(1, 2), (2, 3), (3, 1), (4, 2), (5, 5)]
    warehouse.executemany(
        f"INSERT INTO user_migrations (from_user_id, to_user_id, _heap_dump_id) VALUES (?, ?, {dump_id})",  # noqa: S608 # an integer
        cycles,
    )
    warehouse.execute(recipe("current content"))
    warehouse.execute(recipe("identities"))
    current = {row["from_user_id"]: row["to_user_id"] for row in syncs.rounds[-1].current["user_migrations"]}
    merges = {**current, **dict(cycles)}
    resolved = dict(warehouse.execute("SELECT user_id, resolved_user_id FROM resolved_users").fetchall())
    assert resolved == {user: resolve(merges, user) for user in merges}
    assert {resolved[user] for user in (1, 2, 3, 4)} == {1}
    assert any(to in merges for to in current.values()), "the world has chains"
    rows = warehouse.execute("SELECT user_id, resolved_user_id FROM resolved_pageviews").fetchall()
    assert len(rows) == len({row["event_id"] for row in syncs.rounds[-1].current["pageviews"]})
    assert all(identity == resolve(merges, user) for user, identity in rows)
