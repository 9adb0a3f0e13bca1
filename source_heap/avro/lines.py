"""Rows of an Avro file as RECORD lines, from the compiled encoder if it supports the file, otherwise from Python."""

import os
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import orjson

from source_heap.avro.container import Block, ContainerReader, CorruptFileError, Header, groups, uncompressed
from source_heap.native import NativeEncoder, describe
from source_heap.rows import TIME_COLUMN, StartDateFilter, rows, select

THREADS = max(2, os.cpu_count() or 1)
GROUPS_AHEAD = 2
Item = TypeVar("Item")
T = TypeVar("T")


@dataclass(frozen=True)
class TableFormat:
    """The common parts of the lines of a table."""

    stream: str
    text_columns: Collection[str] = ()
    start: StartDateFilter | None = None
    key: Collection[str] = ()
    """The columns of which at least one must have a value; empty if rows need no key."""


@dataclass(frozen=True)
class EncodedRows:
    """Lines of consecutive rows, each with its line break, and the number of rows skipped because they have no key."""

    data: bytes
    count: int
    keyless: int


class LineEncoder:
    """Encodes blocks of one file as lines. Safe for use by several threads at the same time."""

    def __init__(self, header: Header, table: TableFormat, added: Mapping[str, Any]) -> None:
        """`added` are columns with the same value in every row; they replace the file's columns of the same name."""
        self._header = header
        self._table = table
        self._added = added
        self._head = b'{"type":"RECORD","record":{"stream":%b,"data":' % orjson.dumps(table.stream)
        self._native = self._native_encoder()

    def encode(self, blocks: Sequence[Block]) -> tuple[list[EncodedRows], CorruptFileError | None]:
        """The lines of the blocks before the first corrupt one, and that block's error."""
        emitted_at = time.time_ns() // 1_000_000
        if self._native:
            try:
                unpacked = [(block.row_count, bytes(uncompressed(block, self._header.codec))) for block in blocks]
            except CorruptFileError:
                unpacked = None
            lines = self._native.encode(unpacked, emitted_at) if unpacked is not None else None
            if lines is not None:
                return [EncodedRows(*lines)], None
        return self._in_python(blocks, emitted_at)

    def _in_python(self, blocks: Sequence[Block], emitted_at: int) -> tuple[list[EncodedRows], CorruptFileError | None]:
        from source_heap.avro.decoder import Decoder  # noqa: PLC0415 # polars and fastavro take long to import

        encoded = []
        tail = b',"emitted_at":%d}}\n' % emitted_at
        try:
            for batch in Decoder(self._header, self._table.text_columns).decode(blocks):
                kept, keyless = select(batch, self._table.start, self._table.key)
                names, values = rows(batch, self._added, kept)
                lines: list[bytes] = []
                for row in values:
                    data = {name: value for name, value in zip(names, row, strict=True) if value is not None}
                    lines += (self._head, orjson.dumps(data), tail)
                encoded.append(EncodedRows(b"".join(lines), len(lines) // 3, keyless))
        except CorruptFileError as error:
            return encoded, error
        return encoded, None

    def _native_encoder(self) -> NativeEncoder | None:
        fields = self._header.schema["fields"]
        names = [field["name"] for field in fields]
        if len({*names, *self._added}) < len(names) + len(self._added):
            return None
        key = self._table.key
        if key and not any(name in names for name in key):
            return None
        start = self._table.start
        description = describe(
            fields,
            head=self._head + b"{",
            tail=orjson.dumps(self._added)[1:] + b',"emitted_at":',
            text_columns=self._table.text_columns,
            key=key,
            time_column=TIME_COLUMN,
            start=(start.text, start.seconds) if start else ("", 0),
        )
        return NativeEncoder.of(description) if description else None


def encoded_lines(
    reader: ContainerReader, table: TableFormat, added: Mapping[str, Any], pool: ThreadPoolExecutor
) -> Iterator[EncodedRows]:
    """The lines of a file in order, read once; threads of the pool encode a group of blocks each.

    Raises:
        CorruptFileError: the file, or a block of it, cannot be read; the lines of all rows before it have been yielded.
    """
    encoder = LineEncoder(reader.header, table, added)
    for encoded, error in _in_order(_submitted(pool, encoder.encode, groups(reader.blocks()))):
        yield from encoded
        if error:
            raise error


def _submitted(pool: ThreadPoolExecutor, function: Callable[[Item], T], items: Iterator[Item]) -> Iterator[Future[T]]:
    """The results of `function` as futures of the pool; the last may be the exception that ended the items."""
    try:
        for item in items:
            yield pool.submit(function, item)
    except Exception as error:  # noqa: BLE001 # nothing is swallowed: the future raises it, after the rows before it
        failed: Future[T] = Future()
        failed.set_exception(error)
        yield failed


def _in_order(futures: Iterator[Future[T]]) -> Iterator[T]:
    """The results in order, while the next `GROUPS_AHEAD` are computed."""
    pending = deque(islice(futures, GROUPS_AHEAD))
    while pending:
        pending.extend(islice(futures, 1))
        yield pending.popleft().result()
