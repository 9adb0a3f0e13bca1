from typing import Any

import pytest

from cdp_connectors.json_types import Json
from source_heap.avro.json_schema import table_schema
from unit_tests.source_heap.avro_files import record_schema

TEXT = {"type": ["null", "string"]}
INTEGER = {"type": ["null", "integer"]}
NUMBER = {"type": ["null", "number"]}
BASE64 = {"type": ["null", "string"], "contentEncoding": "base64"}
ENUM = {"type": "enum", "name": "some.Kind", "symbols": ["A"]}


def column(*avro_types: Json) -> Json:
    """The schema of a column with these types in successive files."""
    return table_schema([record_schema({"c": avro_type}) for avro_type in avro_types], [])["c"]


@pytest.mark.parametrize(
    ("avro_type", "expected"),
    [
        ("boolean", {"type": ["null", "boolean"]}),
        ("int", INTEGER),
        ("long", INTEGER),
        (["long", "null"], INTEGER),
        (["null", "long"], INTEGER),
        (["long"], INTEGER),
        ("float", NUMBER),
        (["null", "double"], NUMBER),
        ("string", TEXT),
        ({"type": "string", "avro.java.string": "String"}, TEXT),
        (ENUM, TEXT),
        (["null", ENUM], TEXT),
        ("bytes", BASE64),
        ({"type": "fixed", "name": "F", "size": 2}, BASE64),
        ({"type": "array", "items": "long"}, {"type": ["null", "array"]}),
        ({"type": "map", "values": "long"}, {"type": ["null", "object"]}),
        ("null", TEXT),
        (["null"], TEXT),
        (["null", "long", "string"], TEXT),
        (["int", "long"], INTEGER),
        (["int", "double"], NUMBER),
    ],
)
def test_each_avro_type_has_a_nullable_json_type(avro_type: Json, expected: dict[str, Any]) -> None:
    assert column(avro_type) == expected


@pytest.mark.parametrize(
    ("avro_types", "expected"),
    [
        (["int", "long"], INTEGER),
        (["long", "double"], NUMBER),
        (["long", "string"], TEXT),
        (["boolean", "long"], TEXT),
        (["null", "long"], INTEGER),
        (["long", "null"], INTEGER),
        (["bytes", "string"], TEXT),
        (["long", "double", "string", "long"], TEXT),
        ([{"type": "array", "items": "long"}, "string"], TEXT),
    ],
)
def test_types_that_differ_between_files_are_widened(avro_types: list[Any], expected: dict[str, Any]) -> None:
    assert column(*avro_types) == expected
    assert column(*reversed(avro_types)) == expected


def test_a_named_type_can_be_referenced_by_a_later_column() -> None:
    assert table_schema([record_schema({"a": ENUM, "b": ["null", "some.Kind"]})], [])["b"] == TEXT


def test_the_schema_has_the_columns_of_all_files_and_of_the_manifests() -> None:
    schemas = [record_schema({"a": "long"}), record_schema({"b": "long"})]
    assert table_schema(schemas, ["b", "only_in_manifest"]) == {"a": INTEGER, "b": INTEGER, "only_in_manifest": TEXT}
