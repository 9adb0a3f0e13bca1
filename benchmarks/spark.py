"""Reading a Heap table without Airbyte: `source_heap.scan`, DuckDB's read_avro and Spark, next to `source-heap read`.

All read the same million pageviews of 32 columns. `SPARK=4.1.4` in the environment selects another PySpark version.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.heap import (
    CASES,
    DISCOVERED_TABLES,
    NIGHTS,
    STREAM,
    read_command,
    write_case,
    write_discovery_data,
)
from benchmarks.measure import CommandFailedError, Cost, measure
from benchmarks.peers import PeerUnavailableError, install
from sandbox.heap.s3 import SeaweedS3
from sandbox.heap.s3_server import S3Server

DUCKDB = "1.5.5"
PYSPARK = "4.3.0" if sys.version_info >= (3, 11) else "4.1.4"
EXECUTORS = (1, 2)
_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
"""Modules are compiled once, as in any installation, rather than by each process."""
_DUCKDB_TO_PARQUET = """
import sys
from pathlib import Path
import duckdb, duckdb_extension_avro
(extension,) = Path(duckdb_extension_avro.__file__).parent.rglob("avro.duckdb_extension")
connection = duckdb.connect()
connection.execute(f"LOAD '{extension}'")
connection.execute(f"COPY (FROM read_avro('{sys.argv[1]}/*.avro')) TO '{sys.argv[2]}' (FORMAT parquet)")
"""


def run() -> None:
    """Measure every reader, and print the results."""
    case, console = CASES["pageviews"], Console()
    with tempfile.TemporaryDirectory(prefix="heap-benchmark-") as name, SeaweedS3() as server:
        folder = Path(name)
        console.print(f"Writing {case.rows:,} rows: {case.title} …")
        size = write_case(case, folder / "bucket", server)
        table = Table(title=f"{case.title}: {case.rows:,} rows, {size / 1e6:,.0f} MB of Avro")
        for heading in ("", "rows/s", "CPU s / 1 M rows", "peak RSS MB"):
            table.add_column(heading, justify="right" if heading else "left")
        for reader, cost in [*_processes(server, folder, case.rows, console), *_spark(server, folder, console)]:
            rate = f"{case.rows / cost.seconds:,.0f}"
            rss = f"{cost.peak_rss_mb:.0f}" if cost.peak_rss_mb else ""
            table.add_row(reader, rate, f"{cost.cpu_seconds / case.rows * 1e6:.2f}", rss)
        console.print(table)
    _measure_planning(console)


def _measure_planning(console: Console) -> None:
    """Measure the planning of a query on the driver for one table among many, in a separate process."""
    try:
        python = _spark_python(_version())
    except CommandFailedError:
        return
    with tempfile.TemporaryDirectory(prefix="heap-benchmark-") as folder, SeaweedS3() as server:
        console.print(f"Writing {NIGHTS} nightly dumps of {DISCOVERED_TABLES} tables …")
        write_discovery_data(Path(folder) / "bucket", server, {"event_000"})
        before = server.requests_answered()
        work = json.dumps({**_options(server), "table": "event_000"})
        command = [str(python), "-m", "benchmarks.spark_planning"]
        environment = {**os.environ, **_BYTECODE}
        done = subprocess.run(command, input=work, env=environment, capture_output=True, text=True, check=True)
        asked = server.requests_answered() - before
        seconds, cpu_seconds, rss_mb = json.loads(done.stdout)
        console.print(
            f"Planning one of {DISCOVERED_TABLES} tables in {NIGHTS} dumps: {seconds:.1f} s, {cpu_seconds:.2f} CPU s, "
            f"peak RSS {rss_mb:.0f} MB, {asked['LIST']} LIST, {asked['GET']} GET, {_load()}"
        )


def _processes(server: S3Server, folder: Path, rows: int, console: Console) -> list[tuple[str, Cost]]:
    """Measure the single-process readers, including start-up: the best of three alternating runs."""
    commands = {"source-heap read": read_command(server, folder)}
    scan = [sys.executable, "-m", "benchmarks.scan_to_parquet", str(folder / "config.json"), STREAM]
    commands["scan to Parquet"] = [*scan, str(folder / "scan.parquet")]
    try:
        python = install("duckdb", DUCKDB, f"duckdb-extension-avro=={DUCKDB}") / "python"
        _download(server, folder / "local")
        local, output = str(folder / "local"), str(folder / "duckdb.parquet")
        commands[f"DuckDB {DUCKDB} read_avro to Parquet, local files"] = [
            *(str(python), "-c", _DUCKDB_TO_PARQUET, local, output)
        ]
    except PeerUnavailableError as error:
        console.print(f"Skipping DuckDB's read_avro, because it cannot be installed here: {error}")
    best: dict[str, Cost] = {}
    for _ in range(3):
        for reader, command in commands.items():
            cost = measure(command, _BYTECODE)
            console.print(f"{reader}: {rows:,} rows, {cost.seconds:.1f} s, {cost.cpu_seconds:.2f} CPU s, {_load()}")
            best[reader] = min(cost, best.get(reader, cost), key=lambda cost: cost.cpu_seconds)
    return list(best.items())


def _spark(server: S3Server, folder: Path, console: Console) -> Iterator[tuple[str, Cost]]:
    """Measure Spark on a standalone cluster on this machine, in a session that has already read the table once."""
    version = _version()
    try:
        python = _spark_python(version)
    except CommandFailedError as error:
        console.print(f"Skipping Spark: {error}")
        return
    for executors in EXECUTORS:
        work = {"executors": executors, "options": _options(server), "folder": str(folder / f"spark-{executors}")}
        command = [str(python), "-m", "benchmarks.spark_queries"]
        environment = {**os.environ, **_BYTECODE}
        given = json.dumps(work)
        done = subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CommandFailedError(done.stderr[-2000:])
        for line in done.stdout.splitlines():
            query, seconds, cpu_seconds = json.loads(line)
            named = f"Spark {version}, {executors} executor{'s' * (executors > 1)} of one core, {query}"
            console.print(f"{named}: {seconds:.1f} s, {cpu_seconds:.2f} CPU s, {_load()}")
            yield named, Cost(0, seconds, cpu_seconds, 0, b"")


def _version() -> str:
    return os.environ.get("SPARK", PYSPARK)


def _spark_python(version: str) -> Path:
    command = ["sh", "scripts/spark-venv.sh", sys.prefix, version]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailedError(done.stderr.strip())
    return Path(f"build/spark-{version}/bin/python")


def _options(server: S3Server) -> dict[str, str]:
    return {
        "bucket": server.bucket,
        "endpointUrl": server.endpoint_url,
        "awsAccessKeyId": server.reader.key_id,
        "awsSecretAccessKey": server.reader.secret,
        "table": STREAM,
        "minPartitions": "4",
    }


def _download(server: S3Server, folder: Path) -> None:
    folder.mkdir()
    client = server.client(server.reader)
    listed: Sequence[dict[str, str]] = client.list_objects_v2(Bucket=server.bucket)["Contents"]
    for key in (entry["Key"] for entry in listed if entry["Key"].endswith(".avro")):
        client.download_file(server.bucket, key, str(folder / Path(key).name))


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"
