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
import polars as pl

from source_heap.avro.container import Block, ContainerReader, CorruptFileError, Header, container, uncompressed

Columns = dict[str, list[Any]]
ROWS_PER_BATCH = 2_000
BYTES_PER_BATCH = 1 << 20
_SCALARS = {"boolean", "int", "long", "float", "double", "string", "bytes"}
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
    decode_batch = _decode_with_polars if polars_reads(header) else _decode_with_fastavro
    types = {field["name"]: field["type"] for field in header.schema["fields"]}
    conversions = {name: convert for name in types if (convert := _conversion(types[name], name in text_columns))}
    for blocks in _batches(reader.blocks()):
        columns = decode_batch(header, blocks)
        for name, convert in conversions.items():
            columns[name] = [convert(value) for value in columns[name]]
        yield Batch(sum(block.row_count for block in blocks), columns)


def polars_reads(header: Header) -> bool:
    """Whether polars decodes the columns of this file: scalars, null or not."""
    fields = header.schema["fields"]
    return bool(fields) and all(_scalar_type(field["type"]) for field in fields)


def _scalar_type(avro_type: Any) -> str | None:  # noqa: ANN401 # a schema is any JSON value
    if isinstance(avro_type, list):
        branches = [branch for branch in avro_type if branch != "null"]
        return _scalar_type(branches[0]) if len(avro_type) == 2 and len(branches) == 1 else None  # noqa: PLR2004
    if isinstance(avro_type, dict):
        avro_type = avro_type.get("type")
    return avro_type if isinstance(avro_type, str) and avro_type in _SCALARS else None


def _batches(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    batch: list[Block] = []
    rows = size = 0
    try:
        for block in blocks:
            batch.append(block)
            rows += block.row_count
            size += len(block.data)
            if rows >= ROWS_PER_BATCH or size >= BYTES_PER_BATCH:
                yield batch
                batch, rows, size = [], 0, 0
    except CorruptFileError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _decode_with_polars(header: Header, blocks: list[Block]) -> Columns:
    file = container(header, [(block.row_count, uncompressed(block, header.codec)) for block in blocks])
    try:
        frame = pl.read_avro(io.BytesIO(file))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return _decode_with_fastavro(header, blocks)  # which names the block that is broken
    return {column.name: column.to_list() for column in frame.get_columns()}


def _decode_with_fastavro(header: Header, blocks: list[Block]) -> Columns:
    rows: list[Any] = []
    for block in blocks:
        file = container(header, [(block.row_count, uncompressed(block, header.codec))])
        try:
            rows.extend(fastavro.reader(io.BytesIO(file)))
        except _FASTAVRO_ERRORS as error:
            reason = f"the block cannot be decoded ({type(error).__name__}: {error})"
            raise CorruptFileError(block.offset, reason) from error
    return {field["name"]: [row[field["name"]] for row in rows] for field in header.schema["fields"]}


def _conversion(avro_type: Any, as_text: bool) -> Callable[[Any], Any] | None:  # noqa: ANN401, FBT001 # JSON value
    scalar = _scalar_type(avro_type)
    if as_text:
        return None if scalar == "string" else _as_text
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


def _as_text(value: Any) -> str | None:  # noqa: ANN401 # any Avro value
    value = _as_json(value)
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
