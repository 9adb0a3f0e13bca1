import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import fastavro
import pytest

from sandbox.clock import Clock
from sandbox.heap.columns import LONG_COLUMNS, LONG_TABLE
from sandbox.heap.world import HeapWorld

NOW = datetime(2026, 3, 10, 15, 30, tzinfo=timezone.utc)
TWO_DAYS = timedelta(days=2)


WIDENED = {"users": "plan_seats", "pageviews": "experiment"}


def world_at(now: datetime = NOW, *, seed: int = 7, scale: float = 0.05, first_dump_id: int = 998) -> HeapWorld:
    return HeapWorld(Clock(now), seed=seed, scale=scale, first_dump_id=first_dump_id)


@pytest.fixture
def world() -> HeapWorld:
    return world_at()


@pytest.fixture
def bucket(world: HeapWorld, tmp_path: Path) -> Path:
    world.write(tmp_path)
    return tmp_path


def manifests(bucket: Path) -> list[dict[str, Any]]:
    found = [json.loads(path.read_bytes()) for path in (bucket / "manifests").iterdir()]
    return sorted(found, key=lambda manifest: manifest["dump_id"])


def read_bucket(bucket: Path, table: str) -> list[dict[str, Any]]:
    """The table's rows according to the rules for readers, using only the bucket's files."""
    rows: list[dict[str, Any]] = []
    for manifest in manifests(bucket):
        for entry in manifest["tables"]:
            if entry["name"] == table:
                rows = rows if entry["incremental"] else []
                for uri in entry.get("files", ()):
                    key = uri.removeprefix("s3://heap-rs3-sandbox/")
                    marks = {"_heap_dump_id": manifest["dump_id"], "_heap_file": key}
                    rows += [row | marks for row in avro_rows(bucket / key)]
    return rows


def dumps_of(world: HeapWorld, table: str) -> set[int]:
    return {row["_heap_dump_id"] for row in world.expected(table)}


def avro_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for row in fastavro.reader(file):
            assert isinstance(row, dict)
            yield row


def widened(row: dict[str, Any], name: str | None) -> dict[str, Any]:
    return row if name is None or row[name] is None else {**row, name: str(row[name])}


@pytest.mark.parametrize("days_later", [0, 1, 2])
def test_expected_rows_are_those_in_the_files(days_later: int, tmp_path: Path) -> None:
    world = world_at()
    world.clock.advance(timedelta(days=days_later))
    world.write(tmp_path)
    assert set(world.tables) == {entry["name"] for manifest in manifests(tmp_path) for entry in manifest["tables"]} - {
        "_event_metadata"
    }
    for table in world.tables:
        read = [widened(row, WIDENED.get(table)) for row in read_bucket(tmp_path, table)]
        assert read == world.expected(table)


def test_same_seed_and_clock_give_the_same_data(tmp_path: Path) -> None:
    one, two = (
        [path.relative_to(tmp_path / name) for path in world_at().write(tmp_path / name)] for name in ("one", "two")
    )
    assert one == two
    assert world_at().expected("pageviews") == world_at().expected("pageviews")
    assert world_at().expected("pageviews") != world_at(seed=8).expected("pageviews")


def test_scale_grows_every_large_table() -> None:
    small, large = world_at(scale=0.1), world_at(scale=0.2)
    for table in ("users", "sessions", "pageviews", "sign_up_click_link", "user_migrations"):
        assert len(large.expected(table)) > 1.8 * len(small.expected(table))


def test_dump_ids_have_gaps_and_cross_a_digit_boundary(world: HeapWorld) -> None:
    assert [dump.dump_id for dump in world.dumps] == [998, 999, 1000, 1003, 1007]
    ten_digits = world_at(first_dump_id=999_999_998)
    assert [dump.dump_id for dump in ten_digits.dumps][:3] == [999_999_998, 999_999_999, 1_000_000_000]


@pytest.mark.parametrize("hour", [0, 1, 2, 3, 12, 23])
def test_future_dumps_appear_within_two_days(hour: int, tmp_path: Path) -> None:
    world = world_at(NOW.replace(hour=hour))
    assert world.dumps[-1].dump_id == 1007
    first = set(world.write(tmp_path))
    world.clock.advance(TWO_DAYS)
    new = world.write(tmp_path)
    assert not first & set(new)
    names = [path.name for path in new if path.parent.name == "manifests"]
    assert sorted(names) == ["sync_1005.json", "sync_1008.json", "sync_1009.json", "sync_1010.json"]
    assert world.write(tmp_path) == []
    for path in new:
        if path.parent.name == "manifests":
            for entry in json.loads(path.read_bytes())["tables"]:
                for uri in entry.get("files", ()):
                    assert (tmp_path / uri.removeprefix("s3://heap-rs3-sandbox/")).exists()


def test_late_manifest_belongs_to_an_earlier_dump(world: HeapWorld) -> None:
    while 1008 not in {dump.dump_id for dump in world.dumps}:
        world.clock.advance(timedelta(hours=1))
    assert 1005 not in {dump.dump_id for dump in world.dumps}
    world.clock.advance(timedelta(hours=12))
    assert 1005 in {dump.dump_id for dump in world.dumps}


def test_bucket_holds_more_than_manifests_and_their_files(bucket: Path) -> None:
    assert (bucket / "manifests" / "1003.json").exists()
    assert (bucket / "sync_reports" / "sync_1000.json").exists()
    assert (bucket / "imported_manifests" / "sync_998.json").exists()
    assert (bucket / "sync_1007" / "property_definitions.json").exists()
    assert list((bucket / "sync_1002").rglob("*.avro")), "an unfinished dump"
    named = {
        uri.rpartition("/")[2]
        for each in manifests(bucket)
        for entry in each["tables"]
        for uri in entry.get("files", ())
    }
    strays = {path.name for path in (bucket / "sync_1000").rglob("*.avro")} - named
    assert len(strays) == 1


def test_full_resync_supersedes_earlier_dumps(world: HeapWorld) -> None:
    assert dumps_of(world, "checkout_complete_order_web_") == {1003, 1007}
    assert dumps_of(world, "search_submit_results") == {1007}
    world.clock.advance(TWO_DAYS)
    assert dumps_of(world, "checkout_complete_order_web_") == {1003, 1005, 1007, 1008, 1010}
    assert dumps_of(world, "search_submit_results") == {1007, 1008, 1010}
    assert dumps_of(world, "sign_up_click_link") == {1010}


def test_migrations_are_those_of_the_newest_dump_with_chain_cycle_and_many_to_one(world: HeapWorld) -> None:
    rows = world.expected("user_migrations")
    assert dumps_of(world, "user_migrations") == {1007}
    merges = {row["from_user_id"]: row["to_user_id"] for row in rows}
    assert len(merges) == len(rows)
    assert len(set(merges.values())) < len(merges), "many-to-one"
    assert any(merges.get(merges.get(target, 0)) == target for target in merges), "a cycle"
    assert any(merges.get(target, source) != source for source, target in merges.items()), "a chain"
    assert any(row["time"] == 0 for row in rows)


def test_table_without_full_dump_and_tables_that_come_and_go(world: HeapWorld) -> None:
    entries = [(dump.dump_id, table) for dump in world.dumps for table in dump.tables]
    assert all(table.incremental for _, table in entries if table.table == "sessions")
    assert [dump_id for dump_id, table in entries if table.table == "_key_events__order_completed_"] == [999, 1000]
    assert "feature_tour_finished" not in world.tables
    world.clock.advance(TWO_DAYS)
    assert "feature_tour_finished" in world.tables


def test_every_kind_of_empty_table(world: HeapWorld, bucket: Path) -> None:
    for table in ("newsletter_banner_dismissed", "legacy_form_submit", "trial_reset_started"):
        assert world.expected(table) == []
    entries = [entry for manifest in manifests(bucket) for entry in manifest["tables"]]
    assert any(entry["name"] == "newsletter_banner_dismissed" and entry["files"] == [] for entry in entries)
    assert any(entry["name"] == "legacy_form_submit" and "files" not in entry for entry in entries)
    (empty,) = (bucket / "sync_1000" / "legacy_form_submit").iterdir()
    assert list(avro_rows(empty)) == []
    assert not world.expected("trial_reset_started")
    assert list((bucket / "sync_999" / "trial_reset_started").iterdir()), (
        "the table had rows until a full dump emptied it"
    )


def test_event_ids_recur_within_a_table_and_across_tables(world: HeapWorld) -> None:
    clicks = Counter(row["event_id"] for row in world.expected("sign_up_click_link"))
    assert max(clicks.values()) == 2
    assert clicks.keys() & {row["event_id"] for row in world.expected("pageviews")}
    assert max(clicks) > 2**53


def test_changed_users_are_exported_again(world: HeapWorld) -> None:
    sent: dict[int, set[str]] = {}
    for row in world.expected("users"):
        sent.setdefault(row["user_id"], set()).add(str(row["last_modified"]))
    assert max(len(versions) for versions in sent.values()) > 1


def test_columns_change_and_types_widen_to_string(world: HeapWorld) -> None:
    users = world.expected("users")
    assert {type(row["plan_seats"]) for row in users} == {str, type(None)}
    assert {"lifetime_value" in row for row in users} == {True, False}
    pageviews = world.expected("pageviews")
    assert {type(row["experiment"]) for row in pageviews} == {str}
    assert {"carrier" in row for row in pageviews} == {True, False}
    files = dict(world.current_files("users"))
    assert list(files[999].columns) == list(files[1000].columns)
    assert files[999].columns["plan_seats"] != files[1000].columns["plan_seats"]


def test_nights_to_come_add_columns_on_request() -> None:
    added = {}
    for adds in (False, True):
        world = HeapWorld(Clock(NOW), seed=7, scale=0.05, adds_columns=adds)
        before = {table: set().union(*world.expected(table)) for table in world.tables}
        world.clock.advance(TWO_DAYS)
        added[adds] = {
            table: new for table, old in before.items() if (new := set().union(*world.expected(table)) - old) and old
        }
    assert added[False] == {}
    assert added[True] == {"pageviews": {"target_text", "cart_value"}, "search_submit_results": {"logged_in"}}


def test_names_are_long_and_keep_their_underscores(world: HeapWorld, bucket: Path) -> None:
    assert {LONG_TABLE, "_key_events__order_completed_", "checkout_complete_order_web_"} <= set(world.tables)
    assert len(LONG_TABLE) == 61
    assert max(map(len, LONG_COLUMNS)) == 78
    assert len({name[:63] for name in LONG_COLUMNS}) == 1
    assert (bucket / "sync_1000" / LONG_TABLE).is_dir()


def test_manifest_lists_a_column_that_no_file_has(world: HeapWorld, bucket: Path) -> None:
    entries = [entry for manifest in manifests(bucket) for entry in manifest["tables"]]
    assert any("promo_code" in entry["columns"] for entry in entries)
    assert not any("promo_code" in row for row in world.expected("checkout_complete_order_web_"))


def test_times_come_in_every_form() -> None:
    world = world_at(scale=0.4)
    times = {table: {row["time"] for row in world.expected(table)} for table in world.tables if table != "users"}
    for table, digits in (
        ("search_submit_results", 10),
        ("sign_up_click_link", 13),
        ("checkout_complete_order_web_", 16),
        ("user_migrations", 13),
    ):
        assert {len(str(time)) for time in times[table] if time} == {digits}
        assert 0 in times[table]
    assert {"", "Invalid date", "0", None} <= times["pageviews"]
    assert {str(time)[26:] for time in times["pageviews"]} == {" UTC", ""}
    assert {len(time) for time in times["sessions"]} == {len("2026-03-10 15:30:00.000000")}


def test_start_date_omits_earlier_events_but_no_users(world: HeapWorld) -> None:
    since = NOW.replace(hour=0, minute=0) - timedelta(days=2)
    for table in ("pageviews", "search_submit_results", "sign_up_click_link", "checkout_complete_order_web_"):
        kept = world.expected(table, since)
        assert 0 < len(kept) < len(world.expected(table))
    for table in ("users", "user_migrations"):
        assert world.expected(table, since) == world.expected(table)


def test_files_are_snappy_with_both_orders_of_null_and_plain_types(bucket: Path) -> None:
    kinds, codecs = set(), set()
    for path in bucket.rglob("*.avro"):
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            codecs.add(reader.codec)
            assert isinstance(reader.writer_schema, dict)
            types = [field["type"] for field in reader.writer_schema["fields"]]
            kinds |= {kind.index("null") if isinstance(kind, list) else "plain" for kind in types}
    assert codecs == {"snappy"}
    assert kinds == {0, 1, "plain"}
