"""The schemas have every field of Segment's newest documents, and the documented examples are valid."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from unit_tests.source_segment.contracts import CONTRACTS
from unit_tests.source_segment.segment_api import PARENTS, Contract
from unit_tests.vendor_documents import DOCUMENTS, needs_documents

JsonObject = dict[str, Any]
SCHEMAS = Path(__file__).parents[2] / "source_segment" / "schemas"
per_stream = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


def schema_of(contract: Contract) -> JsonObject:
    return json.loads((SCHEMAS / f"{contract.name}.json").read_text())


def anonymous(path: str) -> str:
    """The path with `{}` for each identifier, which is a parameter in the document and an id in the tests."""
    return "/".join("{}" if part in {*PARENTS, "m1"} or part.startswith("{") else part for part in path.split("/"))


@cache
def documented_operations() -> dict[str, JsonObject]:
    document = json.loads((DOCUMENTS / "segment" / "get-endpoints-v73.json").read_text())
    return {anonymous(operation["path"]): operation for operation in document["operations"].values()}


@cache
def documented_examples() -> dict[str, JsonObject]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load((DOCUMENTS / "segment" / "openapi-v32.yaml").read_text(), loader)  # noqa: S506 # SafeLoader, in C
    paths = json.loads(json.dumps(document["paths"], default=lambda moment: moment.isoformat()))
    return {
        anonymous(path): next(iter(item["get"]["responses"]["200"]["content"].values())).get("example", {})
        for path, item in paths.items()
        if "get" in item
    }


def documented_record(contract: Contract) -> JsonObject:
    """The documented schema of one record."""
    schemas = {
        name: each["schema"] for name, each in documented_operations()[anonymous(contract.path)]["records"].items()
    }
    if contract.shape in {"strings", "subjects"}:
        return {}
    if contract.shape == "data":
        return {"properties": schemas}
    record: JsonObject = schemas[contract.data_key]
    if contract.shape == "series":
        group = {name: each for name, each in record["properties"].items() if not re.search("total|series", name)}
        return {"properties": group | record["properties"]["series"]["items"]["properties"]}
    return record


def missing_fields(documented: JsonObject, declared: JsonObject, path: str = "") -> list[str]:
    """Every documented field that the declared schema lacks, as a path."""
    if "items" in documented:
        return missing_fields(documented["items"], declared.get("items", {}), f"{path}[]")
    missing = []
    for variant in [documented, *documented.get("anyOf", [])]:
        for name, field in variant.get("properties", {}).items():
            if name not in declared.get("properties", {}):
                missing.append(f"{path}.{name}")
            else:
                missing += missing_fields(field, declared["properties"][name], f"{path}.{name}")
    return missing


def nodes(schema: JsonObject) -> list[JsonObject]:
    """The schema and everything nested in it."""
    children = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return [schema, *(node for child in children for node in nodes(child))]


@per_stream
def test_every_field_is_nullable_and_every_object_is_open(contract: Contract) -> None:
    root, *nested = nodes(schema_of(contract))

    assert root["type"] == "object"
    assert all("null" in node["type"] for node in nested if "type" in node)
    assert all(node["additionalProperties"] is True for node in [root, *nested] if "object" in node.get("type", []))


@needs_documents
@per_stream
def test_the_schema_has_every_field_that_segment_documents(contract: Contract) -> None:
    missing = missing_fields(documented_record(contract), schema_of(contract))

    assert missing == [f".{name}" for name in contract.removed]


@needs_documents
@per_stream
def test_the_documented_example_is_valid_and_a_wrong_type_is_not(contract: Contract) -> None:
    example = documented_examples().get(anonymous(contract.path), {}).get("data", {}).get(contract.data_key)
    if contract.shape not in {"list", "object"} or example is None:
        pytest.skip("the older document has no example of a record")
    validator = Draft7Validator(schema_of(contract))
    records = example if isinstance(example, list) else [example]

    if not records:
        pytest.skip("Segment documents an empty list as the example of this endpoint")
    for record in records:
        assert list(validator.iter_errors(record)) == []
        for name, declared in schema_of(contract)["properties"].items():
            if "type" in declared:
                assert not validator.is_valid({**record, name: object()})
