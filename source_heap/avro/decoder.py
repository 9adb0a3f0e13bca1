"""Rows of an Avro file as columns of JSON values.

polars decodes at several times fastavro's speed, without the interpreter's lock, but it reads whole files only, and
neither every type nor every codec. A header with one or more blocks is itself a whole file, so blocks are unpacked
and handed to polars a few at a time, and memory stays flat. fastavro decodes the types that polars cannot; both give
the same values.
"""

import base64
import io
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import fastavro
import orjson

from source_heap.avro.container import Block, ContainerReader, CorruptFileError, Header, uncompressed
from source_heap.avro.frames import frame, polars_reads, scalar_type

Columns = dict[str, list[Any]]
ROWS_PER_BATCH = 2_000
BYTES_PER_BATCH = 1 << 20
_FASTAVRO_ERRORS = (
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    TypeError,
    UnicodeDecodeError,
    ValueError,
)


@dataclass(frozen=True)
class Batch:
    """Some consecutive rows: for each column of the file, in its order, the values."""

    row_count: int
    columns: Columns


def decode(stream: BinaryIO, text_columns: Collection[str] = ()) -> Iterator[Batch]:
    """Read an Avro file once, in batches of about `ROWS_PER_BATCH` rows.

    Values are what JSON can hold: bytes and fixed become base64 text, NaN and infinities null, all else is kept,
    64-bit integers included. Values of `text_columns` become text.

    Raises:
        CorruptFileError: the file, or a block of it, cannot be read; what was read before has been yielded.
    """
    reader = ContainerReader(stream)
    header = reader.header
    types = {field["name"]: field["type"] for field in header.schema["fields"]}
    conversions = {name: convert for name in types if (convert := _conversion(types[name], name in text_columns))}
    for blocks in grouped(reader.blocks(), ROWS_PER_BATCH, BYTES_PER_BATCH):
        for batch in _decoded(header, blocks):
            for name, convert in conversions.items():
                batch.columns[name] = [convert(value) for value in batch.columns[name]]
            yield batch


def grouped(blocks: Iterable[Block], most_rows: int, most_bytes: int) -> Iterator[list[Block]]:
    """Consecutive blocks in lists, each ending with the block by which it reaches one of the two limits."""
    batch: list[Block] = []
    rows = size = 0
    try:
        for block in blocks:
            batch.append(block)
            rows += block.row_count
            size += len(block.data)
            if rows >= most_rows or size >= most_bytes:
                yield batch
                batch, rows, size = [], 0, 0
    except CorruptFileError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _decoded(header: Header, blocks: list[Block]) -> Iterator[Batch]:
    rows = frame(header, blocks) if polars_reads(header) else None
    if rows is not None:
        yield Batch(rows.height, {column.name: column.to_list() for column in rows.get_columns()})
    else:
        yield from (fastavro_batch(header, block) for block in blocks)  # which names the broken one


def fastavro_batch(header: Header, block: Block) -> Batch:
    """The rows of a block of any types, with the values that fastavro gives.

    Raises:
        CorruptFileError: the block cannot be unpacked or decoded, or is not consumed to its last byte.
    """
    data = uncompressed(block, header.codec)
    stream = io.BytesIO(data)
    try:
        schema = fastavro.parse_schema(header.schema)
        rows: list[Any] = [fastavro.schemaless_reader(stream, schema, None) for _ in range(block.row_count)]
    except _FASTAVRO_ERRORS as error:
        reason = f"the block cannot be decoded ({type(error).__name__}: {error})"
        raise CorruptFileError(block.offset, reason) from error
    if surplus := len(data) - stream.tell():
        reason = f"the block holds {surplus} more byte(s) than the {block.row_count} row(s) that it claims"
        raise CorruptFileError(block.offset, reason)
    columns = {field["name"]: [row[field["name"]] for row in rows] for field in header.schema["fields"]}
    return Batch(block.row_count, columns)


def _conversion(avro_type: Any, as_text: bool) -> Callable[[Any], Any] | None:  # noqa: ANN401, FBT001 # JSON value
    scalar = scalar_type(avro_type)
    if as_text:
        return None if scalar == "string" else as_string
    if scalar in {"float", "double"}:
        return _finite
    return None if scalar and scalar != "bytes" else _as_json


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def _as_json(value: Any) -> Any:  # noqa: ANN401 # any Avro value, to any JSON value
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return value


def as_string(value: Any) -> str | None:  # noqa: ANN401 # any Avro value
    """A value as a string: bytes in base64, numbers and booleans as in JSON, nested values as JSON."""
    value = _as_json(value)
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
