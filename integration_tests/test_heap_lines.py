"""Encoded lines in real processes: both encoders, every table, a large file, a broken block, a stalled reader."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from integration_tests.rows import comparable
from sandbox.airbyte import BulkCdkLike, Connector, configured, run_sync
from sandbox.airbyte.process import ConnectorProcess
from sandbox.clock import Clock
from sandbox.heap.bucket import heap_bucket
from sandbox.heap.bulk import write_large_dump
from sandbox.heap.s3 import SeaweedS3
from source_heap import native
from source_heap.avro.container import ContainerReader

ROWS = 60_000
MOST_RSS_MB = 300


@pytest.fixture(params=["compiled", "python"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "python":
        monkeypatch.setenv(native.PYTHON_ONLY, "python")
    elif not native.is_available():
        pytest.skip("the encoder is not compiled here")
    return str(request.param)


@pytest.mark.usefixtures("encoder")
def test_a_strict_platform_gets_every_row_of_every_table() -> None:
    """The bucket is named as by Contentsquare; on the second day, a table's initial sync is a separate dump."""
    clock = Clock()
    with heap_bucket(clock, scale=0.2, server=SeaweedS3, name="csq-rs3-sandbox") as bucket:
        source = Connector("source_heap", bucket.config)
        first = run_sync(source, BulkCdkLike(), configured(source.discover()))
        assert first.status == "succeeded"
        for table in bucket.world.tables:
            assert comparable(first.records.get(table, [])) == comparable(bucket.world.expected(table)), table
        clock.advance(timedelta(days=1))
        bucket.sync()
        second = run_sync(source, BulkCdkLike(), configured(source.discover()), first.state_list())
        assert second.status == "succeeded"
        initial = second.records["support_chat_opened"]
        assert comparable(initial) == comparable(bucket.world.expected("support_chat_opened"))
        assert len({row["_heap_dump_id"] for row in second.records["pageviews"]} | {initial[0]["_heap_dump_id"]}) > 1


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SeaweedS3, Path]]:
    """A bucket with one file of long rows, and the folder from which it was uploaded."""
    folder = tmp_path_factory.mktemp("large")
    with SeaweedS3() as server:
        write_large_dump(folder, server.bucket, files=1, rows=ROWS)
        server.upload(folder)
        yield server, folder


def start(server: SeaweedS3) -> ConnectorProcess:
    stream = {"name": "pageviews", "json_schema": {"type": "object"}, "supported_sync_modes": ["incremental"]}
    catalog = {"streams": [{"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append"}]}
    return Connector("source_heap", server.config).start("read", config=server.config, catalog=catalog)


def put(server: SeaweedS3, key: Path, content: bytes) -> None:
    server.client(server.writer).put_object(Bucket=server.bucket, Key=key.as_posix(), Body=content)


def messages(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in lines)


def test_the_rows_of_a_large_file_arrive_in_order(large: tuple[SeaweedS3, Path], encoder: str) -> None:
    server, _ = large
    with start(server) as process:
        found = list(messages(process.lines()))
    rows = [message["record"]["data"] for message in found if message["type"] == "RECORD"]
    states = [message["state"]["sourceStats"]["recordCount"] for message in found if message["type"] == "STATE"]
    logs = [message["log"]["message"] for message in found if message["type"] == "LOG"]
    assert len(rows) == ROWS
    assert [row["event_id"] for row in rows[:1000]] == [row["event_id"] for row in rows[20_000:21_000]]
    assert states[0] == ROWS
    assert sum(states) == ROWS
    assert f"Read {ROWS} records from pageviews stream" in logs
    assert any("compiled code" in log for log in logs) == (encoder == "compiled")


@pytest.mark.usefixtures("encoder")
def test_memory_does_not_grow_while_the_reader_stalls(large: tuple[SeaweedS3, Path]) -> None:
    server, _ = large
    with start(server) as process:
        assert any(b'"RECORD"' in line for line in process.lines())
        time.sleep(4)
        process.close_output()
        assert process.wait(30) == 141
        assert 0 < process.peak_memory_mb < MOST_RSS_MB


@pytest.mark.usefixtures("encoder")
def test_a_broken_block_emits_exactly_the_rows_before_it(large: tuple[SeaweedS3, Path]) -> None:
    server, folder = large
    [path] = folder.rglob("*.avro")
    whole = path.read_bytes()
    with path.open("rb") as stream:
        blocks = list(ContainerReader(stream).blocks())
    broken = len(blocks) // 2
    damaged = bytearray(whole)
    damaged[blocks[broken].offset + 1000] ^= 1
    put(server, path.relative_to(folder), bytes(damaged))
    try:
        with start(server) as process:
            found = list(messages(process.lines()))
            exit_code = process.wait()
    finally:
        put(server, path.relative_to(folder), whole)
    assert exit_code == 1
    assert sum(m["type"] == "RECORD" for m in found) == sum(block.row_count for block in blocks[:broken])
    errors = [m["trace"]["error"]["message"] for m in found if m["type"] == "TRACE" and "error" in m["trace"]]
    assert f"byte {blocks[broken].offset}: the block" in errors[0]
    assert "Table 'pageviews', dump 1000, file 'sync_1000/pageviews/part-00000.avro'" in errors[0]
