"""The sandbox's metrics and the connector's schemas compared with Customer.io's own OpenAPI document."""

import json
import re
from collections.abc import Iterator

import pytest
import requests
from openapi_schema_validator import OAS30Validator

from integration_tests.rows import JsonObject
from integration_tests.test_customerio_documents import SCHEMAS, paths
from sandbox.clock import Clock
from sandbox.customerio.metrics import Metrics
from sandbox.customerio.world import CustomerioWorld
from sandbox.server import Sandbox
from unit_tests.vendor_documents import needs_documents

pytestmark = needs_documents

STREAMS = {
    endpoint.stream: endpoint
    for endpoint in CustomerioWorld(Clock(), seed=1, scale=0.01).endpoints
    if isinstance(endpoint, Metrics)
}
per_stream = pytest.mark.parametrize("stream", STREAMS)


def documented_path(stream: str) -> str:
    return STREAMS[stream].path.replace("variant_id", "content_id")


def documented(stream: str) -> JsonObject:
    """The schema of the 200 response; the newer one if there are two versions."""
    operation = paths()[documented_path(stream)]["get"]
    schema: JsonObject = operation["responses"]["200"]["content"]["application/json"]["schema"]
    newest: JsonObject = schema.get("oneOf", [schema])[0]
    return newest


def documented_metrics(schema: JsonObject) -> Iterator[str]:
    """The names of all arrays of integers in the schema, at any depth."""
    for part in (schema, *schema.get("allOf", [])):
        for name, child in part.get("properties", {}).items():
            if child.get("items", {}).get("type") == "integer":
                yield name
            else:
                yield from documented_metrics(child.get("items", child))


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(scale=0.3) as sandbox:
        yield sandbox


def test_every_documented_endpoint_of_metrics_is_a_stream() -> None:
    assert {path for path in paths() if "metrics" in path} == {documented_path(stream) for stream in STREAMS}


@per_stream
def test_responses_conform_to_the_document(world: Sandbox, stream: str) -> None:
    [row, *_] = world.customerio.expected(stream)
    path = STREAMS[stream].path.format(**row)
    now = world.customerio.now
    parameters: dict[str, str | int] = {"version": 2, "res": "days", "tz": "UTC", "start": now - 864_000, "end": now}

    answer = requests.get(
        f"{world.url}/customerio/us/v1{path}",
        params=parameters if re.search(r"campaigns.*metrics$", path) else {"period": "days", "steps": 7},
        headers={"Authorization": f"Bearer {world.customerio.region_keys['us']}"},
        timeout=10,
    ).json()

    assert [error.message for error in OAS30Validator(documented(stream)).iter_errors(answer)] == []
    assert set(documented_metrics(answer_schema(answer))) == set(documented_metrics(documented(stream)))


@per_stream
def test_every_documented_metric_is_declared(stream: str) -> None:
    declared = json.loads((SCHEMAS / f"{stream}.json").read_text())["properties"]

    metrics = set(documented_metrics(documented(stream)))

    assert metrics
    assert {name: declared.get(name) for name in metrics} == {name: {"type": ["null", "integer"]} for name in metrics}


def answer_schema(answer: object) -> JsonObject:
    """A schema with the structure of the response, so that its metrics are found like the document's."""
    if isinstance(answer, dict):
        return {"properties": {name: answer_schema(value) for name, value in answer.items()}}
    if isinstance(answer, list):
        return {"items": answer_schema(answer[0])}
    return {"type": "integer"} if isinstance(answer, int) else {}
