"""source-heap compared with singer's tap-heap, plain fastavro, and the pipe itself, on the same data and S3 server.

`python -m benchmarks.heap CASE` measures one case: pageviews, sparse, large or discovery.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import tap_heap
from benchmarks.measure import Cost, measure
from benchmarks.peers import PeerUnavailableError
from benchmarks.tap_heap import TapHeap
from sandbox.heap.bulk import pageview_columns, sparse_columns, write_pageviews, write_sparse_events
from sandbox.heap.dumps import AvroFile, Dump, TableDump
from sandbox.heap.s3 import SeaweedS3
from sandbox.heap.s3_server import S3Server
from source_heap.native import PYTHON_ONLY

COLUMNS = 32
LARGE_FILE_QUERY_BYTES = 1024
DISCOVERED_TABLES = 500
NIGHTS = 365
_DUMP_ID = 1000
STREAM = "pageviews"
_OURS = [sys.executable, "-m", "source_heap"]
_ONE_CORE = ["taskset", "--cpu-list", "0"] if shutil.which("taskset") else None


@dataclass(frozen=True)
class Case:
    """The files of one table."""

    title: str
    files: int
    rows_per_file: int
    columns: Mapping[str, str]
    write: Callable[[Path, int, int], None]
    """Writes a file, given its path, number of rows, and a seed."""

    @property
    def rows(self) -> int:
        """The number of rows in all files."""
        return self.files * self.rows_per_file


CASES = {
    "pageviews": Case(
        "32 columns, 12 files",
        12,
        83_334,
        pageview_columns(COLUMNS),
        lambda path, rows, seed: write_pageviews(path, rows, columns=COLUMNS, seed=seed),
    ),
    "sparse": Case(
        "200 columns, 90 % null, 4 files",
        4,
        50_000,
        sparse_columns(),
        lambda path, rows, seed: write_sparse_events(path, rows, seed=seed),
    ),
    "large": Case(
        "32 columns, rows of 1.9 kB, one file",
        1,
        600_000,
        pageview_columns(COLUMNS),
        lambda path, rows, seed: write_pageviews(path, rows, query_bytes=LARGE_FILE_QUERY_BYTES, seed=seed),
    ),
}


@dataclass(frozen=True)
class Reader:
    """A way to turn the files into records."""

    name: str
    read: Callable[[list[str]], Cost]
    """Measures it; the argument is a command prefix, such as `taskset`, or empty."""


def run() -> None:
    """Measure reading and discovery, and print the results."""
    console = Console()
    for case in CASES.values():
        _measure_reading(case, console)
    _measure_discovery(console)


def _measure_reading(case: Case, console: Console) -> None:
    with tempfile.TemporaryDirectory(prefix="heap-benchmark-") as name, SeaweedS3() as server:
        folder = Path(name)
        console.print(f"Writing {case.rows:,} rows: {case.title} …")
        size = write_case(case, folder / "bucket", server)
        table = Table(title=f"{case.title}: {case.rows:,} rows, {size / 1e6:,.0f} MB of Avro")
        for heading in ("", "rows/s, one core", "rows/s", "CPU s / 1 M rows", "rows per CPU s, ratio", "peak RSS MB"):
            table.add_column(heading, justify="right" if heading else "left")
        reference: Cost | None = None
        for reader in _readers(server, folder, console):
            costs = [reader.read([])]
            one_core = reader.read(_ONE_CORE) if _ONE_CORE else None
            best = min((*costs, *([one_core] if one_core else [])), key=lambda cost: cost.cpu_seconds)
            reference = reference or best
            table.add_row(
                reader.name,
                f"{one_core.records / one_core.seconds:,.0f}" if one_core else "",
                f"{costs[0].records / costs[0].seconds:,.0f}",
                f"{1e6 / best.records_per_cpu_second:.2f}",
                f"{best.records_per_cpu_second / reference.records_per_cpu_second:.1f}",
                f"{max(cost.peak_rss_mb for cost in costs):.0f}",
            )
            console.print(f"{reader.name}: {costs[0]}")
        console.print(table)


def _readers(server: S3Server, folder: Path, console: Console) -> Iterator[Reader]:
    if tap := _tap_heap(server, folder, console):
        yield Reader(f"tap-heap {tap_heap.VERSION}", lambda prefix: tap.read(STREAM, prefix))
    plain = [sys.executable, "-m", "benchmarks.plain_avro", server.endpoint_url, server.bucket]
    plain.append(f"sync_{_DUMP_ID}/{STREAM}/")
    yield Reader("fastavro + orjson", lambda prefix: measure([*prefix, *plain], server.environment))
    ours = read_command(server, folder)
    yield Reader("source-heap, Python", lambda prefix: measure([*prefix, *ours], {PYTHON_ONLY: "python"}))
    yield Reader("source-heap, compiled", lambda prefix: measure([*prefix, *ours]))
    lines = folder / "lines.jsonl"
    lines.write_bytes(measure(ours, keep=b"").output)
    yield Reader("the pipe: cat of the same lines", lambda prefix: measure([*prefix, "cat", str(lines)]))


def _tap_heap(server: S3Server, folder: Path, console: Console) -> TapHeap | None:
    try:
        return TapHeap(tap_heap.install(), server, folder)
    except PeerUnavailableError as error:
        console.print(f"Skipping tap-heap, because it cannot be installed here: {error}")
        return None


def read_command(server: S3Server, folder: Path) -> list[str]:
    """The command that reads the case's stream; its configuration and catalog are written to a folder."""
    (folder / "config.json").write_text(json.dumps(server.config))
    stream = {"name": STREAM, "json_schema": {"type": "object"}, "supported_sync_modes": ["incremental"]}
    configured = {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append"}
    (folder / "catalog.json").write_text(json.dumps({"streams": [configured]}))
    return [*_OURS, "read", "--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json")]


def write_case(case: Case, directory: Path, server: S3Server) -> int:
    """Write a case to the server's bucket through a temporary directory, and return its size in bytes."""
    files = tuple(
        AvroFile(f"sync_{_DUMP_ID}/{STREAM}/part-{part:05}.avro", case.columns, lambda: ())
        for part in range(case.files)
    )
    (directory / files[0].key).parent.mkdir(parents=True)
    for part, file in enumerate(files):
        case.write(directory / file.key, case.rows_per_file, part)
    size = sum(path.stat().st_size for path in directory.rglob("*.avro"))
    table = TableDump(STREAM, incremental=False, files=files, columns=tuple(case.columns))
    _write_manifest(directory, server.bucket, _DUMP_ID, (table,))
    server.upload(directory)
    shutil.rmtree(directory)
    return size


def _measure_discovery(console: Console) -> None:
    with tempfile.TemporaryDirectory(prefix="heap-benchmark-") as folder, SeaweedS3() as server:
        _discover(Path(folder), server, console)


def _discover(folder: Path, server: SeaweedS3, console: Console) -> None:
    console.print(f"Writing {NIGHTS} nightly dumps of {DISCOVERED_TABLES} tables …")
    write_discovery_data(folder / "bucket", server)
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


def write_discovery_data(directory: Path, server: S3Server, complete: Collection[str] = ()) -> None:
    """Write dumps in which every table gains a column in the middle of the year.

    Only the first and the last file with each set of columns exist, but all files of the `complete` tables do.
    """
    earlier, later = pageview_columns(COLUMNS - 1), pageview_columns(COLUMNS)
    half = NIGHTS // 2
    for night in range(NIGHTS):
        columns = earlier if night < half else later
        tables = []
        for number in range(DISCOVERED_TABLES):
            key = f"sync_{_DUMP_ID + night}/event_{number:03}/part-00000.avro"
            file = AvroFile(key, columns, lambda: ())
            tables.append(TableDump(f"event_{number:03}", night > 0, (file,), tuple(columns)))
            if night in {0, half - 1, half, NIGHTS - 1} or f"event_{number:03}" in complete:
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


if __name__ == "__main__":
    if sys.argv[1] == "discovery":
        _measure_discovery(Console())
    else:
        _measure_reading(CASES[sys.argv[1]], Console())
