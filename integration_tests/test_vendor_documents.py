"""The sandbox's answers against Segment's own documents, which are not part of this project.

`VENDOR_DOCS` names the folder that holds `segment/openapi-v32.yaml`, the vendor's OpenAPI document of November 2022,
and `segment/get-endpoints-v73.json`, the records of the API 73.2.0 of August 2026 as JSON schemas.
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from openapi_schema_validator import OAS30Validator

from sandbox.clock import Clock
from sandbox.segment.world import SegmentWorld
from sandbox.server import Sandbox

JsonObject = dict[str, Any]

DOCUMENTS = Path(os.environ.get("VENDOR_DOCS", "")) / "segment"

pytestmark = pytest.mark.skipif(
    "VENDOR_DOCS" not in os.environ,
    reason="the vendors' documents are not part of the project: set VENDOR_DOCS to the folder that holds them",
)

# Where the document of 2022 is out of date. The current API may send null for these properties ...
NULL_SINCE_V32 = {
    "breakdown",
    "contacts",
    "destinationMetadataId",
    "group",
    "labels",
    "newEventName",
    "permissions",
    "propertyRenames",
    "settings",
}
# ... and may leave out these.
OPTIONAL_SINCE_V32 = {"role"}

PATHS = [
    "/",
    "/audit-events",
    "/catalog/destinations",
    "/catalog/sources",
    "/catalog/warehouses",
    "/destinations",
    "/destinations/{destinationId}/delivery-metrics",
    "/destinations/{destinationId}/subscriptions",
    "/groups",
    "/sources",
    "/sources/{sourceId}/connected-destinations",
    "/sources/{sourceId}/connected-warehouses",
    "/transformations",
    "/usage/api-calls/daily",
    "/usage/api-calls/sources/daily",
    "/usage/mtu/daily",
    "/usage/mtu/sources/daily",
    "/users",
    "/warehouses",
]


class Answers:
    """The sandbox's answers to the requests that a path stands for; each path is asked once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._bodies: dict[str, list[JsonObject]] = {}

    def to(self, path: str) -> list[JsonObject]:
        if path not in self._bodies:
            self._bodies[path] = [self._get(*request) for request in requests_of(self._sandbox.segment, path)]
        return self._bodies[path]

    def _get(self, path: str, parameters: dict[str, str]) -> JsonObject:
        url, headers = f"{self._sandbox.url}/segment/us{path}", {"Authorization": "Bearer sandbox-token-us"}
        response = requests.get(url, {**parameters}, headers=headers, timeout=10)
        assert response.status_code == 200, response.text
        body: JsonObject = response.json()
        return body


def requests_of(world: SegmentWorld, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    if "{sourceId}" in path:
        yield from ((path.format(sourceId=source["id"]), {}) for source in world.sources)
    elif "delivery-metrics" in path:
        destinations = [
            destination
            for destination in world.destinations
            if world.catalog.has_event_delivery(destination["metadata"]["id"])
        ]
        yield from (
            (path.format(destinationId=destination["id"]), {"sourceId": destination["sourceId"]})
            for destination in destinations
        )
    elif "{destinationId}" in path:
        yield from ((path.format(destinationId=destination["id"]), {}) for destination in world.destinations)
    elif path.startswith("/usage"):
        yield path, {"period": "2026-02-01"}
    elif path == "/":
        yield path, {}
    else:
        yield path, {"pagination[count]": "1000"}


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    with Sandbox(Clock(datetime(2026, 3, 10, 9, 30, tzinfo=timezone.utc))) as sandbox:
        yield Answers(sandbox)


@pytest.fixture(scope="module")
def v32() -> JsonObject:
    document: JsonObject = yaml.load((DOCUMENTS / "openapi-v32.yaml").read_text(), Loader=yaml.CSafeLoader)
    return document


@pytest.fixture(scope="module")
def v73() -> dict[str, JsonObject]:
    operations = json.loads((DOCUMENTS / "get-endpoints-v73.json").read_text())["operations"]
    return {operation["path"]: operation for operation in operations.values()}


@pytest.mark.parametrize("path", PATHS)
def test_answers_agree_with_the_openapi_document_of_2022(answers: Answers, v32: JsonObject, path: str) -> None:
    errors = [error for error in errors_by_v32(answers, v32, path) if difference(error) is None]
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_no_difference_from_the_openapi_document_is_listed_in_vain(answers: Answers, v32: JsonObject) -> None:
    found = {difference(error) for path in PATHS for error in errors_by_v32(answers, v32, path)}
    assert found == NULL_SINCE_V32 | OPTIONAL_SINCE_V32


@pytest.mark.parametrize("path", PATHS)
def test_answers_agree_with_the_current_records(answers: Answers, v73: dict[str, JsonObject], path: str) -> None:
    data = Draft202012Validator(data_schema(v73[path]))
    errors = [error for body in answers.to(path) for error in data.iter_errors(body["data"])]
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("path", PATHS)
def test_every_documented_field_occurs(answers: Answers, v73: dict[str, JsonObject], path: str) -> None:
    seen = {field for body in answers.to(path) for field in fields_of(body["data"])}
    assert documented_fields(data_schema(v73[path])) - seen == set()


def errors_by_v32(answers: Answers, v32: JsonObject, path: str) -> Iterator[ValidationError]:
    content = v32["paths"][path]["get"]["responses"]["200"]["content"]
    schema = next(iter(content.values()))["schema"]
    validator = OAS30Validator({**schema, "components": v32["components"]})
    for body in answers.to(path):
        yield from validator.iter_errors(body)


def difference(error: ValidationError) -> str | None:
    """The property by which a known difference between the documents explains the error."""
    if error.validator == "type" and error.instance is None and error.absolute_path[-1] in NULL_SINCE_V32:
        return str(error.absolute_path[-1])
    if error.validator == "required":
        return next((name for name in OPTIONAL_SINCE_V32 if error.message.startswith(f"'{name}'")), None)
    return None


def data_schema(operation: JsonObject) -> JsonObject:
    """The schema of an answer's `data`, from the documented records and their envelope."""
    properties: JsonObject = {}
    for name, kind, _ in operation["data_fields"]:
        if name in operation["records"]:
            record = strict(operation["records"][name]["schema"])
            properties[name] = {"type": "array", "items": record} if kind.startswith("array") else record
    required = [name for name, _, is_required in operation["data_fields"] if is_required]
    return {"type": "object", "properties": properties, "required": required}


def strict(schema: Any) -> Any:  # noqa: ANN401 - a schema may be true, and contains lists
    """The schema with the document's annotation `x-required` as `required`, and null among the nullable enums."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(part) for name, part in schema.items()}
    if isinstance(made.get("properties"), dict):
        made["required"] = [name for name, part in schema["properties"].items() if part.get("x-required")]
    if "enum" in made and "null" in made["type"]:
        made["enum"] = [*made["enum"], None]
    return made


def documented_fields(schema: JsonObject, prefix: str = "") -> set[str]:
    fields: set[str] = set()
    for part in (schema, *schema.get("anyOf", [])):
        if "items" in part:
            fields |= documented_fields(part["items"], prefix)
        for name, child in part.get("properties", {}).items():
            fields |= {f"{prefix}{name}", *documented_fields(child, f"{prefix}{name}.")}
    return fields


def fields_of(value: Any, prefix: str = "") -> set[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return {field for item in value for field in fields_of(item, prefix)}
    if isinstance(value, dict):
        return {
            field
            for name, child in value.items()
            for field in (f"{prefix}{name}", *fields_of(child, f"{prefix}{name}."))
        }
    return set()
