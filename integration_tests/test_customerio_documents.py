"""The sandbox's answers and the connector's schemas against Customer.io's own OpenAPI document.

The document is not part of this project: `VENDOR_DOCS` names the folder that holds `customerio/openapi-2025.json`, the
App API as published in 2025. Where the live API differs from it, the sandbox follows the live API; all such differences
are listed here.
"""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema.exceptions import ValidationError
from openapi_schema_validator import OAS30Validator

from integration_tests.rows import JsonObject
from sandbox.server import Sandbox

SCHEMAS = Path(__file__).parents[1] / "source_customerio" / "schemas"
EVERYBODY = {"filter": {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}}

pytestmark = pytest.mark.skipif(
    "VENDOR_DOCS" not in os.environ,
    reason="the vendors' documents are not part of the project: set VENDOR_DOCS to the folder that holds them",
)

ENDPOINTS = {
    "workspaces": "/workspaces",
    "campaigns": "/campaigns",
    "broadcasts": "/broadcasts",
    "newsletters": "/newsletters",
    "segments": "/segments",
    "transactional_messages": "/transactional",
    "exports": "/exports",
    "collections": "/collections",
    "snippets": "/snippets",
    "topics": "/subscription_topics",
    "types": "/object_types",
    "reporting_webhooks": "/reporting_webhooks",
    "ip_addresses": "/info/ip_addresses",
    "sender_identities": "/sender_identities",
    "eps_suppression": "/esp/suppression/{suppression_type}",
    "messages": "/messages",
    "activities": "/activities",
    "customers_search": "/customers",
    "customers": "/customers/attributes",
}
TABLES = [stream for stream in ENDPOINTS if stream not in {"customers_search", "ip_addresses"}]
"""The streams whose records are objects of the document."""
WRAPPED = {"customers"}
"""The document wraps each person in `customer`; the live API does not."""
DIFFERENCES = {
    "broadcasts: $.broadcasts[].tags is null": "a list without elements can be null",
    "campaigns: $.campaigns[] oneOf": "tags can be null, and the types of campaigns are no closed list",
    "newsletters: $.newsletters[].tags is null": "a list without elements can be null",
    "messages: $.messages[].recipient is null": "a forgotten person's delivery has none",
    "messages: $.messages[].subject is null": "only e-mails have one",
    "messages: $.messages[].customer_identifiers is null": "a forgotten person's delivery has none",
    "messages: $.messages[].action_id is null": "ids of what did not send the delivery are null",
    "messages: $.messages[].parent_action_id is null": "as above",
    "messages: $.messages[].content_id is null": "as above",
    "messages: $.messages[].type enum": "in_app is in the list of the parameter, but not in that of the record",
    "activities: $.activities[].data oneOf": "events carry any data, and `opened` is a time instead of a boolean",
    "activities: $.activities[].type enum": "the types of objects carry the id of their object type",
    "eps_suppression: $.suppressions is null": "a list without elements is null",
    "eps_suppression: $.category enum": "the types blocks and invalid_emails are newer than the document",
}
UNDECLARED = {"messages": {"message_template_id"}}
"""Documented fields that the live API names differently, here `msg_template_id`."""


@cache
def paths() -> JsonObject:
    document = json.loads((Path(os.environ["VENDOR_DOCS"]) / "customerio" / "openapi-2025.json").read_text())
    return {path.removeprefix("/v1"): _resolved(item, document) for path, item in document["paths"].items()}


def documented(stream: str) -> JsonObject:
    """The schema of the answer 200."""
    operation = paths()[ENDPOINTS[stream]]["post" if stream.startswith("customers") else "get"]
    schema: JsonObject = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return schema


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[str, list[JsonObject]]]:
    """What the sandbox answers to each stream's first request, and for suppressions to each type and an odd domain."""
    with Sandbox(scale=0.05) as sandbox:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {sandbox.customerio.region_keys['us']}"
        base = f"{sandbox.url}/customerio/us/v1"

        def get(path: str, **parameters: str) -> JsonObject:
            answer: JsonObject = session.get(base + path, params=parameters, timeout=10).json()
            return answer

        found = {
            stream: [get(path, limit="1000" if stream == "messages" else "100", get_tracked_responses="true")]
            for stream, path in ENDPOINTS.items()
            if not stream.startswith("customers") and "{" not in path
        }
        found["eps_suppression"] = [
            get(f"/esp/suppression/{kind}", **parameters)
            for kind in ("bounces", "blocks", "spam_reports", "invalid_emails")
            for parameters in ({}, {"domain": "unknown.example.com"})
        ]
        search = session.post(f"{base}/customers", params={"limit": 100}, json=EVERYBODY, timeout=10).json()
        ids = [known["cio_id"] for known in search["identifiers"]]
        people = session.post(
            f"{base}/customers/attributes", params={"id_type": "cio_id"}, json={"ids": ids}, timeout=10
        ).json()
        found["customers_search"] = [search]
        found["customers"] = [{"customers": [{"customer": person} for person in people["customers"]]}]
        yield found


@pytest.mark.parametrize("stream", ENDPOINTS)
def test_answers_agree_with_the_document(answers: dict[str, list[JsonObject]], stream: str) -> None:
    errors = [error for error in errors_of(answers, stream) if difference(stream, error) not in DIFFERENCES]
    assert [f"{difference(stream, error)} ({error.message[:200]})" for error in errors] == []


def test_no_difference_is_listed_in_vain(answers: dict[str, list[JsonObject]]) -> None:
    found = {difference(stream, error) for stream in ENDPOINTS for error in errors_of(answers, stream)}
    assert set(DIFFERENCES) - found == set()


@pytest.mark.parametrize("stream", TABLES)
def test_every_documented_field_is_declared(stream: str) -> None:
    declared = json.loads((SCHEMAS / f"{stream}.json").read_text())
    [envelope] = [part for part in documented(stream)["properties"].values() if part.get("type") == "array"]
    record = envelope["items"]["properties"]["customer"] if stream in WRAPPED else envelope["items"]
    assert set(missing(record, declared)) - UNDECLARED.get(stream, set()) == set()


@pytest.mark.parametrize("stream", TABLES)
def test_what_the_schemas_declare_is_true_of_the_answers(answers: dict[str, list[JsonObject]], stream: str) -> None:
    validator = OAS30Validator(_nullable(json.loads((SCHEMAS / f"{stream}.json").read_text())))
    for body in answers[stream]:
        [rows] = [part for part in body.values() if isinstance(part, list)] or [[]]
        for row in rows:
            record = row["customer"] if stream in WRAPPED else row
            assert [error.message for error in validator.iter_errors(record)] == []


def errors_of(answers: dict[str, list[JsonObject]], stream: str) -> Iterator[ValidationError]:
    validator = OAS30Validator(documented(stream))
    for body in answers[stream]:
        yield from validator.iter_errors(body)


def difference(stream: str, error: ValidationError) -> str:
    """What an error says, without the number of the element."""
    where = re.sub(r"\[\d+]", "[]", error.json_path)
    return f"{stream}: {where} {'is null' if error.instance is None else error.validator}"


def missing(record: JsonObject, declared: JsonObject, path: str = "") -> Iterator[str]:
    """The documented fields that the declared schema has not; below open objects nothing needs to be declared."""
    for part in (record, *record.get("oneOf", []), *record.get("allOf", [])):
        for name, child in part.get("properties", {}).items():
            if "properties" not in declared:
                return
            if name not in declared["properties"]:
                yield path + name
                continue
            inner = declared["properties"][name]
            yield from missing(child.get("items", child), inner.get("items", inner), f"{path}{name}.")


def _nullable(schema: Any) -> Any:  # noqa: ANN401 # any part of a schema
    """The draft 7 schema as OpenAPI 3.0 writes it: `nullable` instead of a list of types."""
    if isinstance(schema, dict):
        made = {name: _nullable(part) for name, part in schema.items() if name != "$schema"}
        if isinstance(made.get("type"), list):
            made |= {"type": made["type"][-1], "nullable": True}
        return made
    return [_nullable(part) for part in schema] if isinstance(schema, list) else schema


def _resolved(part: Any, document: JsonObject) -> Any:  # noqa: ANN401 # any part of the document
    """The part of the document with every reference replaced by what it refers to."""
    if isinstance(part, list):
        return [_resolved(item, document) for item in part]
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("$ref"), str):
        target: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _resolved(target, document)
    return {name: _resolved(item, document) for name, item in part.items() if name not in {"example", "examples"}}
