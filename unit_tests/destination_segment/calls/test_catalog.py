"""Configurations that are rejected before anything is sent."""

import pytest
from airbyte_cdk.models import FailureType
from requests_mock import Mocker

from unit_tests.destination_segment.segment_writes import JsonObject, catalog_of, config_of, record, write

IDENTIFY: JsonObject = {"stream": "users", "call_type": "identify", "user_id_field": "id"}
API_CALL: JsonObject = {"stream": "users", "call_type": "api_call", "path": "/track"}
FIELDS = ["id", "email", "updated_at"]


def rejection(
    api: Mocker, mapping: JsonObject, properties: JsonObject | list[str] = FIELDS, stream: str = "users"
) -> str | None:
    written = write(config_of(mapping), catalog_of(stream, properties), [record({"id": 1}, stream)])
    if written.error is None:
        return None
    assert written.error.failure_type is FailureType.config_error
    assert not api.request_history
    return str(written.error)


def test_a_stream_without_a_mapping(api: Mocker) -> None:
    assert rejection(api, IDENTIFY, stream="accounts") == (
        "Stream 'accounts' has no mapping (mapped streams: 'users'). Add a mapping, deselect the stream, or set "
        "Unmapped Streams to identify."
    )


@pytest.mark.parametrize(
    ("mapping", "missing"),
    [
        ({**IDENTIFY, "user_id_field": "ID"}, "ID"),
        ({**IDENTIFY, "timestamp_field": "at"}, "at"),
        ({**IDENTIFY, "context": [{"name": "ip", "field": "address"}]}, "address"),
        ({**IDENTIFY, "traits": {"selection": "all", "exclude": ["password"]}}, "password"),
        ({**IDENTIFY, "traits": {"selection": "all", "object_field": "attributes"}}, "attributes"),
        ({**IDENTIFY, "traits": {"selection": "list", "fields": ["email", "plan", "age"]}}, "age, plan"),
        ({**IDENTIFY, "traits": {"selection": "mapping", "mapping": [{"name": "a", "field": "b"}]}}, "b"),
        ({**API_CALL, "path": "/users/{{ record.uid }}"}, "uid"),
        ({**API_CALL, "query": [{"name": "a", "value": "{{ record['uid'] | upper }}"}]}, "uid"),
        ({**API_CALL, "body": {"source": "template", "template": '{"ids": ["{{ record.uid }}"]}'}}, "uid"),
        ({**API_CALL, "body": {"source": "field", "field": "payload"}}, "payload"),
    ],
)
def test_a_field_that_the_stream_does_not_have(api: Mocker, mapping: JsonObject, missing: str) -> None:
    assert rejection(api, mapping) == (
        f"Mapping 1 (stream 'users') refers to fields that the stream does not have: {missing}. Its fields are email, "
        "id, updated_at."
    )


@pytest.mark.parametrize(
    "properties",
    [
        {"id": {}, "profile": {}},
        {"id": {}, "profile": {"type": ["null", "object"]}},
        {"id": {}, "profile": {"type": "object", "properties": {"name": {"type": "string"}}}},
        {"id": {}, "profile": {"type": "object", "properties": {"age": {}}, "additionalProperties": True}},
        {"id": {}, "profile": True},
        {},
    ],
    ids=["untyped", "open object", "declared", "declared and open", "boolean schema", "no schema"],
)
def test_a_field_inside_an_object_that_may_have_it(api: Mocker, properties: JsonObject) -> None:
    assert rejection(api, {**IDENTIFY, "traits": {"selection": "list", "fields": ["profile.name"]}}, properties) is None


@pytest.mark.parametrize(
    "profile",
    [
        {"type": "string"},
        {"type": "object", "properties": {"age": {}}, "additionalProperties": False},
    ],
)
def test_a_field_inside_an_object_that_cannot_have_it(api: Mocker, profile: JsonObject) -> None:
    traits = {"selection": "list", "fields": ["profile.name"]}
    assert "profile.name" in str(rejection(api, {**IDENTIFY, "traits": traits}, {"id": {}, "profile": profile}))


@pytest.mark.parametrize(
    ("mapping", "properties", "message"),
    [
        (
            IDENTIFY,
            {"id": {}, "name": {"type": ["null", "object"]}},
            (
                "Mapping 1 (stream 'users') sends the field 'name' (object) as 'name', which Segment reserves for a "
                "string. Map it under another name, or leave it out."
            ),
        ),
        (
            {**IDENTIFY, "traits": {"selection": "all", "object_field": "profile"}},
            {"id": {}, "profile": {"type": "object", "properties": {"age": {"type": "boolean"}}}},
            (
                "Mapping 1 (stream 'users') sends the field 'profile.age' (boolean) as 'age', which Segment reserves "
                "for a number. Map it under another name, or leave it out."
            ),
        ),
        (
            {**IDENTIFY, "traits": {"selection": "list", "fields": ["address"]}},
            {"id": {}, "address": {"type": "array"}},
            (
                "Mapping 1 (stream 'users') sends the field 'address' (array) as 'address', which Segment reserves "
                "for an object. Map it under another name, or leave it out."
            ),
        ),
        (
            {**IDENTIFY, "traits": {"selection": "mapping", "mapping": [{"name": "company.plan", "field": "plans"}]}},
            {"id": {}, "plans": {"type": "array"}},
            (
                "Mapping 1 (stream 'users') sends the field 'plans' (array) as 'company.plan', which Segment reserves "
                "for a string. Map it under another name, or leave it out."
            ),
        ),
    ],
)
def test_a_field_whose_type_does_not_fit_its_reserved_name(
    api: Mocker, mapping: JsonObject, properties: JsonObject, message: str
) -> None:
    assert rejection(api, mapping, properties) == message


@pytest.mark.usefixtures("api")
def test_an_overwriting_stream_gets_a_warning_that_records_are_appended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    catalog = catalog_of()
    catalog["streams"][0]["destination_sync_mode"] = "overwrite"
    assert write(config_of(IDENTIFY), catalog, []).error is None
    assert any(message.startswith("Stream 'users' is configured to overwrite") for message in caplog.messages)


@pytest.mark.parametrize("catalog", [{}, {"streams": None}, {"streams": [{"name": "users"}]}, {"streams": ["users"]}])
def test_a_file_that_is_not_a_configured_catalog(api: Mocker, catalog: JsonObject) -> None:
    written = write(config_of(IDENTIFY), catalog, [])
    assert str(written.error) == "The file passed to --catalog is not a configured catalog."
    assert written.error
    assert written.error.failure_type is FailureType.config_error
    assert not api.request_history


def test_an_invalid_template(api: Mocker) -> None:
    assert "'body.template' is not JSON" in str(
        rejection(api, {**API_CALL, "body": {"source": "template", "template": "{{ record.id }}"}})
    )
    assert "'path' is not a valid template" in str(rejection(api, {**API_CALL, "path": "/{{ record.id"}))
