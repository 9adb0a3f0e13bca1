"""Rows of an Avro file as record batches with a given schema."""

import io
from typing import Any

import pyarrow as pa
import pytest

from cdp_connectors.json_types import Json
from source_heap.avro.arrow import ColumnError, arrow_type, record_batches
from source_heap.avro.container import ContainerReader
from source_heap.avro.json_schema import table_schema
from unit_tests.source_heap.avro_files import avro_file

NESTED = {"type": "record", "name": "point", "fields": [{"name": "x", "type": "double"}]}


def read(content: bytes, schema: pa.Schema, **arguments: Json) -> list[dict[str, Any]]:
    reader = ContainerReader(io.BytesIO(content))
    batches = list(record_batches(reader.header, reader.blocks(), schema, {"_heap_dump_id": 7}, **arguments))
    return [row for batch in batches for row in batch.to_pylist()]


def schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()])


ROWS = [
    ("boolean", pa.bool_(), True, True),
    ("int", pa.int64(), -5, -5),
    ("long", pa.int64(), 1 << 62, 1 << 62),
    ("float", pa.float64(), 0.5, 0.5),
    ("double", pa.float64(), 1e300, 1e300),
    ("long", pa.float64(), 12, 12.0),
    ("string", pa.large_string(), "é", "é"),
    ("bytes", pa.binary(), b"\x00\xff", b"\x00\xff"),
    ("boolean", pa.string(), True, "true"),
    ("long", pa.string(), 1 << 62, str(1 << 62)),
    ("double", pa.string(), 2.5, "2.5"),
    ("bytes", pa.string(), b"\x00\xff", "AP8="),
    ({"type": "array", "items": "long"}, pa.string(), [1, 2], "[1,2]"),
    ({"type": "map", "values": "string"}, pa.string(), {"a": "b"}, '{"a":"b"}'),
    (NESTED, pa.string(), {"x": 1.5}, '{"x":1.5}'),
    ({"type": "enum", "name": "e", "symbols": ["a", "b"]}, pa.string(), "b", "b"),
    ({"type": "fixed", "name": "f", "size": 2}, pa.binary(), b"ab", b"ab"),
]


@pytest.mark.parametrize(("avro_type", "arrow", "written", "expected"), ROWS)
@pytest.mark.parametrize("fallback", [False, True], ids=["polars", "fastavro"])
def test_values_are_converted_to_the_type_of_the_schema(
    avro_type: Json,
    arrow: pa.DataType,
    written: Json,
    expected: Json,
    *,
    fallback: bool,
) -> None:
    fields: dict[str, Any] = {"value": ["null", avro_type]}
    nested = {"other": {"type": "array", "items": "long"}} if fallback else {}
    rows: list[dict[str, Any]] = [{"value": written}, {"value": None}]
    content = avro_file(fields | nested, [row | ({"other": [1]} if fallback else {}) for row in rows])
    assert [row["value"] for row in read(content, schema(value=arrow))] == [expected, None]


def test_batches_have_exactly_the_columns_of_the_schema() -> None:
    content = avro_file({"a": "long", "b": "string"}, [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    wanted = schema(missing=pa.string(), b=pa.string(), _heap_dump_id=pa.int64())
    assert read(content, wanted) == [
        {"missing": None, "b": "x", "_heap_dump_id": 7},
        {"missing": None, "b": "y", "_heap_dump_id": 7},
    ]
    assert read(content, schema(missing=pa.string())) == [{"missing": None}, {"missing": None}]


@pytest.mark.parametrize(
    ("avro_type", "value", "arrow"),
    [
        ("string", "5", pa.int64()),
        ("double", 1.0, pa.int64()),
        ("long", (1 << 53) + 1, pa.float64()),
        ("long", 1 << 40, pa.int32()),
        ("string", "x", pa.binary()),
        ("long", 1, pa.bool_()),
        ({"type": "array", "items": "long"}, [1], pa.int64()),
    ],
)
def test_a_value_that_does_not_fit_is_reported_with_its_column(
    avro_type: Json, value: Json, arrow: pa.DataType
) -> None:
    content = avro_file({"n": avro_type}, [{"n": value}])
    with pytest.raises(ColumnError, match="column 'n' holds"):
        read(content, schema(n=arrow))


def test_rows_are_filtered_by_time_even_if_time_is_not_a_selected_column() -> None:
    content = avro_file({"n": "long", "time": "string"}, [{"n": n, "time": f"2026-01-0{n}"} for n in (1, 2, 3)])
    assert read(content, schema(n=pa.int64()), keeps=lambda time: time >= "2026-01-02") == [{"n": 2}, {"n": 3}]


def test_arrow_types_follow_the_json_schema() -> None:
    fields = [{"name": "b", "type": "bytes"}, {"name": "l", "type": "long"}, {"name": "a", "type": NESTED}]
    columns = table_schema([{"fields": fields}], ["named"])
    found = {name: arrow_type(column, pa.string()) for name, column in columns.items()}
    assert found == {"b": pa.binary(), "l": pa.int64(), "a": pa.string(), "named": pa.string()}
