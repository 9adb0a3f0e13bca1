import pytest

from cdp_connectors.json_types import Json
from source_heap.avro.decoder import Batch
from source_heap.rows import Selection, StartDateFilter, records, select

SECONDS = 1_735_689_600  # 2025-01-01T00:00:00Z


@pytest.mark.parametrize(
    "time",
    [
        "2025-01-01 00:00:00",
        "2025-01-01T00:00:00Z",
        "2025-01-01 00:00:00.000001 UTC",
        "2025-01-01",
        "2031-07-01 12:00:00",
        str(SECONDS),
        SECONDS,
        float(SECONDS),
        SECONDS * 1_000,
        SECONDS * 1_000_000,
        str(SECONDS * 1_000),
    ],
)
def test_events_at_or_after_the_start_date_are_kept(time: Json) -> None:
    assert StartDateFilter("2025-01-01T00:00:00Z").keeps(time)


@pytest.mark.parametrize(
    "time",
    [
        "2024-12-31 23:59:59",
        "2024-12-31T23:59:59.999999Z",
        "2024-12-31 23:59:59.9 UTC",
        "2024-12-31",
        "1999-01-01 00:00:00",
        SECONDS - 1,
        SECONDS * 1_000 - 1,
        SECONDS * 1_000_000 - 1,
        str(SECONDS * 1_000_000 - 1),
    ],
)
def test_earlier_events_are_skipped(time: Json) -> None:
    assert not StartDateFilter("2025-01-01T00:00:00Z").keeps(time)


@pytest.mark.parametrize(
    "time", [None, "", "Invalid date", 0, "0", -1, "yesterday", "2024-12-31 23:59:59+02:00", True, "9" * 5_000]
)
def test_a_time_that_cannot_be_parsed_never_drops_a_row(time: Json) -> None:
    assert StartDateFilter("2025-01-01T00:00:00Z").keeps(time)


def test_the_time_of_day_counts() -> None:
    keeps = StartDateFilter("2025-01-01T12:00:00Z").keeps
    assert [keeps("2025-01-01 11:59:59"), keeps("2025-01-01 12:00:00"), keeps(SECONDS + 43_199)] == [False, True, False]


BATCH = Batch(2, {"id": [1, 2], "time": ["2024-01-01 00:00:00", "2026-01-01 00:00:00"]})


ADDED = {"_heap_dump_id": 852, "_heap_file": "sync_852/t/a.avro"}
START = StartDateFilter("2025-01-01T00:00:00Z")


def test_rows_have_the_dump_and_the_file_they_come_from() -> None:
    assert list(records(BATCH, ADDED)) == [
        {"id": 1, "time": "2024-01-01 00:00:00", "_heap_dump_id": 852, "_heap_file": "sync_852/t/a.avro"},
        {"id": 2, "time": "2026-01-01 00:00:00", "_heap_dump_id": 852, "_heap_file": "sync_852/t/a.avro"},
    ]


def test_rows_are_filtered_by_time() -> None:
    assert [row["id"] for row in records(BATCH, ADDED, select(BATCH, START).kept)] == [2]


def test_a_table_without_a_time_is_not_filtered() -> None:
    assert select(Batch(1, {"id": [1]}), START) == Selection(None, 0)


def test_rows_of_a_file_without_columns_have_the_added_columns() -> None:
    assert list(records(Batch(2, {}), ADDED)) == [ADDED] * 2


@pytest.mark.parametrize(
    ("key", "selection"),
    [
        (["id"], Selection([True, False, True], 1)),
        (["other"], Selection([False, False, True], 2)),
        (["id", "other"], Selection([True, False, True], 1)),
        (["absent"], Selection([False, False, False], 3)),
        (["absent", "id"], Selection([True, False, True], 1)),
    ],
)
def test_rows_without_a_key_are_skipped_and_counted(key: list[str], selection: Selection) -> None:
    assert select(Batch(3, {"id": [0, None, 2], "other": [None, None, ""]}), key=key) == selection


def test_a_row_before_the_start_date_is_not_counted_as_one_without_a_key() -> None:
    times = ["2024-01-01", "2024-01-01", "2026-01-01", "2026-01-01"]
    batch = Batch(4, {"id": [1, None, 1, None], "time": times})
    assert select(batch, START, ["id"]) == Selection([False, False, True, False], 1)
