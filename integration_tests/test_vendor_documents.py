"""The sandbox's responses compared with Segment's own documents, the old one and the new one."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from openapi_schema_validator import OAS30Validator

from cdp_connectors.json_types import Json
from sandbox.api.cursors import Cursors
from sandbox.api.endpoints import OfParents
from sandbox.api.present import Arguments
from sandbox.clock import Clock
from sandbox.segment.world import SegmentWorld
from sandbox.server import Sandbox
from unit_tests.vendor_documents import DOCUMENTS, needs_documents

JsonObject = dict[str, Any]

pytestmark = needs_documents

# Where the document of 2022 is out of date. The current API may send null for these properties ...
NULL_SINCE_V32 = {
    "breakdown",
    "contacts",
    "createdAt",
    "deprecatedAt",
    "description",
    "destinationMetadataId",
    "finishedAt",
    "group",
    "labels",
    "logoUrl",
    "newEventName",
    "permissions",
    "propertyRenames",
    "schedule",
    "settings",
    "updatedAt",
}
# ... may leave out these ...
OPTIONAL_SINCE_V32 = {"role"}
# ... and has new kinds of functions and tracking plans.
VALUES_SINCE_V32 = {"ENGAGE", "INSERT_DESTINATION", "INSERT_SOURCE", "INSERT_TRANSFORMATION"}

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=timezone.utc)
ENDPOINTS = SegmentWorld(Clock(NOW), seed=1, scale=0.01).endpoints
PATHS = [endpoint.path for endpoint in ENDPOINTS]
YOUNGER_THAN_V32 = (
    "/credentials",
    "/delivery-overview/",
    "/filters",
    "/functions/",
    "/insert-function-instances",
    "/reverse-etl-models",
    "/sources/{sourceId}/live-plugins/",
    "/spaces",
)
IN_V32 = [path for path in PATHS if not path.startswith(YOUNGER_THAN_V32)]
WINDOW = {"granularity": "DAY", "startTime": "2026-03-01T00:00:00Z", "endTime": "2026-03-10T00:00:00Z"}
GROUPS = {"groupBy.0": "eventName", "groupBy.1": "eventType"}
STEP = WINDOW | GROUPS | {"groupBy.2": "appVersion", "groupBy.3": "discardReason"}
PARAMETERS = {
    "/delivery-overview/failed-delivery": STEP,
    "/delivery-overview/failed-on-ingest": STEP,
    "/delivery-overview/filtered-at-destination": STEP,
    "/delivery-overview/filtered-at-source": STEP,
    "/delivery-overview/successful-delivery": STEP,
    "/delivery-overview/successfully-received": WINDOW | GROUPS | {"groupBy.2": "appVersion"},
    "/events/volume": WINDOW | GROUPS | {"groupBy.2": "source"},
    "/spaces/{spaceId}/audiences": {"include": "schedules"},
    "/spaces/{spaceId}/traits": {"includeSampleValues": "true"},
}
# Only successful deliveries have retries, received events have no discard reason, and the limit has no parameter.
OF_ONE_STEP = {"dataset.discardReason", "dataset.series.retryCount", "dataset.totalRetryCount"}
ABSENT = {"/events/volume": {"query.limit"}} | {
    path: OF_ONE_STEP for path in PATHS if path.startswith("/delivery-overview/") and "successful-" not in path
}


def bare(path: str) -> str:
    """The path without the names of its ids, which differ between the documents."""
    return re.sub("{.+?}", "{}", path)


class Answers:
    """The sandbox's responses for each path's requests, which are made only once."""

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
    endpoint = next(endpoint for endpoint in world.endpoints if endpoint.path == path)
    parameters = PARAMETERS.get(path, {})
    if isinstance(endpoint, OfParents):
        for arguments in parents_of(world, endpoint):
            required = {name: arguments[name] for name in endpoint.required}
            yield path.format(**arguments), {**parameters, **required, **own_parameters(world, path, arguments)}
    else:
        yield path, parameters | ({"period": "2026-02-01"} if path.startswith("/usage") else {})


def parents_of(world: SegmentWorld, endpoint: OfParents) -> list[Arguments]:
    """The parents for which the path has data; only some sources have a live plugin, and some destinations metrics."""
    arguments = list(endpoint.of(world.clock.now))
    if endpoint.stream in {"destination_delivery_metrics_summary", "source_live_plugins"}:
        name = "sourceId" if endpoint.stream == "source_live_plugins" else "destinationId"
        having = {row[name] for row in world.expected(endpoint.stream)}
        return [each for each in arguments if each[name] in having]
    return arguments


def own_parameters(world: SegmentWorld, path: str, arguments: Arguments) -> dict[str, str]:
    if "delivery-metrics" not in path:
        return {}
    return {
        "sourceId": next(each["sourceId"] for each in world.destinations if each["id"] == arguments["destinationId"])
    }


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    with Sandbox(Clock(NOW)) as sandbox:
        sandbox.segment.pagination_required = False
        yield Answers(sandbox)


@pytest.fixture(scope="module")
def v32() -> JsonObject:
    document: JsonObject = yaml.load((DOCUMENTS / "segment" / "openapi-v32.yaml").read_text(), Loader=yaml.CSafeLoader)
    document["paths"] = {bare(path): item for path, item in document["paths"].items()}
    return document


@pytest.fixture(scope="module")
def v73() -> dict[str, JsonObject]:
    operations = json.loads((DOCUMENTS / "segment" / "get-endpoints-v73.json").read_text())["operations"]
    return {bare(operation["path"]): operation for operation in operations.values()}


@pytest.mark.parametrize("path", IN_V32)
def test_responses_conform_to_the_openapi_document_of_2022(answers: Answers, v32: JsonObject, path: str) -> None:
    errors = [error for error in errors_by_v32(answers, v32, path) if difference(error) is None]
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_every_listed_difference_from_the_openapi_document_exists(answers: Answers, v32: JsonObject) -> None:
    found = {difference(error) for path in IN_V32 for error in errors_by_v32(answers, v32, path)}
    assert found == NULL_SINCE_V32 | OPTIONAL_SINCE_V32 | VALUES_SINCE_V32


@pytest.mark.parametrize("path", PATHS)
def test_responses_conform_to_the_current_records(answers: Answers, v73: dict[str, JsonObject], path: str) -> None:
    data = Draft202012Validator(data_schema(v73[bare(path)]))
    errors = [error for body in answers.to(path) for error in data.iter_errors(body["data"])]
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("path", PATHS)
def test_every_documented_field_occurs(answers: Answers, v73: dict[str, JsonObject], path: str) -> None:
    seen = {field for body in answers.to(path) for field in fields_of(body["data"])}
    assert documented_fields(data_schema(v73[bare(path)])) - seen - ABSENT.get(path, set()) == set()


@pytest.mark.parametrize("path", PATHS)
def test_pagination_is_required_where_the_document_says_so(v73: dict[str, JsonObject], path: str) -> None:
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.path == path)
    paging = getattr(endpoint, "paging", None)
    documented = v73[bare(path)]
    # The regulations of a source are listed with `pagination` there, but not among the paginated operations.
    required = documented["pagination_required"] or path == "/regulations/sources/{sourceId}"
    assert ("pagination" in documented["query_params"] or documented["paginated"]) is (paging is not None)
    assert required is (isinstance(paging, Cursors) and paging.required)


def errors_by_v32(answers: Answers, v32: JsonObject, path: str) -> Iterator[ValidationError]:
    content = v32["paths"][bare(path)]["get"]["responses"]["200"]["content"]
    schema = next(iter(content.values()))["schema"]
    validator = OAS30Validator({**schema, "components": v32["components"]})
    for body in answers.to(path):
        yield from validator.iter_errors(body)


def difference(error: ValidationError) -> str | None:
    """The property for which a known difference between the documents explains the error."""
    if error.validator == "type" and error.instance is None and error.absolute_path[-1] in NULL_SINCE_V32:
        return str(error.absolute_path[-1])
    if error.validator == "enum" and error.instance in VALUES_SINCE_V32:
        return str(error.instance)
    if error.validator == "required":
        return next((name for name in OPTIONAL_SINCE_V32 if error.message.startswith(f"'{name}'")), None)
    return None


def data_schema(operation: JsonObject) -> JsonObject:
    """The schema of a response's `data`, from the documented records and their envelope."""
    properties: JsonObject = {}
    for name, kind, _ in operation["data_fields"]:
        if name in operation["records"]:
            record = strict(operation["records"][name]["schema"])
            made = {"type": "array", "items": record} if kind.startswith("array") else record
            properties[name] = {"anyOf": [made, {"type": "null"}]} if kind.endswith("|null") else made
    required = [name for name, _, is_required in operation["data_fields"] if is_required]
    return {"type": "object", "properties": properties, "required": required}


def strict(schema: Json) -> Json:
    """The schema with the document's annotation `x-required` as `required`, and null among the nullable enums."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {keyword: strict(part) for keyword, part in schema.items() if keyword != "properties"}
    if "properties" in schema:
        made["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
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


def fields_of(value: Json, prefix: str = "") -> set[str]:
    if isinstance(value, list):
        return {field for item in value for field in fields_of(item, prefix)}
    if isinstance(value, dict):
        return {
            field
            for name, child in value.items()
            for field in (f"{prefix}{name}", *fields_of(child, f"{prefix}{name}."))
        }
    return set()
