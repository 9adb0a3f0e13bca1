"""Messages about an invalid configuration never quote it."""

import pytest
import yaml

from cdp_connectors.config import HttpUrl, url_fault
from cdp_connectors.config_faults import config_fault
from cdp_connectors.json_types import Json, JsonObject
from unit_tests.test_metadata import folder

SECRET = "AKIA-planted"


def specification(name: str) -> JsonObject:
    manifest = yaml.safe_load((folder(name) / "manifest.yaml").read_text())
    spec: JsonObject = manifest["spec"]["connection_specification"]
    return spec


@pytest.mark.parametrize(
    ("name", "config", "expected"),
    [
        ("source-segment", {}, "'api_token' is missing."),
        ("source-segment", {"api_token": [SECRET]}, "'api_token' must be a string."),
        ("source-segment", {"api_token": SECRET, "region": SECRET}, "'region' must be one of: us, eu."),
        ("source-segment", {"api_token": SECRET, "retries": SECRET}, "'retries' must be a whole number."),
        ("source-customerio", {"access_token": SECRET, "messages_lookback_days": 999}, "must be at most 180."),
        ("source-heap", {"bucket": "b", "credentials": SECRET}, "'credentials' must be an object."),
        (
            "source-heap",
            {"bucket": "b", "credentials": {"auth_type": SECRET}},
            "'credentials.auth_type' must be one of:",
        ),
        (
            "source-heap",
            {"bucket": "b", "credentials": {"auth_type": "access_key", "aws_access_key_id": SECRET}},
            "'credentials.aws_secret_access_key' is missing.",
        ),
        ("source-heap", [SECRET], "The configuration must be an object."),
    ],
)
def test_a_fault_names_the_field_and_never_the_value(name: str, config: Json, expected: str) -> None:
    fault = config_fault(config, specification(name))

    assert expected in str(fault)
    assert SECRET not in str(fault)


def test_a_valid_configuration_has_no_fault() -> None:
    credentials = {"auth_type": "access_key", "aws_access_key_id": "a", "aws_secret_access_key": "b"}

    assert config_fault({"bucket": "b", "credentials": credentials}, specification("source-heap")) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("api.segmentapis.com", "does not begin with https://"),
        ("ftp://api.segmentapis.com", "does not begin with https://"),
        ("https:/api.segmentapis.com", "does not begin with https://"),
        ("s3://bucket", "names a bucket"),
        ("https://proxy.example.com:70000", "port"),
        ("https://proxy.example.com:0", "port"),
        ("https://proxy.example.com:http", "port"),
        ("https://user:planted@proxy.example.com:99999", "password"),
        ("https://[::1", "host name"),
        ("https://", "host name"),
        ("https://proxy.example.com?region=us", "query"),
        ("https://proxy example.com", "not a URL"),
        (7, "not a URL"),
    ],
)
def test_an_unusable_url_is_reported_with_its_problem(url: Json, words: str) -> None:
    fault = url_fault(url)

    assert words in str(fault)
    assert "planted" not in str(fault)


@pytest.mark.parametrize("url", ["https://proxy.example.com", "http://127.0.0.1:8080/v2", "http://[::1]:9000", ""])
def test_other_urls_are_accepted(url: str) -> None:
    HttpUrl(title="API URL").validate(url)
