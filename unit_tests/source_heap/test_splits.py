"""Splits of a file together contain each of its blocks once, wherever they begin and end."""

import io
from itertools import pairwise

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_heap.avro.container import Block, ContainerReader
from source_heap.avro.splits import split_blocks


def avro_file(rows: int, sync_interval: int, codec: str = "null") -> bytes:
    target = io.BytesIO()
    schema = {
        "type": "record",
        "name": "row",
        "fields": [{"name": "n", "type": "long"}, {"name": "s", "type": "string"}],
    }
    records = [{"n": n, "s": "x" * (n % 50)} for n in range(rows)]
    fastavro.writer(target, schema, records, codec=codec, sync_interval=sync_interval, sync_marker=b"0123456789abcdef")
    return target.getvalue()


def blocks_of(content: bytes, start: int, end: int, buffer_size: int = 512) -> list[Block]:
    header = ContainerReader(io.BytesIO(content)).header
    stream = io.BufferedReader(io.BytesIO(content[start:]), buffer_size)  # type: ignore[arg-type] # BytesIO is raw enough
    return list(split_blocks(stream, header, start, end))


@settings(max_examples=500, deadline=None)
@given(
    rows=st.integers(0, 200),
    sync_interval=st.integers(1, 2000),
    cuts=st.lists(st.floats(0, 1), max_size=8),
    buffer_size=st.sampled_from([1, 7, 15, 16, 17, 64, 4096]),
)
def test_splits_cover_a_file_exactly(rows: int, sync_interval: int, cuts: list[float], buffer_size: int) -> None:
    content = avro_file(rows, sync_interval)
    offsets = sorted({0, len(content), *(int(cut * len(content)) for cut in cuts)})
    found = [block for start, end in pairwise(offsets) for block in blocks_of(content, start, end, buffer_size)]
    assert found == list(ContainerReader(io.BytesIO(content)).blocks())


@pytest.mark.parametrize("shift", range(-17, 18))
def test_a_split_may_begin_anywhere_around_a_marker(shift: int) -> None:
    content = avro_file(300, 500)
    whole = list(ContainerReader(io.BytesIO(content)).blocks())
    cut = whole[len(whole) // 2].offset - 8 + shift
    assert blocks_of(content, 0, cut) + blocks_of(content, cut, len(content)) == whole


def test_a_split_smaller_than_a_block_may_be_empty() -> None:
    content = avro_file(300, 100_000)
    (block,) = ContainerReader(io.BytesIO(content)).blocks()
    middle = block.offset + 100
    assert blocks_of(content, middle, middle + 50) == []
