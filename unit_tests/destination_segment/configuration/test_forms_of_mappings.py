"""The shapes of the configuration: the new one, that of 0.1.0, and the fields that the form must show."""

import logging

import pytest
from airbyte_cdk.utils import AirbyteTracedException
from jsonschema import Draft7Validator

from cdp_connectors.json_types import JsonObject
from destination_segment import DestinationSegment
from destination_segment.configuration.config import parse_config
from destination_segment.configuration.spec_form import config_schema
from unit_tests.destination_segment.segment_writes import config_of

FLAT: JsonObject = {"stream": "users", "call_type": "track", "user_id_field": "id", "event_name": "Seen"}
NESTED: JsonObject = {"stream": "users", "call": {"call_type": "track", "user_id_field": "id", "event_name": "Seen"}}


def test_the_flat_shape_of_the_first_version_means_the_same() -> None:
    assert parse_config(config_of(FLAT)) == parse_config(config_of(NESTED))


@pytest.mark.parametrize("mapping", [FLAT, NESTED])
def test_airbyte_accepts_either_shape_in_a_stored_configuration(mapping: JsonObject) -> None:
    Draft7Validator(config_schema()).validate(config_of(mapping))
    assert "additionalProperties" not in str(config_schema())


def test_both_shapes_can_have_a_condition() -> None:
    condition = {"send_when": {"condition": "deleted"}}
    assert parse_config(config_of(FLAT | condition)) == parse_config(config_of(NESTED | condition))


def test_what_the_form_must_show_is_shown() -> None:
    properties = config_schema()["properties"]
    calls = {option["title"]: option for option in properties["mappings"]["items"]["properties"]["call"]["oneOf"]}
    shown = {name for name, field in properties.items() if field.get("always_show")}
    assert {"region", "mappings", "unmapped_streams", "on_invalid"} <= shown
    for title in ("Identify", "Track", "Group", "Page", "Screen"):
        for name in ("user_id_field", "anonymous_id_field"):
            assert calls[title]["properties"][name]["always_show"], (title, name)
    assert calls["Track"]["properties"]["event_name"]["always_show"]


def test_a_write_key_alone_is_a_configuration() -> None:
    assert config_schema()["required"] == ["write_key"]
    assert parse_config({"write_key": "k"}).mappings == []


def problem_of(config: JsonObject) -> str:
    with pytest.raises(AirbyteTracedException) as failure:
        parse_config(config)
    return str(failure.value)


@pytest.mark.parametrize("name", ["write_key", "public_api_token"])
@pytest.mark.parametrize(
    "value", ["ab\ncd-1", "••••••••", "**********", "zwölf-12", "a b-12", "tab\tkey-1", "\x7fkey-12"]
)
def test_a_credential_that_a_header_cannot_contain_is_named_and_not_quoted(name: str, value: str) -> None:
    problem = problem_of({"write_key": "k", name: value})
    assert problem.startswith({"write_key": "Write Key ", "public_api_token": "Public API Token "}[name])
    assert value not in problem


@pytest.mark.parametrize("pattern", ["YYYY-MM-DD", "%Q", "%", "100%%", "%d.%m.%Y %"])
def test_a_timestamp_format_that_describes_no_time_is_rejected(pattern: str) -> None:
    call = {**NESTED["call"], "timestamp_field": "at", "timestamp_format": pattern}
    assert "'call.timestamp_format'" in problem_of(config_of({"stream": "users", "call": call}))


@pytest.mark.parametrize("pattern", ["%d.%m.%Y %H:%M", "%Y%m%d", "%Y%%"])
def test_a_timestamp_format_with_directives_is_accepted(pattern: str) -> None:
    call = {**NESTED["call"], "timestamp_field": "at", "timestamp_format": pattern}
    parse_config(config_of({"stream": "users", "call": call}))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"name": "a"}, "needs either a field or a constant or template for 'a', not both"),
        ({"name": "a", "field": "b", "value": "c"}, "needs either a field or a constant or template for 'a', not both"),
        ({"name": "a", "value": "{{ record.x"}, "is not a valid template"),
    ],
)
def test_a_named_value_has_one_source(entry: JsonObject, problem: str) -> None:
    traits = {"selection": "mapping", "mapping": [entry]}
    call = {"call_type": "identify", "user_id_field": "id", "traits": traits}
    assert problem in problem_of(config_of({"stream": "users", "call": call}))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"events_per_second": 0}, "Events per Second"),
        (
            {"object_storage_config": {"storage_type": "S3"}},
            "Object Storage Configuration: 's3_bucket_name' is required.",
        ),
        (
            {"object_storage_config": {"storage_type": "S3", "s3_bucket_name": "b", "access_key_id": "a"}},
            "Object Storage Configuration needs both an access key id and a secret access key, or neither.",
        ),
        ({"mappings": [{**NESTED, "send_when": {"condition": "sometimes"}}]}, "'send_when' must be one of"),
        ({"mappings": [{**NESTED, "send_when": {"condition": "field_present"}}]}, "'send_when.field' is required."),
        (
            {
                "mappings": [
                    {
                        "stream": "users",
                        "call": {
                            "call_type": "api_call",
                            "path": "/a",
                            "body": {"source": "template", "template": "{"},
                        },
                    }
                ]
            },
            "'call.body.template' is not JSON",
        ),
    ],
)
def test_other_problems_name_their_field(settings: JsonObject, problem: str) -> None:
    assert problem in problem_of({**config_of(NESTED), **settings})


def test_check_compiles_templates() -> None:
    config = config_of({"stream": "users", "call": {"call_type": "api_call", "path": "/{{ record.id"}})
    with pytest.raises(AirbyteTracedException, match="is not a valid template"):
        DestinationSegment().check(logging.getLogger("airbyte"), config)
