"""source-heap against singer's tap-heap and against plain fastavro, on the same data and the same S3 server."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks import tap_heap
from benchmarks.measure import Cost, measure
from benchmarks.peers import PeerUnavailableError
from benchmarks.tap_heap import TapHeap
from sandbox.heap.bulk import pageview_columns, write_pageviews
from sandbox.heap.dumps import AvroFile, Dump, TableDump
from sandbox.heap.s3 import SeaweedS3
from sandbox.heap.s3_server import S3Server

COLUMNS = 32
FILES = 12
ROWS_PER_FILE = 83_334
LARGE_FILE_ROWS = 1_800_000
LARGE_FILE_QUERY_BYTES = 1024
ROUNDS = 2
DISCOVERED_TABLES = 500
NIGHTS = 365
_DUMP_ID = 1000
_OURS = [sys.executable, "-m", "source_heap"]

Reader = Callable[[str], Cost]


class Result(NamedTuple):
    """What one reader needed for the twelve files, and for the large one."""

    name: str
    small: Cost
    large: Cost


def run() -> None:
    """Measure reading and discovery, and print what came out."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="heap-benchmark-") as folder, SeaweedS3() as server:
        _measure_reading(Path(folder), server, console)
    with tempfile.TemporaryDirectory(prefix="heap-benchmark-") as folder, SeaweedS3() as server:
        _measure_discovery(Path(folder), server, console)


def _measure_reading(folder: Path, server: S3Server, console: Console) -> None:
    console.print(f"Writing {FILES * ROWS_PER_FILE:,} pageviews in {FILES} files, and one file of 2 GB …")
    size = _write_reading_data(folder / "bucket", server)
    (folder / "config.json").write_text(json.dumps(server.config))
    readers = dict(_readers(server, folder, console))
    costs: dict[str, list[Cost]] = {name: [] for name in readers}
    for stream in ("pageviews",) * ROUNDS + ("large_pageviews",):
        for name, read in readers.items():
            cost = read(stream)
            costs[name].append(cost)
            console.print(f"Read {stream} with {name}: {cost}")
    results = [
        Result(name, min(small, key=lambda cost: cost.cpu_seconds), large) for name, (*small, large) in costs.items()
    ]
    console.print(_reading_table(results, size))


def _readers(server: S3Server, folder: Path, console: Console) -> Iterator[tuple[str, Reader]]:
    if tap := _tap_heap(server, folder, console):
        yield f"tap-heap {tap_heap.VERSION}", tap.read
    plain = [sys.executable, "-m", "benchmarks.plain_avro", server.endpoint_url, server.bucket]
    yield "fastavro + orjson", lambda stream: measure([*plain, f"sync_{_DUMP_ID}/{stream}/"], server.environment)
    yield "source-heap", lambda stream: _read(stream, folder)


def _tap_heap(server: S3Server, folder: Path, console: Console) -> TapHeap | None:
    try:
        return TapHeap(tap_heap.install(), server, folder)
    except PeerUnavailableError as error:
        console.print(f"tap-heap is left out, because it cannot be installed here: {error}")
        return None


def _read(stream: str, folder: Path) -> Cost:
    json_schema = {"type": "object", "properties": {name: {} for name in pageview_columns(COLUMNS)}}
    configured = {
        "stream": {"name": stream, "json_schema": json_schema, "supported_sync_modes": ["full_refresh", "incremental"]},
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
    }
    catalog = folder / f"{stream}.json"
    catalog.write_text(json.dumps({"streams": [configured]}))
    return measure([*_OURS, "read", "--config", str(folder / "config.json"), "--catalog", str(catalog)])


def _reading_table(results: list[Result], size: int) -> Table:
    table = Table(title=f"{FILES} files ({size / 1e6:.0f} MB; the better of {ROUNDS} runs), and one file of 2 GB")
    table.add_column("")
    for heading in ("rows", "rows/s", "CPU s / 1 M rows", "rows per CPU s, ratio", "peak RSS MB"):
        table.add_column(heading, justify="right")
    for heading in ("2 GB: rows", "rows/s", "peak RSS MB"):
        table.add_column(heading, justify="right")
    reference = results[0].small.records_per_cpu_second
    for name, small, large in results:
        table.add_row(
            name,
            f"{small.records:,}",
            f"{small.records / small.seconds:,.0f}",
            f"{1e6 / small.records_per_cpu_second:.1f}",
            f"{small.records_per_cpu_second / reference:.2f}",
            f"{small.peak_rss_mb:.0f}",
            f"{large.records:,}",
            f"{large.records / large.seconds:,.0f}",
            f"{large.peak_rss_mb:.0f}",
        )
    return table


def _write_reading_data(directory: Path, server: S3Server) -> int:
    columns = pageview_columns(COLUMNS)
    small = [AvroFile(f"sync_{_DUMP_ID}/pageviews/part-{part:05}.avro", columns, lambda: ()) for part in range(FILES)]
    large = AvroFile(f"sync_{_DUMP_ID}/large_pageviews/part-00000.avro", columns, lambda: ())
    for part, file in enumerate(small):
        path = directory / file.key
        path.parent.mkdir(parents=True, exist_ok=True)
        write_pageviews(path, ROWS_PER_FILE, columns=COLUMNS, seed=part)
    size = sum(path.stat().st_size for path in directory.rglob("*.avro"))
    path = directory / large.key
    path.parent.mkdir(parents=True)
    write_pageviews(path, LARGE_FILE_ROWS, columns=COLUMNS, query_bytes=LARGE_FILE_QUERY_BYTES)
    tables = (
        TableDump("pageviews", incremental=False, files=tuple(small), columns=tuple(columns)),
        TableDump("large_pageviews", incremental=False, files=(large,), columns=tuple(columns)),
    )
    _write_manifest(directory, server.bucket, _DUMP_ID, tables)
    server.upload(directory)
    path.unlink()
    return size


def _measure_discovery(folder: Path, server: SeaweedS3, console: Console) -> None:
    console.print(f"Writing {NIGHTS} nightly dumps of {DISCOVERED_TABLES} tables …")
    _write_discovery_data(folder / "bucket", server)
    (folder / "config.json").write_text(json.dumps(server.config))
    table = Table(title=f"Discovery of {DISCOVERED_TABLES} tables in {NIGHTS} dumps")
    for heading in ("", "seconds", "LIST", "GET", "other requests", "CPU s", "peak RSS MB"):
        table.add_column(heading, justify="right" if heading else "left")
    discoverers: dict[str, Callable[[], Cost]] = {
        "source-heap": lambda: measure([*_OURS, "discover", "--config", str(folder / "config.json")])
    }
    if tap := _tap_heap(server, folder, console):
        discoverers[f"tap-heap {tap_heap.VERSION}, names only"] = tap.discover
    for name, discover in discoverers.items():
        before = server.requests_answered()
        cost = discover()
        asked = server.requests_answered() - before
        kinds = asked["LIST"], asked["GET"]
        table.add_row(
            name,
            f"{cost.seconds:.1f}",
            *map(str, kinds),
            str(asked.total() - sum(kinds)),
            f"{cost.cpu_seconds:.1f}",
            f"{cost.peak_rss_mb:.0f}",
        )
    console.print(table)


def _write_discovery_data(directory: Path, server: S3Server) -> None:
    """Every table gets a column in the middle of the year; only files at the ends of a set of columns exist."""
    earlier, later = pageview_columns(COLUMNS - 1), pageview_columns(COLUMNS)
    half = NIGHTS // 2
    for night in range(NIGHTS):
        columns = earlier if night < half else later
        tables = []
        for number in range(DISCOVERED_TABLES):
            key = f"sync_{_DUMP_ID + night}/event_{number:03}/part-00000.avro"
            file = AvroFile(key, columns, lambda: ())
            tables.append(TableDump(f"event_{number:03}", night > 0, (file,), tuple(columns)))
            if night in {0, half - 1, half, NIGHTS - 1}:
                (directory / key).parent.mkdir(parents=True)
                file.write(directory / key)
        _write_manifest(directory, server.bucket, _DUMP_ID + night, tuple(tables))
    server.upload(directory)


def _write_manifest(directory: Path, bucket: str, dump_id: int, tables: tuple[TableDump, ...]) -> None:
    written = datetime(2026, 1, 1, tzinfo=timezone.utc)
    dump = Dump(dump_id, written, written, tables, f"manifests/sync_{dump_id}.json")
    path = directory / dump.manifest_key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dump.manifest(bucket))
