"""Fast generation of millions of pageviews, for measuring speed and memory, not for comparing rows."""

from collections.abc import Iterator
from datetime import datetime, timezone
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import fastavro
from fastavro.write import Writer

from sandbox.heap.columns import PAGEVIEWS, Columns, Row
from sandbox.heap.dumps import SPARK_BLOCK_BYTES, AvroFile, Dump, TableDump
from sandbox.heap.visitors import Visitors

DISTINCT_ROWS = 20_000
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)


def pageview_columns(count: int = 32) -> dict[str, str]:
    """The first `count` columns of pageviews, of which the last is their time.

    Raises:
        ValueError: if pageviews do not have that many columns.
    """
    if not 0 < count <= len(PAGEVIEWS):
        raise ValueError(f"Pageviews have 1 to {len(PAGEVIEWS)} columns.")
    first = [name for name in PAGEVIEWS if name != "time"][: count - 1]
    return {name: PAGEVIEWS[name] for name in (*first, "time")}


def write_pageviews(
    path: Path, rows: int, *, columns: int = 32, codec: str = "snappy", query_bytes: int = 16, seed: int = 0
) -> None:
    """Write a file of pageviews.

    The first 20,000 rows differ; after that the file's blocks repeat, so that gigabytes take seconds.

    Args:
        path: the file to write.
        rows: number of rows.
        columns: number of the pageviews' columns in the file.
        codec: any codec of Avro.
        query_bytes: length of a page's random query, which no codec compresses well.
        seed: determines the rows.
    """
    distinct = _pageviews(min(rows, DISTINCT_ROWS), query_bytes, seed)
    _write_repeated(path, pageview_columns(columns), distinct, rows, codec)


def sparse_columns(count: int = 200) -> dict[str, str]:
    """Columns of an event with many properties, of which a row has only a few."""
    properties = {f"property_{number:03}": "string" for number in range(count - 4)}
    return {"event_id": "long", "user_id": "long", "session_id": "long", **properties, "time": "string"}


def write_sparse_events(path: Path, rows: int, *, columns: int = 200, filled: float = 0.1, seed: int = 0) -> None:
    """Write a file of events with many properties.

    Args:
        path: the file to write.
        rows: number of rows; they repeat like those of `write_pageviews`.
        columns: number of columns in the file.
        filled: the share of the properties that have a value.
        seed: determines the rows.
    """
    names = sparse_columns(columns)
    _write_repeated(path, names, _sparse_events(min(rows, DISTINCT_ROWS), names, filled, seed), rows, "snappy")


def _write_repeated(path: Path, columns: Columns, rows: Iterator[Row], count: int, codec: str) -> None:
    file = AvroFile(path.name, columns, lambda: rows)
    distinct = list(file.rows())
    with path.open("wb") as target:
        writer = Writer(target, file.schema, codec=codec, sync_interval=SPARK_BLOCK_BYTES)
        remaining = count
        for block in cycle(_blocks(file.schema, distinct)):
            if block.num_records > remaining:
                break
            writer.write_block(block)
            remaining -= block.num_records
        for row in distinct[:remaining]:
            writer.write(row)
        writer.flush()


def write_large_dump(directory: Path, bucket: str, *, files: int, rows: int) -> None:
    """Write a dump of long pageviews, as in the bucket.

    Args:
        directory: the folder for the bucket's content.
        bucket: the bucket's name.
        files: number of files.
        rows: number of rows in each file.
    """
    columns = pageview_columns()
    parts = [AvroFile(f"sync_1000/pageviews/part-{part:05}.avro", columns, lambda: ()) for part in range(files)]
    (directory / parts[0].key).parent.mkdir(parents=True)
    for seed, part in enumerate(parts):
        write_pageviews(directory / part.key, rows, query_bytes=1024, seed=seed)
    table = TableDump("pageviews", incremental=False, files=tuple(parts), columns=tuple(columns))
    dump = Dump(1000, _FIRST_DAY, _FIRST_DAY, (table,), "manifests/sync_1000.json")
    (directory / dump.manifest_key).parent.mkdir()
    (directory / dump.manifest_key).write_bytes(dump.manifest(bucket))


def _pageviews(rows: int, query_bytes: int, seed: int) -> Iterator[Row]:
    random = Random(seed)
    visitors = Visitors(_FIRST_DAY, seed=seed, scale=DISTINCT_ROWS / 2500)
    for row in islice(visitors.events(range(1)), rows):
        yield {**row, "query": f"?ref={random.randbytes(query_bytes // 2).hex()}"}


def _sparse_events(rows: int, columns: Columns, filled: float, seed: int) -> Iterator[Row]:
    random = Random(seed)
    for number in range(rows):
        row: Row = dict.fromkeys(columns)
        for name in columns:
            if name.startswith("property_") and random.random() < filled:
                row[name] = f"value {random.randrange(1000)}"
        row.update(event_id=random.getrandbits(62), user_id=random.getrandbits(62), session_id=number)
        yield {**row, "time": "2026-01-01 12:00:00"}


def _blocks(schema: dict[str, Any], rows: list[Row]) -> Iterator[Any]:
    encoded = BytesIO()
    fastavro.writer(encoded, schema, rows, sync_interval=SPARK_BLOCK_BYTES)
    encoded.seek(0)
    return iter(fastavro.block_reader(encoded))
