"""Avro files for the tests of this folder, written by fastavro."""

import io
from typing import Any

import fastavro


def record_schema(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "record",
        "name": "topLevelRecord",
        "fields": [{"name": name, "type": avro_type} for name, avro_type in fields.items()],
    }


def avro_file(
    fields: dict[str, Any], rows: list[dict[str, Any]], codec: str = "snappy", rows_per_block: int = 1_000_000
) -> bytes:
    """A file with these columns, in blocks of `rows_per_block` rows."""
    file = io.BytesIO()
    writer = fastavro.write.Writer(file, fastavro.parse_schema(record_schema(fields)), codec=codec)
    for i, row in enumerate(rows, start=1):
        writer.write(row)
        if i % rows_per_block == 0:
            writer.dump()
    writer.flush()
    return file.getvalue()
