"""Rows of an Avro file as columns of JSON values.

polars decodes several times faster than fastavro and releases the GIL, but it only reads complete files, and neither
every type nor every codec. A header with one or more blocks is itself a complete file, so blocks are decompressed and
passed to polars a few at a time, and memory stays flat. fastavro decodes the types that polars cannot; both return the
same values.
"""

import base64
import io
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import fastavro
import orjson
from fastavro.schema import SchemaParseException, UnknownType

from cdp_connectors.json_types import Json
from source_heap.avro.container import Block, ContainerReader, CorruptFileError, Header, groups, uncompressed
from source_heap.avro.frames import frame, polars_reads, scalar_type

Columns = dict[str, list[Any]]
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
    """Consecutive rows as the values of each column, in the file's order of columns."""

    row_count: int
    columns: Columns


class Decoder:
    """Decodes blocks of one file.

    Values are JSON values: bytes and fixed become base64 strings, NaN and infinities null, and everything else is kept,
    including 64-bit integers. Values of `text_columns` become strings.
    """

    def __init__(self, header: Header, text_columns: Collection[str] = ()) -> None:
        self._header = header
        self._polars_reads = polars_reads(header)
        types = {field["name"]: field["type"] for field in header.schema["fields"]}
        conversions = {name: _conversion(avro_type, name in text_columns) for name, avro_type in types.items()}
        self._conversions = {name: convert for name, convert in conversions.items() if convert}

    def decode(self, blocks: Sequence[Block]) -> Iterator[Batch]:
        """The rows of the blocks in order.

        Raises:
            CorruptFileError: a block cannot be decoded, or contains more than its rows; earlier ones have been yielded.
        """
        rows = frame(self._header, blocks) if self._polars_reads else None
        if rows is not None:
            yield self._converted(Batch(rows.height, {column.name: column.to_list() for column in rows.get_columns()}))
            return
        for block in blocks:
            yield self._converted(fastavro_batch(self._header, block))

    def _converted(self, batch: Batch) -> Batch:
        for name, convert in self._conversions.items():
            batch.columns[name] = [convert(value) for value in batch.columns[name]]
        return batch


def decode(stream: BinaryIO, text_columns: Collection[str] = ()) -> Iterator[Batch]:
    """Read an Avro file once, a group of blocks at a time, with the values that `Decoder` describes.

    Raises:
        CorruptFileError: the file, or a block of it, cannot be read; all rows before it have been yielded.
    """
    yield from decode_blocks(ContainerReader(stream), text_columns)


def decode_blocks(reader: ContainerReader, text_columns: Collection[str] = ()) -> Iterator[Batch]:
    """Like `decode`, for a reader that has read the header."""
    decoder = Decoder(reader.header, text_columns)
    for blocks in groups(reader.blocks()):
        yield from decoder.decode(blocks)


def fastavro_batch(header: Header, block: Block) -> Batch:
    """The rows of a block of any types, with the values that fastavro returns.

    Raises:
        CorruptFileError: the block cannot be decompressed or decoded, or is not consumed to its last byte.
    """
    data = uncompressed(block, header.codec)
    stream = io.BytesIO(data)
    try:
        schema = fastavro.parse_schema(header.schema)
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(0, f"the schema is not valid Avro ({type(error).__name__})") from error
    try:
        rows: list[Any] = [fastavro.schemaless_reader(stream, schema, None) for _ in range(block.row_count)]
    except _FASTAVRO_ERRORS as error:
        reason = f"the rows of the block do not match the file's schema ({type(error).__name__})"
        raise CorruptFileError(block.offset, reason) from error
    if surplus := len(data) - stream.tell():
        reason = f"the block contains {surplus} byte(s) beyond the {block.row_count} row(s) that it declares"
        raise CorruptFileError(block.offset, reason)
    columns = {field["name"]: [row[field["name"]] for row in rows] for field in header.schema["fields"]}
    return Batch(block.row_count, columns)


def _conversion(avro_type: Json, as_text: bool) -> Callable[[Any], Any] | None:  # noqa: FBT001 # one caller
    scalar = scalar_type(avro_type)
    if as_text:
        return None if scalar == "string" else as_string
    if scalar in {"float", "double"}:
        return _finite
    return None if scalar and scalar != "bytes" else _as_json


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def _as_json(value: object) -> Json:
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return value


def as_string(value: object) -> str | None:
    """A value as a string: bytes as base64; numbers, booleans and nested values as JSON."""
    value = _as_json(value)
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
