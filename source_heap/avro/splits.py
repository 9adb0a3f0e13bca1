"""Reading part of an Avro file, so that several processes can share one file."""

import io
from collections.abc import Iterator

from source_heap.avro.container import SYNC_SIZE, Block, ContainerReader, Header


def split_blocks(stream: io.BufferedReader, header: Header, start: int, end: int) -> Iterator[Block]:
    """The blocks that follow a sync marker beginning at byte `start` or later, and before `end`.

    Splits that cover a file without overlap together contain each of its blocks once: every block follows exactly one
    sync marker, the first one that of the header.

    Args:
        stream: the bytes of the file from `start` to its end.
        header: the header of the file.
        start: the offset in the file at which the split begins.
        end: the offset of the first byte after the split.

    Raises:
        CorruptFileError: the file ends within a block, or a block does not end with the sync marker.
    """
    marker = _marker(stream, header.sync, start, end)
    if marker is None:
        return
    for block in ContainerReader(stream, header, marker + SYNC_SIZE).blocks():
        if block.offset - SYNC_SIZE >= end:
            return
        yield block


def _marker(stream: io.BufferedReader, sync: bytes, offset: int, end: int) -> int | None:
    """The offset of the first sync marker if it is before `end`; the stream is then positioned after that marker."""
    tail = b""
    while window := stream.peek():
        found = (tail + window).find(sync)
        if found >= 0:
            stream.read(found + SYNC_SIZE - len(tail))
            begin = offset - len(tail) + found
            return begin if begin < end else None
        offset += len(stream.read(len(window)))
        tail = (tail + window)[1 - SYNC_SIZE :]
        if offset - len(tail) >= end:
            return None
    return None
