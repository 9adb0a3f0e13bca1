"""Tasks of about equal size: large files are split and small ones bundled, as Spark does with its own formats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pyspark.sql.datasource import InputPartition

from pyspark_heap.options import Options
from source_heap.file_rows import Split
from source_heap.table import DumpFile

_SPLIT_FROM = 1.5  # times the size of a task: a slightly larger file is not split


@dataclass
class Splits(InputPartition):
    """Files and parts of files that one task reads. Files of `void` dumps may have columns that no longer exist."""

    splits: Sequence[Split]
    void: frozenset[int] = frozenset()


@dataclass
class Rows(InputPartition):
    """Rows that were determined while the query was planned."""

    rows: Sequence[tuple[object, ...]]


def bundles(files: Sequence[DumpFile], sizes: Mapping[str, int], options: Options) -> list[list[Split]]:
    """The files in bundles, each for one task.

    Args:
        files: the files to read.
        sizes: their sizes in bytes by key.
        options: the sizes and the number of tasks.
    """
    cost = options.open_cost_in_bytes
    total = sum(sizes[file.key] + cost for file in files)
    limit = min(options.max_partition_bytes, max(cost, -(-total // options.min_partitions)))
    splits = [split for file in files for split in _splits(file, sizes[file.key], limit)]
    splits.sort(key=lambda item: (-item[0], item[1].file.dump_id, item[1].file.key, item[1].start))
    result: list[list[Split]] = []
    used = limit
    for size, split in splits:
        if not result or used + size > limit:
            result.append([])
            used = 0
        result[-1].append(split)
        used += size + cost
    return result


def _splits(file: DumpFile, size: int, limit: int) -> list[tuple[int, Split]]:
    if size <= limit * _SPLIT_FROM:
        return [(size, Split(file))]
    count = -(-size // limit)
    cuts = [size * number // count for number in range(count + 1)]
    return [(end - start, Split(file, start, end)) for start, end in pairwise(cuts)]
