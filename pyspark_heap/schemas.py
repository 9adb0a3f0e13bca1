"""Schemas in the types of Spark and of Arrow."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from source_heap.avro.json_schema import JsonSchema
from source_heap.errors import ConfigError

TABLES = "_heap_tables"
FILES = "_heap_files"
METADATA = {
    TABLES: StructType(
        [
            StructField("table", StringType(), nullable=False),
            StructField("first_valid_dump_id", LongType(), nullable=False),
            StructField("newest_dump_id", LongType(), nullable=False),
            StructField("file_count", LongType(), nullable=False),
            StructField("columns", ArrayType(StringType(), containsNull=False), nullable=False),
        ]
    ),
    FILES: StructType(
        [
            StructField("table", StringType(), nullable=False),
            StructField("dump_id", LongType(), nullable=False),
            StructField("file", StringType(), nullable=False),
            StructField("size", LongType(), nullable=False),
        ]
    ),
}
_SPARK_TYPES: Mapping[str, DataType] = {"boolean": BooleanType(), "integer": LongType(), "number": DoubleType()}
# Spark's own conversion is internal, and its arguments differ between releases.
_ARROW_TYPES: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "short": pa.int16(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
}


def spark_schema(columns: Mapping[str, JsonSchema], names: Sequence[str] | None, table: str) -> StructType:
    """The Spark schema of a table, with all its columns or the named ones, in the given order.

    Raises:
        ConfigError: the table does not have a named column.
    """
    if unknown := [name for name in names or () if name not in columns]:
        raise ConfigError(f"Table '{table}' has no column {', '.join(unknown)}. Its columns are {', '.join(columns)}.")
    return StructType([StructField(name, _spark_type(columns[name])) for name in names or columns])


def arrow_schema(schema: StructType) -> pa.Schema:
    """The Arrow schema that Spark expects for a Spark schema.

    Raises:
        ConfigError: the type of a column is not supported.
    """
    for field in schema:
        if field.dataType.typeName() not in _ARROW_TYPES:
            raise ConfigError(
                f"Column '{field.name}' cannot be read as {field.dataType.simpleString()}. Read it as "
                f"{', '.join(sorted(_ARROW_TYPES))}, and cast it in Spark."
            )
    return pa.schema([pa.field(f.name, _ARROW_TYPES[f.dataType.typeName()], f.nullable) for f in schema])


def _spark_type(json_schema: JsonSchema) -> DataType:
    if json_schema.get("contentEncoding") == "base64":
        return BinaryType()
    return _SPARK_TYPES.get(json_schema["type"][1], StringType())
