"""Rows of Avro blocks as polars frames."""

import io
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from cdp_connectors.json_types import Json
from source_heap.avro.container import Block, CorruptFileError, Header, container, uncompressed, varint

_SCALARS = {"boolean", "int", "long", "float", "double", "string", "bytes"}
_RECOGNIZABLE = {"int", "long", "double", "string", "bytes"}


def polars_reads(header: Header) -> bool:
    """True if polars decodes all columns: scalars, nullable or not, at least one of which can mark a closing row."""
    scalars = {scalar_type(field["type"]) for field in header.schema["fields"]}
    return None not in scalars and not scalars.isdisjoint(_RECOGNIZABLE)


def scalar_type(avro_type: Json) -> str | None:
    """The type of a column of scalars, nullable or not; None for a column of any other type."""
    if isinstance(avro_type, list):
        branches = [branch for branch in avro_type if branch != "null"]
        return scalar_type(branches[0]) if len(avro_type) == 2 and len(branches) == 1 else None  # noqa: PLR2004 # a type and null
    if isinstance(avro_type, dict):
        avro_type = avro_type.get("type")
    return avro_type if isinstance(avro_type, str) and avro_type in _SCALARS else None


def frame(header: Header, blocks: Sequence[Block], columns: Collection[str] | None = None) -> pl.DataFrame | None:
    """The rows of the blocks, or None if one of them is corrupt or contains more bytes than its declared rows.

    polars ignores bytes after the declared number of rows, and no checksum covers that number. The blocks are therefore
    passed to it as one block, closed by an extra row that no file contains, and that row must be the last one decoded.

    Args:
        header: the header of the blocks' file, for which `polars_reads` is true.
        blocks: consecutive blocks of one file.
        columns: the columns to read, since fewer are faster; all by default.
    """
    closing = _ClosingRow.of(header)
    try:
        unpacked = [uncompressed(block, header.codec) for block in blocks]
    except CorruptFileError:
        return None
    row_count = sum(block.row_count for block in blocks)
    if row_count > sum(map(len, unpacked)):  # polars would allocate memory for all of them
        return None
    file = container(header, [(row_count + 1, [*unpacked, closing.data])])
    wanted = [name for name in closing.values if columns is None or name in columns]
    projection = None if columns is None else list({*wanted, _recognizable_column(header)})
    try:
        rows = pl.read_avro(io.BytesIO(file), columns=projection)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None
    if rows.height != row_count + 1 or any(rows.get_column(name)[-1] != closing.values[name] for name in rows.columns):
        return None
    rows = rows.head(row_count)
    return rows if columns is None else pl.DataFrame([rows.get_column(name) for name in wanted])  # select has patterns


def _recognizable_column(header: Header) -> str:
    return next(str(field["name"]) for field in header.schema["fields"] if scalar_type(field["type"]) in _RECOGNIZABLE)


@dataclass(frozen=True)
class _ClosingRow:
    """A row made from the file's sync marker, sixteen random bytes that by design occur nowhere else in the file."""

    data: bytes
    values: Mapping[str, Any]

    @classmethod
    def of(cls, header: Header) -> "_ClosingRow":
        data, values = b"", {}
        for field in header.schema["fields"]:
            avro_type = field["type"]
            encoded, values[field["name"]] = _encoded(scalar_type(avro_type), header.sync)
            if isinstance(avro_type, list):
                data += varint(1 - avro_type.index("null"))
            data += encoded
        return cls(data, values)


def _encoded(scalar: str | None, sync: bytes) -> tuple[bytes, Any]:
    number = int.from_bytes(sync[: 4 if scalar == "int" else 8], "little", signed=True)
    values: dict[str | None, tuple[bytes, Any]] = {
        "boolean": (b"\x01", True),
        "int": (varint(number), number),
        "long": (varint(number), number),
        "float": (struct.pack("<f", 1.5), 1.5),
        "double": (struct.pack("<d", number / 7), number / 7),
        "string": (varint(2 * len(sync)) + sync.hex().encode(), sync.hex()),
        "bytes": (varint(len(sync)) + sync, sync),
    }
    return values[scalar]
