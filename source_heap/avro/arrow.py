"""Rows of an Avro file as Arrow record batches."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa

from cdp_connectors.json_types import Json
from source_heap.avro.container import Block, Header, groups
from source_heap.avro.decoder import as_string, fastavro_batch
from source_heap.avro.frames import frame, polars_reads
from source_heap.avro.json_schema import JsonSchema
from source_heap.errors import ConfigError
from source_heap.rows import TIME_COLUMN

ROWS_PER_BATCH = 8_000
BYTES_PER_BATCH = 1 << 20
_TYPES = {"boolean": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}
_WIDENED = (
    (pa.types.is_integer, pa.types.is_integer),
    (pa.types.is_integer, pa.types.is_floating),
    (pa.types.is_floating, pa.types.is_floating),
    (pa.types.is_binary, pa.types.is_binary),
    (pa.types.is_large_binary, pa.types.is_binary),
    (pa.types.is_large_string, pa.types.is_string),
    (pa.types.is_null, lambda _: True),
)
Column: TypeAlias = Sequence[Any] | pa.Array


class ColumnError(ConfigError):
    """A column of a file does not fit the schema of its table; the message names the column."""


def arrow_type(json_schema: JsonSchema, string_type: pa.DataType) -> pa.DataType:
    """The Arrow type of a column: bool, int64, float64, binary; anything else, nested values included, is a string."""
    if json_schema.get("contentEncoding") == "base64":
        return pa.binary()
    return _TYPES.get(json_schema["type"][1], string_type)


def record_batches(
    header: Header,
    blocks: Iterable[Block],
    schema: pa.Schema,
    constants: Mapping[str, Json],
    *,
    keeps: Callable[[Any], bool] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of blocks as batches of exactly this schema, each of about `ROWS_PER_BATCH` rows.

    Columns that the file lacks are null, and columns that the schema lacks are dropped. In string columns, bytes are
    base64, and numbers, booleans and nested values are JSON.

    Args:
        header: the header of the file.
        blocks: blocks of the file.
        schema: the columns to read.
        constants: columns that have one value for the whole file, by name.
        keeps: decides by a row's `time` whether the row is yielded; ignored if the file has no such column.

    Raises:
        CorruptFileError: a block cannot be read; all rows before it have been yielded.
        ColumnError: a column of the file has a type, or a value, that the schema's type cannot hold.
    """
    present = {field["name"] for field in header.schema["fields"]}
    filters = keeps is not None and TIME_COLUMN in present
    wanted = present & {*schema.names, *({TIME_COLUMN} if filters else ())}
    for group in groups(blocks, ROWS_PER_BATCH, BYTES_PER_BATCH):
        for row_count, columns in _decoded(header, group, wanted):
            arrays = [_array(columns, field, row_count, constants) for field in schema]
            batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
            if keeps is not None and filters:
                batch = batch.filter(pa.array(map(keeps, _values(columns[TIME_COLUMN])), pa.bool_()))
            yield batch


def _decoded(
    header: Header, blocks: list[Block], columns: Collection[str]
) -> Iterator[tuple[int, Mapping[str, Column]]]:
    rows = frame(header, blocks, columns) if polars_reads(header) else None
    if rows is not None:
        row_count = sum(block.row_count for block in blocks)
        yield row_count, {column.name: column.to_arrow() for column in rows.get_columns()}
        return
    for block in blocks:
        batch = fastavro_batch(header, block)
        yield batch.row_count, batch.columns


def _array(columns: Mapping[str, Column], field: pa.Field, row_count: int, constants: Mapping[str, Json]) -> pa.Array:
    if field.name in constants:  # with polars, because pyarrow imports pandas when it first converts a Python value
        values: Column | None = pl.Series([constants[field.name]]).new_from_index(0, row_count).to_arrow()
    else:
        values = columns.get(field.name)
    if values is None:
        return pa.nulls(row_count, field.type)
    try:
        return _converted(values, field.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        found = values.type if isinstance(values, pa.Array) else "a value"
        reason = f"column '{field.name}' holds {found} where the table's schema has {field.type}"
        raise ColumnError(f"{reason}. Read the table again to refresh its schema.") from error


def _converted(values: Column, target: pa.DataType) -> pa.Array:
    is_string = pa.types.is_string(target) or pa.types.is_large_string(target)
    if not isinstance(values, pa.Array):
        return pa.array([as_string(value) for value in values] if is_string else values, target)
    if values.type == target:
        return values
    if any(is_source(values.type) and is_target(target) for is_source, is_target in _WIDENED):
        return values.cast(target)
    if not is_string:
        raise TypeError(f"{values.type} is not {target}")
    if pa.types.is_integer(values.type):
        return values.cast(target)
    return pa.array(map(as_string, values.to_pylist()), target)


def _values(column: Column) -> Sequence[Any]:
    values: Sequence[Any] = column.to_pylist() if isinstance(column, pa.Array) else column
    return values
