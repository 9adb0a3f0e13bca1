"""The lines of both encoders, compared with those that the CDK writes for the same records."""

import io
import os
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import orjson
import pytest
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, AirbyteRecordMessage, Type

from source_heap import native
from source_heap.avro import lines
from source_heap.avro.container import ContainerReader, CorruptFileError, container, varint
from source_heap.avro.decoder import decode
from source_heap.avro.lines import TableFormat, encoded_lines
from source_heap.rows import StartDateFilter, records, select
from unit_tests.source_heap.avro_files import avro_file
from unit_tests.source_heap.hostile_files import HostileFile, corrupted, hostile_file

STREAM = 'päge"views'
ADDED = {"_heap_dump_id": 1000, "_heap_file": 'sync_1000/é "x"/part-0.avro'}
START = StartDateFilter("2020-01-01T00:00:00Z")
FILES = int(os.environ.get("HOSTILE_FILES", "300"))
EMITTED_AT = re.compile(rb'"emitted_at":\d+}}$')

Read = tuple[list[bytes], int, tuple[int, str] | None]


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def read_lines(file: bytes, table: TableFormat, pool: ThreadPoolExecutor) -> Read:
    """The lines without `emitted_at`, the number of rows without a key, and the error."""
    found: list[bytes] = []
    keyless = 0
    try:
        for encoded in encoded_lines(ContainerReader(io.BytesIO(file)), table, ADDED, pool):
            *complete, rest = encoded.data.split(b"\n")
            assert rest == b""
            assert len(complete) == encoded.count
            found += (EMITTED_AT.sub(b"", line) for line in complete)
            keyless += encoded.keyless
    except CorruptFileError as error:
        return found, keyless, (error.offset, error.reason)
    return found, keyless, None


def read_records(file: bytes, table: TableFormat) -> Read:
    """The same from records that the CDK serializes."""
    found: list[bytes] = []
    keyless = 0
    try:
        for batch in decode(io.BytesIO(file), table.text_columns):
            kept, left_out = select(batch, table.start, table.key)
            keyless += left_out
            for record in records(batch, ADDED, kept):
                message = AirbyteRecordMessage(stream=STREAM, data=record, emitted_at=1)
                line = orjson.dumps(AirbyteMessageSerializer.dump(AirbyteMessage(type=Type.RECORD, record=message)))
                found.append(EMITTED_AT.sub(b"", line))
    except CorruptFileError as error:
        return found, keyless, (error.offset, error.reason)
    return found, keyless, None


def table_of(file: HostileFile, seed: int) -> TableFormat:
    start = START if seed % 2 else None
    return TableFormat(STREAM, file.text_columns, start, file.key)


@pytest.fixture(params=["compiled", "python"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(lines, "describe", lambda *_, **__: None)
    elif not native.is_available():
        pytest.skip("the encoder is not compiled here")


@pytest.mark.parametrize("damage", ["none", "some"])
@pytest.mark.usefixtures("encoder")
def test_lines_are_identical_to_those_of_the_cdk(damage: str, pool: ThreadPoolExecutor) -> None:
    first = random.randrange(10**9)  # noqa: S311 # a failure names its seed
    for seed in range(first, first + FILES):
        file = hostile_file(seed)
        content = corrupted(file.content, seed) if damage == "some" else file.content
        table = table_of(file, seed)
        assert read_lines(content, table, pool) == read_records(content, table), f"seed {seed}"


@pytest.mark.usefixtures("encoder")
def test_rows_of_a_file_without_the_key_are_skipped_and_counted(pool: ThreadPoolExecutor) -> None:
    content = avro_file({"color": "string"}, [{"color": "red"}, {"color": "blue"}])
    assert read_lines(content, TableFormat(STREAM, key=["event_id"]), pool) == ([], 2, None)


@pytest.mark.usefixtures("encoder")
@pytest.mark.parametrize("name", [{"name": "shades.color"}, {"name": "color", "namespace": "shades"}], ids=str)
def test_types_in_a_namespace_are_resolved(name: dict[str, str], pool: ThreadPoolExecutor) -> None:
    fields = {"a": {"type": "enum", "symbols": ["red"], **name}, "b": "shades.color"}
    found = read_lines(avro_file(fields, [{"a": "red", "b": "red"}]), TableFormat(STREAM), pool)
    assert found == read_records(avro_file(fields, [{"a": "red", "b": "red"}]), TableFormat(STREAM))
    assert b'"a":"red","b":"red"' in found[0][0]


@pytest.mark.usefixtures("encoder")
def test_a_union_inside_a_union_is_read(pool: ThreadPoolExecutor) -> None:
    header = ContainerReader(io.BytesIO(avro_file({"a": "long"}, [], "null"))).header
    schema = {**header.schema, "fields": [{"name": "a", "type": ["null", ["long", "string"]]}]}
    content = container(replace(header, schema=schema), [(1, [varint(1), varint(0), varint(7)])])
    found = read_lines(content, TableFormat(STREAM), pool)
    assert found == read_records(content, TableFormat(STREAM))
    assert b'"a":7' in found[0][0]
