"""The structure of an Avro object container file: a header, then blocks of rows, each closed by the sync marker.

https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import cramjam

from cdp_connectors.json_types import Json
from source_heap.errors import ConfigError

MAGIC = b"Obj\x01"
SYNC_SIZE = 16
ROWS_PER_GROUP = 2_000
BYTES_PER_GROUP = 1 << 20
_LONGEST_VARINT = 10
_LONGEST_READ = 1 << 24
"""Streams may allocate the size requested, and a corrupt length can be any number: reads beyond this are split."""
_CHECKSUM_SIZE = 4
_DECOMPRESS = {
    "bzip2": cramjam.bzip2.decompress,
    "deflate": cramjam.deflate.decompress,
    "lz4": cramjam.lz4.decompress_block,
    "snappy": cramjam.snappy.decompress_raw,
    "xz": cramjam.xz.decompress,
    "zstandard": cramjam.zstd.decompress,
}


class CorruptFileError(ConfigError):
    """The bytes are not an Avro file, or are truncated or damaged.

    `offset` is the byte offset from which the file cannot be read: the start of a block, or of the header (0).
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason} (in the header or block at byte {offset})")
        self.offset = offset
        self.reason = reason


@dataclass(frozen=True)
class Header:
    """The header of a file, which describes its blocks. `schema` is the writer's schema without logical types."""

    schema: Any
    codec: str
    sync: bytes


@dataclass(frozen=True)
class Block:
    """The rows between two sync markers. `data` is as stored in the file, compressed with the file's codec."""

    offset: int
    row_count: int
    data: bytes


class ContainerReader:
    """Reads a container file from a stream in one pass, a block at a time.

    `stream.read(n)` must return fewer than n bytes only at the end of the file.
    """

    def __init__(self, stream: BinaryIO, header: Header | None = None, offset: int = 0) -> None:
        """Read the header, unless it is known.

        Args:
            stream: the bytes of the file, from its beginning, or from the beginning of a block.
            header: the header of the file if the stream begins after it.
            offset: the offset in the file at which the stream begins.

        Raises:
            CorruptFileError: the header is not an Avro header, or is truncated.
        """
        self._stream = stream
        self._offset = offset
        self._start = offset
        self.header = header or self._read_header()

    def blocks(self) -> Iterator[Block]:
        """The file's blocks in order, including those that declare no rows.

        Raises:
            CorruptFileError: the file ends within a block, or a block does not end with the sync marker.
        """
        while first := self._stream.read(1):
            self._start = self._offset
            self._offset += 1
            row_count = self._varint(first)
            data = self._bytes()
            if self._take(SYNC_SIZE) != self.header.sync:
                raise CorruptFileError(self._start, "the block does not end with the file's sync marker")
            if row_count < 0:
                raise CorruptFileError(self._start, "the block declares a negative number of rows")
            yield Block(self._start, row_count, data)

    def _read_header(self) -> Header:
        if self._take(len(MAGIC)) != MAGIC:
            raise CorruptFileError(0, "missing Avro magic bytes")
        metadata: dict[str, bytes] = {}
        while count := self._varint():
            if count < 0:
                self._varint()
            for _ in range(abs(count)):
                name = self._bytes().decode(errors="replace")
                metadata[name] = self._bytes()
        try:
            schema = json.loads(metadata["avro.schema"])
        except (KeyError, ValueError) as error:
            raise CorruptFileError(0, "the header contains no valid schema") from error
        if fault := _schema_fault(schema):
            raise CorruptFileError(0, fault)
        codec = metadata.get("avro.codec", b"null").decode(errors="replace")
        if codec != "null" and codec not in _DECOMPRESS:
            raise CorruptFileError(0, f"unsupported codec '{codec}'")
        return Header(without_logical_types(schema), codec, self._take(SYNC_SIZE))

    def _take(self, size: int) -> bytes:
        data = self._stream.read(min(size, _LONGEST_READ))
        while len(data) < size and (more := self._stream.read(min(size - len(data), _LONGEST_READ))):
            data += more
        if len(data) < size:
            raise CorruptFileError(self._start, "unexpected end of file")
        self._offset += size
        return data

    def _bytes(self) -> bytes:
        size = self._varint()
        if size < 0:
            raise CorruptFileError(self._start, "negative length")
        return self._take(size)

    def _varint(self, first: bytes = b"") -> int:
        value = shift = 0
        for _ in range(_LONGEST_VARINT):
            byte = ord(first or self._take(1))
            first = b""
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 # the continuation bit
                return (value >> 1) ^ -(value & 1)
            shift += 7
        raise CorruptFileError(self._start, "invalid varint")


def _schema_fault(schema: Json) -> str | None:
    """The reason a header's schema does not describe rows, or None if it does."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return "the schema is not a record"
    if not isinstance(schema.get("name"), str):
        return "the schema's record has no name"
    fields = schema.get("fields")
    if not isinstance(fields, list):
        return "the schema has no list of fields"
    for field in fields:
        if not isinstance(field, dict) or not isinstance(field.get("name"), str) or not _is_type(field.get("type")):
            return "a field of the schema has no name or no type"
    return None


def _is_type(avro_type: Json) -> bool:
    if isinstance(avro_type, list):
        return all(_is_type(branch) for branch in avro_type)
    return isinstance(avro_type, str) or (isinstance(avro_type, dict) and _is_type(avro_type.get("type")))


def groups(
    blocks: Iterable[Block], most_rows: int = ROWS_PER_GROUP, most_bytes: int = BYTES_PER_GROUP
) -> Iterator[list[Block]]:
    """Consecutive blocks in groups of about `most_rows` rows or `most_bytes` bytes of the file.

    If iterating over the blocks raises `CorruptFileError`, those before it are yielded first.
    """
    group: list[Block] = []
    rows = size = 0
    try:
        for block in blocks:
            group.append(block)
            rows += block.row_count
            size += len(block.data)
            if rows >= most_rows or size >= most_bytes:
                yield group
                group, rows, size = [], 0, 0
    except CorruptFileError:
        if group:
            yield group
        raise
    if group:
        yield group


def without_logical_types(schema: Json) -> Json:
    """The schema with every logical type replaced by the type that is written."""
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_logical_types(value) if key in {"type", "fields", "items", "values"} else value
        for key, value in schema.items()
        if key not in {"logicalType", "default", "doc", "aliases"}
    }


def uncompressed(block: Block, codec: str) -> memoryview:
    """The uncompressed rows of a block.

    Raises:
        CorruptFileError: the block cannot be decompressed, or does not match the checksum that Snappy blocks have.
    """
    if codec == "null":
        return memoryview(block.data)
    packed = memoryview(block.data)[:-_CHECKSUM_SIZE] if codec == "snappy" else block.data
    try:
        rows = memoryview(_DECOMPRESS[codec](packed))
    except cramjam.DecompressionError as error:
        raise CorruptFileError(block.offset, f"the block cannot be decompressed ({error})") from error
    if codec == "snappy" and zlib.crc32(rows) != int.from_bytes(block.data[-_CHECKSUM_SIZE:], "big"):
        raise CorruptFileError(block.offset, "the block does not match its checksum")
    return rows


def varint(number: int) -> bytes:
    """A number as Avro writes it: zig-zag, seven bits per byte."""
    rest = (number << 1) ^ (number >> 63)
    encoded = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 # seven bits
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def container(header: Header, blocks: Iterable[tuple[int, Sequence[bytes | memoryview]]]) -> bytes:
    """A complete, uncompressed container file of these blocks, each a row count and the bytes of the rows in pieces."""
    metadata = {b"avro.schema": json.dumps(header.schema).encode(), b"avro.codec": b"null"}
    parts: list[bytes | memoryview] = [MAGIC, varint(len(metadata))]
    for name, value in metadata.items():
        parts += [varint(len(name)), name, varint(len(value)), value]
    parts += [varint(0), header.sync]
    for row_count, pieces in blocks:
        parts += [varint(row_count), varint(sum(map(len, pieces))), *pieces, header.sync]
    return b"".join(parts)
