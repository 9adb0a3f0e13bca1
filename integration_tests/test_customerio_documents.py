"""The sandbox's responses and the connector's schemas compared with Customer.io's own OpenAPI document.

Where the live API differs from the document of 2025, the sandbox follows the live API; all such differences are listed
here.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema.exceptions import ValidationError
from openapi_schema_validator import OAS30Validator

from cdp_connectors.json_types import Json
from integration_tests.rows import JsonObject
from sandbox.api.endpoints import OfParents
from sandbox.server import Sandbox
from unit_tests.vendor_documents import DOCUMENTS, needs_documents

SCHEMAS = Path(__file__).parents[1] / "source_customerio" / "schemas"
BODIES: dict[str, Callable[[Sandbox], JsonObject]] = {
    "customers_search": lambda _: {"filter": {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}},
    "customers": lambda world: {"ids": [person.cio_id for person in world.customerio.people.at(world.clock.now)[:100]]},
    "objects": lambda _: {
        "object_type_id": "1",
        "filter": {"and": [{"object_attribute": {"field": "size", "operator": "exists", "type_id": "1"}}]},
    },
}
"""The bodies of the requests that have one."""

pytestmark = needs_documents

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
    "campaign_actions": "/campaigns/{campaign_id}/actions",
    "broadcast_actions": "/broadcasts/{broadcast_id}/actions",
    "broadcast_triggers": "/broadcasts/{broadcast_id}/triggers",
    "broadcast_trigger_errors": "/campaigns/{broadcast_id}/triggers/{trigger_id}/errors",
    "newsletter_variants": "/newsletters/{newsletter_id}/contents",
    "newsletter_test_groups": "/newsletters/{newsletter_id}/test_groups",
    "transactional_variants": "/transactional/{transactional_id}/contents",
    "segment_memberships": "/segments/{segment_id}/membership",
    "segment_counts": "/segments/{segment_id}/customer_count",
    "segment_usage": "/segments/{segment_id}/used_by",
    "sender_usage": "/sender_identities/{sender_id}/used_by",
    "objects": "/objects",
    "object_attributes": "/objects/{object_type_id}/{object_id}/attributes",
    "object_relationships": "/objects/{object_type_id}/{object_id}/relationships",
    "collection_contents": "/collections/{collection_id}/content",
    "person_segments": "/customers/{customer_id}/segments",
    "person_relationships": "/customers/{customer_id}/relationships",
    "person_subscription_preferences": "/customers/{customer_id}/subscription_preferences",
}
NOT_SERVED = {
    r"/[^/]+/{\w+}": "one element of a list that is served",
    r"/.*/language/{language}": "one element of a list that is served",
    r"/(campaigns|broadcasts)/{\w+}/(actions|triggers)/{\w+}": "one element of a list that is served",
    r"/newsletters/{newsletter_id}/contents/{content_id}": "one element of a list that is served",
    r"/esp/search_suppression/{email_address}": "one address of a list that is served",
    r"/(campaigns|broadcasts|newsletters|transactional|customers)/{\w+}/messages": "deliveries that /messages has",
    r"/customers/{customer_id}/activities": "activities that /activities has",
    r"/customers/{customer_id}/attributes": "attributes that /customers/attributes has",
    r"/customers": "a search by e-mail address, whereas POST /customers finds everyone",
    r"/exports/{export_id}/download": "a link to a file",
    r"/messages/{message_id}/archived_message": "a hundred a day",
    r".*/(journey_)?metrics(/links)?": "see `test_customerio_metrics_documents`",
}
"""The read operations that are not compared here, with the reason."""
RECORDS = {
    "customers": "properties/customers/items/properties/customer",
    "segment_memberships": "oneOf/0/properties/identifiers/items",
    "segment_counts": "",
    "segment_usage": "properties/used_by",
    "sender_usage": "",
    "objects": "properties/identifiers/items",
    "object_attributes": "properties/object",
    "person_subscription_preferences": "properties/customer",
}
"""The location of a record's description in the response, unless it is the element of the only array."""
SCALARS = {"ip_addresses", "broadcast_trigger_errors"}
FREE = {"collection_contents"}
"""Fields whose type the document leaves open."""
TABLES = [
    stream
    for stream in ENDPOINTS
    if stream not in {"customers_search", *SCALARS, *FREE} and (SCHEMAS / f"{stream}.json").exists()
]
"""The streams whose records are objects of the document."""
DIFFERENCES = {
    "broadcasts: $.broadcasts[].tags is null": "a list without elements can be null",
    "campaigns: $.campaigns[] oneOf": "tags can be null, and the types of campaigns are not a closed list",
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
    "campaign_actions: $.actions[] oneOf": "ids are strings, and the forms of an action overlap",
    "broadcast_actions: $.actions[] oneOf": "as above",
    "broadcast_triggers: $.triggers is null": "a list without elements can be null",
    "broadcast_trigger_errors: $.errors is null": "as above",
    "newsletter_test_groups: $.test_groups is null": "as above",
    "newsletter_test_groups: $.test_groups[].content_ids[] type": "the document's example has integers",
    "segment_memberships: $ oneOf": "lists without elements are null, and the second form is part of the first",
    "object_relationships: $.cio_relationships is null": "a list without elements can be null",
    "object_relationships: $.cio_relationships[] type": "the document's example has one more array around it",
    "person_relationships: $.cio_relationships is null": "a list without elements can be null",
    "collection_contents: $ type": "a collection is what was uploaded: any array or object",
    "eps_suppression: $.category enum": "the types blocks and invalid_emails are newer than the document",
}
UNDECLARED = {"messages": {"message_template_id"}}
"""Documented fields that have another name in the live API, here `msg_template_id`."""


@cache
def paths() -> JsonObject:
    document = json.loads((DOCUMENTS / "customerio" / "openapi-2025.json").read_text())
    return {path.removeprefix("/v1"): _resolved(item, document) for path, item in document["paths"].items()}


def documented(stream: str) -> JsonObject:
    """The schema of the 200 response."""
    operation = paths()[ENDPOINTS[stream]]["post" if stream in BODIES else "get"]
    schema: JsonObject = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return schema


def described_record(stream: str) -> JsonObject:
    """The schema of one record."""
    if stream not in RECORDS:
        [envelope] = [part for part in documented(stream)["properties"].values() if part.get("type") == "array"]
        record: JsonObject = envelope["items"]
        return record
    found: Any = documented(stream)
    for step in filter(None, RECORDS[stream].split("/")):
        found = found[int(step) if isinstance(found, list) else step]
    described: JsonObject = found
    return described


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(scale=0.05) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def answers(world: Sandbox) -> dict[str, list[JsonObject]]:
    """The sandbox's responses to each stream's first requests."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {world.customerio.region_keys['us']}"

    def ask(stream: str, path: str, parameters: dict[str, str]) -> JsonObject:
        url = f"{world.url}/customerio/us/v1{path}"
        body = BODIES[stream](world) if stream in BODIES else None
        answer = session.request("POST" if body else "GET", url, params=parameters, json=body, timeout=10)
        assert answer.status_code == HTTPStatus.OK, answer.text
        found: JsonObject = answer.json()
        return found

    found = {
        stream: [ask(stream, path, parameters) for path in addresses(world, template) for parameters in asked(stream)]
        for stream, template in ENDPOINTS.items()
    }
    people = found["customers"][0]["customers"]
    return found | {"customers": [{"customers": [{"customer": person} for person in people]}]}  # the live ones are bare


def addresses(world: Sandbox, template: str) -> list[str]:
    """The paths of the template for the first hundred parents."""
    kind, *below = template.removeprefix("/").split("/")
    if "suppression_type" in template:
        return [f"/esp/suppression/{type_}" for type_ in ("bounces", "blocks", "spam_reports", "invalid_emails")]
    if "trigger_id" in template:
        triggers = world.customerio.expected("broadcast_triggers")
        return [f"/campaigns/{row['broadcast_id']}/triggers/{row['id']}/errors" for row in triggers]
    if "{" not in template:
        return [template]
    below_kind = re.compile(f"/{kind}/{{.+}}/{below[-1]}")
    endpoint = next(each for each in world.customerio.endpoints if below_kind.fullmatch(each.path))
    assert isinstance(endpoint, OfParents)
    return [endpoint.path.format(**arguments) for arguments in list(endpoint.of(world.clock.now))[:100]]


def asked(stream: str) -> list[dict[str, str]]:
    """The parameters of each request."""
    id_type = "cio_object_id" if stream.startswith("object") else "cio_id"
    common = {"limit": "1000" if stream == "messages" else "100", "get_tracked_responses": "true", "id_type": id_type}
    return [common, common | {"domain": "unknown.example.com"}] if stream == "eps_suppression" else [common]


@pytest.mark.parametrize("stream", ENDPOINTS)
def test_responses_conform_to_the_document(answers: dict[str, list[JsonObject]], stream: str) -> None:
    errors = [error for error in errors_of(answers, stream) if difference(stream, error) not in DIFFERENCES]
    assert [f"{difference(stream, error)} ({error.message[:200]})" for error in errors] == []


def test_every_listed_difference_exists(answers: dict[str, list[JsonObject]]) -> None:
    found = {difference(stream, error) for stream in ENDPOINTS for error in errors_of(answers, stream)}
    assert set(DIFFERENCES) - found == set()


@pytest.mark.parametrize("stream", TABLES)
def test_every_documented_field_is_declared(stream: str) -> None:
    declared = json.loads((SCHEMAS / f"{stream}.json").read_text())
    assert set(missing(described_record(stream), declared)) - UNDECLARED.get(stream, set()) == set()


@pytest.mark.parametrize("stream", TABLES)
def test_records_conform_to_the_declared_schemas(world: Sandbox, stream: str) -> None:
    validator = OAS30Validator(_nullable(json.loads((SCHEMAS / f"{stream}.json").read_text())))
    for record in world.customerio.expected(stream)[:1000]:
        assert [error.message for error in validator.iter_errors(record)] == []


def test_every_read_operation_is_served_or_listed_as_not_compared() -> None:
    reading = {path for path, operations in paths().items() if "get" in operations}
    unserved = {path for path in reading if any(re.fullmatch(pattern, path) for pattern in NOT_SERVED)}
    posted = {ENDPOINTS[stream] for stream in BODIES}
    assert reading - unserved == set(ENDPOINTS.values()) - posted
    assert not [pattern for pattern in NOT_SERVED if not any(re.fullmatch(pattern, path) for path in unserved)]


def errors_of(answers: dict[str, list[JsonObject]], stream: str) -> Iterator[ValidationError]:
    validator = OAS30Validator(documented(stream))
    for body in answers[stream]:
        yield from validator.iter_errors(body)


def difference(stream: str, error: ValidationError) -> str:
    """The message of an error, without the number of the element."""
    where = re.sub(r"\[\d+]", "[]", error.json_path)
    return f"{stream}: {where} {'is null' if error.instance is None else error.validator}"


def missing(record: JsonObject, declared: JsonObject, path: str = "") -> Iterator[str]:
    """The documented fields missing from the declared schema; below open objects nothing needs to be declared."""
    for part in variants(record):
        for name, child in part.get("properties", {}).items():
            if "properties" not in declared:
                return
            if name not in declared["properties"]:
                yield path + name
                continue
            inner = declared["properties"][name]
            yield from missing(child.get("items", child), inner.get("items", inner), f"{path}{name}.")


def variants(record: JsonObject) -> Iterator[JsonObject]:
    """The schema and all of its component schemas."""
    yield record
    for part in (*record.get("oneOf", []), *record.get("allOf", [])):
        yield from variants(part)


def _nullable(schema: Json) -> Json:
    """The draft 7 schema in OpenAPI 3.0 form, with `nullable` instead of a list of types."""
    if isinstance(schema, dict):
        made = {name: _nullable(part) for name, part in schema.items() if name != "$schema"}
        if isinstance(made.get("type"), list):
            made |= {"type": made["type"][-1], "nullable": True}
        return made
    return [_nullable(part) for part in schema] if isinstance(schema, list) else schema


def _resolved(part: Json, document: JsonObject) -> Json:
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
