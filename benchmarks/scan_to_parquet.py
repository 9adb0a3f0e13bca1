"""`python -m benchmarks.scan_to_parquet CONFIG TABLE FILE`: write a table to a Parquet file with `source_heap.scan`."""

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from source_heap import scan

ROWS_PER_GROUP = 122_880
"""DuckDB's default."""


def main() -> None:
    """Write the file in row groups of the usual size."""
    config, table, path = sys.argv[1:]
    reader = scan(json.loads(Path(config).read_text()), table)
    with pq.ParquetWriter(path, reader.schema) as writer:
        group: list[pa.RecordBatch] = []
        for batch in reader:
            group.append(batch)
            if sum(each.num_rows for each in group) >= ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_batches(group))
                group.clear()
        if group:
            writer.write_table(pa.Table.from_batches(group))


if __name__ == "__main__":
    main()
