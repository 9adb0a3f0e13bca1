"""First sync, later syncs and full resyncs, compared row by row with the world that wrote the dumps."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from pathlib import Path

import duckdb
import pytest

from integration_tests.rows import JsonObject, comparable
from sandbox.airbyte import Attempt, BulkCdkLike, Connector, configured, run_sync
from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import SeaweedS3

README = Path(__file__).parents[1] / "source_heap" / "README.md"


@dataclass
class Round:
    """One sync of all streams, and the rows that make up each table at that time."""

    attempt: Attempt
    current: dict[str, list[JsonObject]]
    file_counts: dict[str, int]


@dataclass
class Syncs:
    """Three syncs: the first, one after a night with new and late dumps, one after a night with a full resync."""

    streams: list[JsonObject] = field(default_factory=list)
    """The most recently discovered catalog."""
    rounds: list[Round] = field(default_factory=list)

    def emitted(self, table: str, until: int = 3) -> list[JsonObject]:
        return [row for done in self.rounds[:until] for row in done.attempt.records[table]]

    def valid_from(self, table: str, until: int) -> int:
        newest = {row["table"]: row["first_valid_dump_id"] for row in self.emitted("_heap_tables", until)}
        return int(newest[table])


def sync(bucket: HeapBucket, destination: BulkCdkLike, states: list[JsonObject]) -> tuple[list[JsonObject], Round]:
    source = Connector("source_heap", bucket.config)
    catalog = source.discover()
    attempt = run_sync(source, destination, configured(catalog), states)
    world = bucket.world
    current = {table: world.expected(table) for table in world.tables}
    file_counts = {table: len(world.current_files(table)) for table in world.tables}
    return catalog["streams"], Round(attempt, current, file_counts)


@pytest.fixture(scope="module")
def syncs() -> Iterator[Syncs]:
    destination, done, clock = BulkCdkLike(), Syncs(), Clock()
    with heap_bucket(clock, scale=0.3, server=SeaweedS3) as bucket:
        states: dict[str, JsonObject] = {}
        for _ in range(3):
            done.streams, latest = sync(bucket, destination, list(states.values()))
            done.rounds.append(latest)
            states |= latest.attempt.states
            clock.advance(timedelta(days=1))
            bucket.sync()
        yield done


def test_all_syncs_complete(syncs: Syncs) -> None:
    for done in syncs.rounds:
        assert done.attempt.failures == []
        assert set(done.attempt.stream_status.values()) == {"COMPLETE"}
        assert set(done.attempt.stream_status) == {"_heap_tables", *done.current}


def test_the_first_sync_emits_every_row_once(syncs: Syncs) -> None:
    first = syncs.rounds[0]
    for table, expected in first.current.items():
        assert comparable(first.attempt.records[table]) == comparable(expected), table
    assert sum(map(len, first.current.values())) > 5_000


@pytest.mark.parametrize("until", [2, 3])
def test_the_rows_of_current_dumps_are_the_current_content(syncs: Syncs, until: int) -> None:
    for table, expected in syncs.rounds[until - 1].current.items():
        valid_from = syncs.valid_from(table, until)
        rows = [row for row in syncs.emitted(table, until) if row["_heap_dump_id"] >= valid_from]
        assert comparable(rows) == comparable(expected), table


def test_no_file_is_read_by_two_syncs(syncs: Syncs) -> None:
    for table in syncs.rounds[-1].current:
        files = [{row["_heap_file"] for row in done.attempt.records[table]} for done in syncs.rounds]
        assert sum(map(len, files)) == len(set().union(*files)), table


def test_the_history_covers_the_cases_under_test(syncs: Syncs) -> None:
    """A late manifest with a lower id, a new table, and a full resync that supersedes emitted rows."""
    first, second, third = (done.attempt.records for done in syncs.rounds)
    newest = max(row["_heap_dump_id"] for row in first["pageviews"])
    assert any(row["_heap_dump_id"] < newest for row in (*second["pageviews"], *third["pageviews"]))
    assert {row["table"] for row in third["_heap_tables"]} - set(syncs.rounds[0].current)
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
    tables = [state for name, state in syncs.rounds[-1].attempt.states.items() if name != "_heap_tables"]
    assert max(len(json.dumps(state)) for state in tables) < 1_000


def test_discovered_keys_cursor_and_types(syncs: Syncs) -> None:
    streams = {stream["name"]: stream for stream in syncs.streams}
    for name, stream in streams.items():
        key = {"_heap_tables": "table", "users": "user_id", "user_migrations": "from_user_id"}.get(name, "event_id")
        assert stream["source_defined_primary_key"] == [[key]]
        assert stream["default_cursor_field"] == ["_heap_dump_id"]
    assert streams["pageviews"]["json_schema"]["properties"]["event_id"] == {"type": ["null", "integer"]}
    assert "_event_metadata" not in streams


def test_a_sync_without_new_dumps_emits_nothing() -> None:
    destination = BulkCdkLike()
    with heap_bucket(Clock(), scale=0.05, server=SeaweedS3) as bucket:
        _, first = sync(bucket, destination, [])
        _, again = sync(bucket, destination, first.attempt.state_list())
        assert (again.attempt.failures, again.attempt.record_count) == ([], 0)
        assert again.attempt.states.keys() == first.attempt.states.keys()


def test_the_start_date_omits_only_earlier_events() -> None:
    clock = Clock()
    since = clock.now.replace(hour=0, minute=0, second=0) - timedelta(days=3)
    with heap_bucket(clock, scale=0.1, server=SeaweedS3) as bucket:
        source = Connector("source_heap", {**bucket.config, "start_date": since.strftime("%Y-%m-%d")})
        attempt = run_sync(source, BulkCdkLike(), configured(source.discover()))
        left_out = 0
        for table in bucket.world.tables:
            expected = bucket.world.expected(table, since=since.astimezone(timezone.utc))
            assert comparable(attempt.records[table]) == comparable(expected), table
            left_out += len(bucket.world.expected(table)) - len(expected)
        assert left_out > 0


def recipe(title: str) -> str:
    """The README's SQL recipe that begins with this comment."""
    blocks = re.findall(r"```sql\n(.*?)```", README.read_text(), re.DOTALL)
    return next(block for block in blocks if block.startswith(f"-- recipe: {title}"))


def load(syncs: Syncs, folder: Path, *tables: str) -> duckdb.DuckDBPyConnection:
    """Load as a deduplicating destination does: for each key, the row with the highest cursor."""
    warehouse = duckdb.connect()
    keys = {stream["name"]: stream["source_defined_primary_key"][0][0] for stream in syncs.streams}
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
    """The identity of a user, implemented independently: the end of the chain, or the lowest id in the cycle."""
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
