import base64
import contextlib
import io
import json
import math
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp_connectors.json_types import Json
from source_heap.avro import decoder
from source_heap.avro.container import ContainerReader, CorruptFileError, container, varint
from source_heap.avro.decoder import decode, polars_reads
from unit_tests.source_heap.avro_files import avro_file, record_schema

CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz", "lz4"]
EXTREME = 2**63
ROOT = Path(__file__).parents[2]

ENUM = {"type": "enum", "name": "Enum", "symbols": ["A", "B"]}
FIXED = {"type": "fixed", "name": "Fixed", "size": 3}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-EXTREME, EXTREME - 1) | st.sampled_from([EXTREME - 1, -EXTREME, 2**53 + 1]),
    "float": st.floats(width=32),
    "double": st.floats(),
    "string": TEXT,
    "bytes": st.binary(max_size=20),
}
OTHERS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    ("null", st.none()),
    (ENUM, st.sampled_from(["A", "B"])),
    (FIXED, st.binary(min_size=3, max_size=3)),
    (["null", "long", "string"], st.none() | SCALARS["long"] | TEXT),
    (["string"], TEXT),
    ({"type": "array", "items": "double"}, st.lists(st.floats(), max_size=3)),
    ({"type": "map", "values": "bytes"}, st.dictionaries(TEXT, st.binary(max_size=3), max_size=3)),
]


@st.composite
def columns(draw: st.DrawFn, *, only_scalars: bool) -> tuple[Any, st.SearchStrategy[Any]]:
    if not only_scalars and draw(st.booleans()):
        return draw(st.sampled_from(OTHERS))
    name, values = draw(st.sampled_from(list(SCALARS.items())))
    match draw(st.sampled_from(["plain", "logical", "null first", "null last"])):
        case "plain":
            return name, values
        case "logical":
            return {"type": name, "logicalType": "made-up"}, values
        case "null first":
            return ["null", name], st.none() | values
        case _:
            return [name, "null"], st.none() | values


@st.composite
def tables(draw: st.DrawFn, *, only_scalars: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    drawn = draw(st.lists(columns(only_scalars=only_scalars), min_size=1, max_size=6))
    names = [f"{chr(97 + i)}_column" for i in range(len(drawn))]
    fields, seen = {}, set()
    for name, (avro_type, _) in zip(names, drawn, strict=True):
        defined = avro_type.get("name") if isinstance(avro_type, dict) else None
        fields[name] = defined if defined and defined in seen else avro_type
        seen.add(defined)
    row = st.fixed_dictionaries({name: values for name, (_, values) in zip(names, drawn, strict=True)})
    return fields, draw(st.lists(row, max_size=12))


def rows_of(file: bytes, text_columns: list[str] | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for batch in decode(io.BytesIO(file), text_columns or []):
        assert all(len(values) == batch.row_count for values in batch.columns.values())
        rows += (dict(zip(batch.columns, values, strict=True)) for values in zip(*batch.columns.values(), strict=True))
    return rows


def as_json(value: Json) -> Json:
    """A second implementation of the decoder's contract."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [as_json(item) for item in value]
        case dict():
            return {key: as_json(item) for key, item in value.items()}
        case _:
            return value


@settings(max_examples=150, deadline=None)
@given(table=tables(only_scalars=True), codec=st.sampled_from(CODECS), rows_per_block=st.integers(1, 5))
def test_polars_and_fastavro_return_the_same_values(
    table: tuple[dict[str, Any], list[dict[str, Any]]], codec: str, rows_per_block: int
) -> None:
    fields = {**table[0], "id": "long"}
    rows = [{**row, "id": i} for i, row in enumerate(table[1])]
    file = avro_file(fields, rows, codec, rows_per_block)
    assert polars_reads(ContainerReader(io.BytesIO(file)).header)
    expected = [as_json(row) for row in fastavro.reader(io.BytesIO(avro_file(bare(fields), rows)))]
    assert repr(rows_of(file)) == repr(expected)


@settings(max_examples=150, deadline=None)
@given(table=tables(only_scalars=False), codec=st.sampled_from(CODECS), rows_per_block=st.integers(1, 5))
def test_every_type_is_read_in_every_codec(
    table: tuple[dict[str, Any], list[dict[str, Any]]], codec: str, rows_per_block: int
) -> None:
    fields, rows = table
    expected = [as_json(row) for row in fastavro.reader(io.BytesIO(avro_file(bare(fields), rows)))]
    assert repr(rows_of(avro_file(fields, rows, codec, rows_per_block))) == repr(expected)


@settings(max_examples=50, deadline=None)
@given(table=tables(only_scalars=False))
def test_all_values_are_json(table: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    json.dumps(rows_of(avro_file(*table)), allow_nan=False)


def bare(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: avro_type["type"] if isinstance(avro_type, dict) and "logicalType" in avro_type else avro_type
        for name, avro_type in fields.items()
    }


@pytest.mark.parametrize(
    ("logical", "value"),
    [
        ({"type": "long", "logicalType": "timestamp-micros"}, 1_700_000_000_000_000),
        ({"type": "int", "logicalType": "date"}, 19_000),
        ({"type": "string", "logicalType": "uuid"}, "cb4ff356-33e6-4f0a-8d26-9d1f4f6f0b6c"),
    ],
)
def test_known_logical_types_are_read_as_their_base_type(logical: dict[str, str], value: int | str) -> None:
    reader = ContainerReader(io.BytesIO(avro_file({"x": logical["type"]}, [{"x": value}], "null")))
    blocks = [(block.row_count, [block.data]) for block in reader.blocks()]
    file = container(replace(reader.header, schema=record_schema({"x": logical})), blocks)
    assert rows_of(file) == [{"x": value}]


@pytest.mark.usefixtures("path")
def test_values_of_any_type_become_strings_in_string_columns() -> None:
    fields = {"a": "long", "b": "double", "c": "boolean", "d": ["null", "string"], "e": "bytes", "f": "double"}
    row = {"a": EXTREME - 1, "b": 1.5, "c": True, "d": None, "e": b"\x00", "f": float("nan")}
    expected = {"a": str(EXTREME - 1), "b": "1.5", "c": "true", "d": None, "e": "AA==", "f": None}
    assert rows_of(avro_file(fields, [row]), list(fields)) == [expected]


def test_a_union_of_types_becomes_a_string_on_request() -> None:
    rows = [{"a": 1}, {"a": "x"}, {"a": None}]
    assert rows_of(avro_file({"a": ["null", "long", "string"]}, rows), ["a"]) == [{"a": "1"}, {"a": "x"}, {"a": None}]


FIELDS = {"id": "long", "text": ["null", "string"]}
ROWS = [{"id": i, "text": f"text {i}" * 5} for i in range(40)]


def blocks_of(file: bytes) -> list[int]:
    return [block.offset for block in ContainerReader(io.BytesIO(file)).blocks()]


def broken(file: bytes) -> tuple[list[dict[str, Any]], CorruptFileError]:
    rows: list[dict[str, Any]] = []
    try:
        for batch in decode(io.BytesIO(file)):
            rows += [
                dict(zip(batch.columns, values, strict=True)) for values in zip(*batch.columns.values(), strict=True)
            ]
    except CorruptFileError as error:
        return rows, error
    pytest.fail("the damage was not detected")


WITHOUT_CODECS = """
import sys
sys.modules.update(dict.fromkeys(["lz4", "lz4.block", "snappy", "zstandard", "backports.zstd", "pyzstd"]))
from source_heap.avro.decoder import decode
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        print(sum(batch.row_count for batch in decode(file, [])))
"""


def test_no_codec_needs_an_optional_package_of_fastavro(tmp_path: Path) -> None:
    files = [tmp_path / f"{codec}-{kind}.avro" for codec in CODECS for kind in ("scalar", "array")]
    for file in files:
        codec, kind = file.stem.split("-")
        column = "long" if kind == "scalar" else {"type": "array", "items": "long"}
        rows = [{"a": number if kind == "scalar" else [number]} for number in range(100)]
        file.write_bytes(avro_file({"a": column}, rows, codec))

    command = [sys.executable, "-c", WITHOUT_CODECS, *map(str, files)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert finished.stdout.split() == ["100"] * len(files), finished.stderr


@pytest.mark.parametrize("codec", CODECS)
def test_a_truncated_file_yields_its_complete_blocks_and_reports_the_broken_one(codec: str) -> None:
    file = avro_file(FIELDS, ROWS, codec, rows_per_block=10)
    offsets = blocks_of(file)
    rows, error = broken(file[: offsets[2] + 20])
    assert rows == ROWS[:20]
    assert error.offset == offsets[2]


@pytest.fixture(params=["polars", "fastavro"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "fastavro":
        monkeypatch.setattr(decoder, "polars_reads", lambda _: False)


def flipped(file: bytes, bits: Iterable[int]) -> Iterator[bytes]:
    """The file once for each of these bits, with that bit flipped."""
    for bit in bits:
        changed = bytearray(file)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


@pytest.mark.usefixtures("path")
def test_no_flipped_bit_of_a_snappy_block_goes_unnoticed() -> None:
    file = avro_file(FIELDS, ROWS, "snappy", rows_per_block=10)
    offsets = blocks_of(file)
    for i, (start, end) in enumerate(pairwise([*offsets, len(file)])):
        for changed in flipped(file, range(8 * start, 8 * end)):
            rows, error = broken(changed)
            assert rows == ROWS[: 10 * i]
            assert error.offset == start


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("codec", CODECS)
def test_no_flipped_bit_of_a_row_count_goes_unnoticed(codec: str) -> None:
    """No codec's checksum covers the count. A block of one row also shows a count that becomes zero."""
    file = avro_file(FIELDS, ROWS[:12], codec, rows_per_block=1)
    for i, offset in enumerate(blocks_of(file)):
        for changed in flipped(file, range(8 * offset, 8 * offset + 8)):
            rows, error = broken(changed)
            assert rows == ROWS[:i]
            assert error.offset == offset


@given(codec=st.sampled_from(CODECS), data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_flipped_bit_never_causes_another_kind_of_error(codec: str, data: st.DataObject) -> None:
    """Only Snappy has a checksum; with other codecs a wrong value may go unnoticed, but a broken block is reported."""
    file = bytearray(avro_file(FIELDS, ROWS, codec, rows_per_block=10))
    position = data.draw(st.integers(blocks_of(bytes(file))[0], len(file) - 1))
    file[position] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(CorruptFileError):
        list(decode(io.BytesIO(bytes(file))))


@pytest.mark.parametrize(
    "broken_rows", [b"\x02\x02\x04\xff\xfe", b"\x02\x02\x7f", b"", b"\x02\x02\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
)
def test_undecodable_rows_are_reported_with_their_block(broken_rows: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    good = avro_file(FIELDS, ROWS[:3], "null")
    sync = good[-16:]
    file = good + b"\x02" + bytes([len(broken_rows) * 2]) + broken_rows + sync
    _, error = broken(file)
    assert error.offset == len(good)
    capfd.readouterr()  # polars prints its own notice about an impossible length


@pytest.mark.parametrize(
    "content", [b"", b"Obj", b"<Error/>" * 10, b"Obj\x01\x00" + bytes(16), b"Obj\x01" + b"\xff" * 20]
)
def test_other_content_than_avro_is_rejected(content: bytes) -> None:
    with pytest.raises(CorruptFileError) as caught:
        ContainerReader(io.BytesIO(content))
    assert caught.value.offset == 0


@pytest.mark.parametrize("length", [2**33, 2**50, 2**62])
@pytest.mark.parametrize("before", [b"Obj\x01\x02", b"Obj\x01\x02\x02a"], ids=["name", "value"])
def test_an_impossible_length_in_a_header_is_a_corrupt_file(before: bytes, length: int, tmp_path: Path) -> None:
    file = tmp_path / "part.avro"
    file.write_bytes(before + varint(length) + bytes(100))

    with file.open("rb") as stream, pytest.raises(CorruptFileError, match="unexpected end of file"):
        ContainerReader(stream)


def test_the_metadata_of_a_header_may_declare_its_size() -> None:
    """A negative count is followed by the number of bytes, so that a reader can skip the entries."""
    file = avro_file(FIELDS, ROWS, "null")
    end = file.index(b"\x00" + file[-16:])
    assert file[4:5] == varint(2)
    sized = file[:4] + varint(-2) + varint(end - 5) + file[5:]
    assert rows_of(sized) == ROWS


def test_a_block_that_is_longer_than_one_read_is_complete() -> None:
    header = ContainerReader(io.BytesIO(avro_file({"a": "bytes"}, [], "null"))).header
    data = bytes(2**24) + b"the end"
    (block,) = ContainerReader(io.BytesIO(container(header, [(1, [data])]))).blocks()
    assert block.data == data


@pytest.mark.usefixtures("path")
def test_an_impossible_row_count_is_a_corrupt_block() -> None:
    good = avro_file(FIELDS, ROWS[:3], "null")
    (block,) = ContainerReader(io.BytesIO(good)).blocks()
    rows, error = broken(good + varint(2**40) + varint(len(block.data)) + block.data + good[-16:])
    assert rows == ROWS[:3]
    assert error.offset == len(good)


def test_an_unknown_codec_is_rejected() -> None:
    file = avro_file(FIELDS, ROWS, "null").replace(b"avro.codec\x08null", b"avro.codec\x08rot9")
    with pytest.raises(CorruptFileError, match="unsupported codec 'rot9'"):
        ContainerReader(io.BytesIO(file))


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("long", "the schema is not a record"),
        ({"type": "record", "fields": []}, "the schema's record has no name"),
        ({"type": "record", "name": 1, "fields": []}, "the schema's record has no name"),
        ({"type": "record", "name": "r"}, "the schema has no list of fields"),
        ({"type": "record", "name": "r", "fields": [1]}, "a field of the schema has no name or no type"),
        ({"type": "record", "name": "r", "fields": [{"name": "a"}]}, "a field of the schema has no name or no type"),
        ({"type": "record", "name": "r", "fields": [{"type": "long"}]}, "a field of the schema has no name or no type"),
        (
            {"type": "record", "name": "r", "fields": [{"name": "a", "type": ["null", {"a": 1}]}]},
            "a field of the schema has no name or no type",
        ),
        ({"type": "record", "name": "r", "fields": [{"name": "a", "type": "unheard"}]}, "the schema is not valid Avro"),
        ({"type": "record", "name": "r", "fields": [{"name": "a", "type": {"type": "enum"}}]}, "is not valid Avro"),
    ],
)
def test_a_header_without_a_usable_schema_is_a_corrupt_file(schema: Json, message: str) -> None:
    header = replace(ContainerReader(io.BytesIO(avro_file({"a": "long"}, [{"a": 1}], "null"))).header, schema=schema)
    with pytest.raises(CorruptFileError, match=message) as caught:
        list(decode(io.BytesIO(container(header, [(1, [b"\x02"])]))))
    assert caught.value.offset == 0
