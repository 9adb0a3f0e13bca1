"""The spec, and the messages for invalid configurations."""

from collections.abc import Iterator

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from destination_segment.configuration.config import parse_config
from destination_segment.configuration.spec_form import config_schema
from unit_tests.destination_segment.segment_writes import JsonObject, config_of

IDENTIFY = {"stream": "users", "call_type": "identify", "user_id_field": "id"}


def with_traits(*mapping: JsonObject) -> JsonObject:
    return {**IDENTIFY, "traits": {"selection": "mapping", "mapping": list(mapping)}}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "Write Key is required."),
        (config_of(IDENTIFY, write_key="  "), "Write Key is required."),
        (config_of(IDENTIFY, region="ap"), "Region must be 'us' or 'eu'."),
        (
            config_of(IDENTIFY, api_url="api.segment.io"),
            "Tracking API URL does not begin with https:// (or http://). Enter the complete URL.",
        ),
        (config_of({"stream": "users"}), "Mapping 1 (stream 'users'): 'call' is required."),
        (
            config_of({"stream": "users", "call_type": "subscribe"}),
            (
                "Mapping 1 (stream 'users') must be one of 'identify', 'track', 'group', 'page', 'screen', 'alias', "
                "'api_call'."
            ),
        ),
        (config_of("users"), "Mapping 1 must be an object."),
        (
            config_of(IDENTIFY, {**IDENTIFY, "user_id_feild": "x"}),
            "Mapping 2 (stream 'users'): 'user_id_feild' is not a field of this mapping.",
        ),
        (
            config_of({"stream": "users", "call_type": "identify"}),
            (
                "Mapping 1 (stream 'users') has neither a user id field nor an anonymous id field; Segment requires "
                "one of them."
            ),
        ),
        (
            config_of({**IDENTIFY, "call_type": "track"}),
            "Mapping 1 (stream 'users') needs either an event name or an event name field, not both.",
        ),
        (
            config_of({**IDENTIFY, "call_type": "track", "event_name": "x", "currency": "Euro"}),
            "Mapping 1 (stream 'users'): 'currency' is not an ISO 4217 currency code.",
        ),
        (
            config_of({**IDENTIFY, "call_type": "page", "name": "Pricing", "name_field": "page"}),
            "Mapping 1 (stream 'users') has both a name and a name field; keep one of them.",
        ),
        (config_of({**IDENTIFY, "call_type": "group"}), "Mapping 1 (stream 'users'): 'group_id_field' is required."),
        (
            config_of(with_traits({"name": "age", "field": "a", "type": "string"})),
            (
                "Mapping 1 (stream 'users') maps 'age' as string, but Segment expects a number under this reserved "
                "name; use another name or type."
            ),
        ),
        (
            config_of(with_traits({"name": "created_at", "field": "a", "type": "number"})),
            (
                "Mapping 1 (stream 'users') maps 'created_at' as number, but Segment expects a date under this "
                "reserved name; use another name or type."
            ),
        ),
        (
            config_of(with_traits({"name": "company.employee_count", "field": "a", "type": "string"})),
            (
                "Mapping 1 (stream 'users') maps 'company.employee_count' as string, but Segment expects a number "
                "under this reserved name; use another name or type."
            ),
        ),
        (
            config_of(with_traits({"name": "address", "field": "a", "type": "number"})),
            (
                "Mapping 1 (stream 'users') maps 'address' as number, but Segment expects an object under this "
                "reserved name; use another name or type."
            ),
        ),
        (
            config_of({"stream": "users", "call_type": "api_call", "path": "/regulations", "api": "public"}),
            "Mapping 1 (stream 'users') calls the Public API, which needs a Public API token.",
        ),
    ],
)
def test_a_problem_is_reported_in_a_message(config: JsonObject, message: str) -> None:
    with pytest.raises(AirbyteTracedException) as failure:
        parse_config(config)
    assert failure.value.message == message
    assert failure.value.failure_type is FailureType.config_error


def test_a_problem_is_reported_without_the_secret_next_to_it() -> None:
    with pytest.raises(AirbyteTracedException) as failure:
        parse_config({"write_key": ["sandbox-key-123"], "mappings": [IDENTIFY], "public_api_token": 5})
    assert "sandbox-key-123" not in f"{failure.value.message}{failure.value.internal_message}"


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "age", "field": "a", "type": "number"},
        {"name": "age", "field": "a"},
        {"name": "age_group", "field": "a", "type": "string"},
        {"name": "employees", "field": "a", "type": "number"},
        {"name": "company.id", "field": "a", "type": "number"},
        {"name": "company.tier", "field": "a", "type": "boolean"},
    ],
)
def test_unreserved_names_and_matching_types_are_accepted(entry: JsonObject) -> None:
    parse_config(config_of(with_traits(entry)))


def test_strings_are_trimmed_and_empty_form_fields_are_absent() -> None:
    config = parse_config(config_of({**IDENTIFY, "anonymous_id_field": "", "timestamp_field": None}, region=""))
    assert (config.region, config.mappings[0].call.used_fields) == ("us", {"id"})
    assert parse_config(config_of(IDENTIFY, write_key=" k ")).write_key == "k"


def test_airbyte_can_show_the_form() -> None:
    schema = config_schema()
    fields = list(form_fields(schema))
    assert {name for name, field in fields if field.get("airbyte_secret")} == {
        "write_key",
        "public_api_token",
        "access_key_id",
        "secret_access_key",
    }
    for name, field in fields:
        assert field.get("title"), name
        assert field.get("description"), name
        assert isinstance(field.get("order"), int), name
    assert not {"$ref", "anyOf", "allOf", "discriminator"} & set(keywords(schema))


def test_every_call_type_is_an_option_with_its_own_constant() -> None:
    options = config_schema()["properties"]["mappings"]["items"]["properties"]["call"]["oneOf"]
    assert [option["properties"]["call_type"]["const"] for option in options] == [
        "identify",
        "track",
        "group",
        "page",
        "screen",
        "alias",
        "api_call",
    ]
    assert all("call_type" in option["required"] for option in options)


def form_fields(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for name, field in schema.get("properties", {}).items():
        yield name, field
        yield from form_fields(field)
    for inner in [*schema.get("oneOf", []), *([schema["items"]] if "items" in schema else [])]:
        yield from form_fields(inner)


def keywords(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keywords(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keywords(inner)
