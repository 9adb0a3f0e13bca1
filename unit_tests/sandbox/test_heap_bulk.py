from pathlib import Path

import fastavro
import pytest

from sandbox.heap.bulk import DISTINCT_ROWS, pageview_columns, write_pageviews


@pytest.mark.parametrize("codec", ["snappy", "null", "deflate"])
@pytest.mark.parametrize("rows", [0, 1, 700, 45_001])
def test_file_has_exactly_the_requested_rows(rows: int, codec: str, tmp_path: Path) -> None:
    path = tmp_path / "pageviews.avro"
    write_pageviews(path, rows, codec=codec)
    with path.open("rb") as file:
        reader = fastavro.block_reader(file)
        assert reader.codec == codec
        blocks = list(reader)
    assert sum(block.num_records for block in blocks) == rows
    assert all(block.size < 70_000 for block in blocks)


def test_rows_have_the_requested_columns_and_differ(tmp_path: Path) -> None:
    path = tmp_path / "pageviews.avro"
    write_pageviews(path, DISTINCT_ROWS, columns=5)
    with path.open("rb") as file:
        rows = [row for row in fastavro.reader(file) if isinstance(row, dict)]
    assert list(rows[0]) == ["event_id", "user_id", "session_id", "library", "time"]
    assert len({row["event_id"] for row in rows}) == DISTINCT_ROWS


def test_seed_decides_the_rows(tmp_path: Path) -> None:
    contents = []
    for seed in (1, 1, 2):
        path = tmp_path / "pageviews.avro"
        write_pageviews(path, 50, seed=seed)
        with path.open("rb") as file:
            contents.append(list(fastavro.reader(file)))
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("count", [0, 35])
def test_columns_that_pageviews_do_not_have_are_rejected(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 34 columns"):
        pageview_columns(count)
