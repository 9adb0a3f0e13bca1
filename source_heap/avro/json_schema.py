"""JSON schemas of Avro files, and one schema for files whose schemas differ."""

from collections.abc import Iterable, Mapping
from typing import Any

from cdp_connectors.json_types import Json

JsonSchema = dict[str, Any]

_TEXT: JsonSchema = {"type": ["null", "string"]}
_BASE64: JsonSchema = {"type": ["null", "string"], "contentEncoding": "base64"}
_SCALARS: Mapping[str, JsonSchema] = {
    "boolean": {"type": ["null", "boolean"]},
    "int": {"type": ["null", "integer"]},
    "long": {"type": ["null", "integer"]},
    "float": {"type": ["null", "number"]},
    "double": {"type": ["null", "number"]},
    "string": _TEXT,
    "enum": _TEXT,
    "bytes": _BASE64,
    "fixed": _BASE64,
    "array": {"type": ["null", "array"]},
    "map": {"type": ["null", "object"]},
    "record": {"type": ["null", "object"]},
}


def table_schema(record_schemas: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> JsonSchema:
    """The properties of a table.

    Args:
        record_schemas: the writer schemas of its files, without logical types.
        columns: all columns that the manifests list; those that no file has become strings, as their type is unknown.

    Returns:
        For each column a nullable JSON type that fits the values of all files; string where their types conflict.
    """
    properties: dict[str, JsonSchema | None] = {}
    for record_schema in record_schemas:
        named_types: dict[str, JsonSchema | None] = {}
        for field in record_schema["fields"]:
            found = column_schema(field["type"], named_types)
            properties[field["name"]] = widen(properties.get(field["name"]), found)
    for column in columns:
        properties.setdefault(column, None)
    return {name: schema or _TEXT for name, schema in properties.items()}


def column_schema(avro_type: Json, named_types: dict[str, JsonSchema | None]) -> JsonSchema | None:
    """The JSON schema of a column, or None for a column that is always null.

    `named_types` are the types that earlier columns of the same file defined; those that this one defines are added.
    """
    schema: JsonSchema | None
    if isinstance(avro_type, list):
        schema = None
        for branch in avro_type:
            schema = widen(schema, column_schema(branch, named_types))
        return schema
    if isinstance(avro_type, Mapping):
        schema = column_schema(avro_type["type"], named_types)
        if "name" in avro_type:
            named_types[avro_type["name"]] = schema
        return schema
    name = avro_type.rsplit(".", 1)[-1]
    return None if name == "null" else _SCALARS.get(name) or named_types.get(name)


def widen(one: JsonSchema | None, other: JsonSchema | None) -> JsonSchema | None:
    """A schema that fits the values of both: integer and number become number, other differences become string."""
    if one is None or other is None or one == other:
        return one or other
    if {one["type"][1], other["type"][1]} == {"integer", "number"}:
        return _SCALARS["double"]
    return _TEXT
