"""`check`: which requests it makes, and what its message tells the user to change."""

import logging

import pytest
import requests
import requests_mock
from airbyte_cdk.models import AirbyteConnectionStatus, Status

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject
from unit_tests.source_customerio.customerio_api import EU, US

ACCEPTED = {"json": {"workspaces": [{"id": 1}]}}
REJECTED = {"status_code": 401, "json": {"errors": [{"detail": "unauthorized", "status": "401"}]}}
HOSTS = {"us": US, "eu": EU}


def check(config: JsonObject) -> AirbyteConnectionStatus:
    return SourceCustomerio(config=config).check(logging.getLogger("airbyte"), config)


@pytest.mark.parametrize("region", ["us", "eu"])
def test_requests_one_page_per_stream_and_names_what_the_key_cannot_read(
    api: requests_mock.Mocker, region: str
) -> None:
    api.get(requests_mock.ANY, status_code=403, json={"errors": []})
    api.get(HOSTS[region] + "/workspaces", **ACCEPTED)

    status = check({"access_token": "key", "region": region})

    requested = [request.url.partition("?")[0] for request in api.request_history]
    assert status.status is Status.SUCCEEDED
    assert "cannot read" in str(status.message)
    assert "campaigns" in str(status.message)
    assert requested[0] == HOSTS[region] + "/workspaces"
    assert HOSTS[region] + "/campaigns" in requested
    assert requested.count(HOSTS[region] + "/workspaces") == 1


@pytest.mark.parametrize(("region", "other"), [("us", "eu"), ("eu", "us")])
def test_names_the_region_that_a_key_belongs_to(api: requests_mock.Mocker, region: str, other: str) -> None:
    api.get(HOSTS[region] + "/workspaces", **REJECTED)
    api.get(HOSTS[other] + "/workspaces", **ACCEPTED)

    status = check({"access_token": "key", "region": region})

    assert status.status is Status.FAILED
    assert status.message == (
        f"This App API key belongs to region '{other}', not '{region}'. Change Region to '{other}'."
    )
    assert len(api.request_history) == 2


def test_says_when_no_region_accepts_the_key(api: requests_mock.Mocker) -> None:
    api.get(US + "/workspaces", **REJECTED)
    api.get(EU + "/workspaces", **REJECTED)

    status = check({"access_token": "key"})

    assert status.status is Status.FAILED
    assert status.message == (
        "Neither region of Customer.io accepts this App API key. Check that it is complete and not revoked, that it is "
        "an App API key (a Track or Pipelines key does not work), and that the key's IP allowlist, if it has one, "
        "allows this connector."
    )
    assert len(api.request_history) == 2


def test_the_first_response_counts_when_the_other_region_is_unreachable(api: requests_mock.Mocker) -> None:
    api.get(US + "/workspaces", **REJECTED)
    api.get(EU + "/workspaces", exc=requests.ConnectionError("no route"))

    status = check({"access_token": "key"})

    assert str(status.message).startswith("Customer.io rejected the App API key in region 'us'.")


def test_with_an_api_url_no_other_region_is_tried(api: requests_mock.Mocker) -> None:
    api.get("http://proxy.example.com/v1/workspaces", **REJECTED)

    status = check({"access_token": "key", "api_url": "http://proxy.example.com"})

    assert str(status.message).startswith("Customer.io rejected the App API key at http://proxy.example.com.")
    assert len(api.request_history) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status_code": 403, "json": {"errors": []}}, "denied this App API key access to stream workspaces"),
        ({"status_code": 404, "text": "404 page not found"}, "check that it is the base URL of Customer.io's App"),
        ({"text": "<html>", "headers": {"Content-Type": "text/html"}}, "a web page instead of an App API response"),
        ({"status_code": 503, "text": ""}, "Customer.io is temporarily unavailable"),
    ],
    ids=["403", "404", "web page", "503"],
)
def test_other_failures_do_not_try_the_other_region(
    api: requests_mock.Mocker, answer: dict[str, object], words: str
) -> None:
    for path in ("workspaces", "campaigns", "segments", "newsletters", "activities", "snippets"):
        api.get(f"{US}/{path}", **answer)

    status = check({"access_token": "key"})

    assert status.status is Status.FAILED
    assert words in str(status.message)
    assert {request.hostname for request in api.request_history} == {"api.customer.io"}


def test_a_key_that_may_not_list_the_workspaces_is_valid_if_it_reads_anything_else(api: requests_mock.Mocker) -> None:
    for path in ("workspaces", "campaigns"):
        api.get(f"{US}/{path}", status_code=403, json={"errors": []})
    api.get(US + "/segments", json={"segments": []})

    assert check({"access_token": "key"}).status is Status.SUCCEEDED
    first = [request.path for request in api.request_history][:3]
    assert first == ["/v1/workspaces", "/v1/campaigns", "/v1/segments"]


def test_gives_up_soon_when_the_api_is_unreachable(api: requests_mock.Mocker, waits: list[float]) -> None:
    api.get(US + "/workspaces", exc=requests.ConnectionError("Name or service not known"))

    assert check({"access_token": "key"}).status is Status.FAILED
    assert sum(waits) < 30


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"access_token": "  "}, "App API Key is empty"),
        ({"access_token": "key", "start_date": "31/12/2024"}, "Start Date is not a date"),
        ({"access_token": "key", "start_date": "2024-02-30"}, "Start Date is not a date"),
        ({"access_token": "key", "start_date": "2027-01-01"}, "is in the future"),
    ],
)
def test_a_wrong_configuration_is_rejected_before_any_request(
    api: requests_mock.Mocker, config: JsonObject, words: str
) -> None:
    status = check(config)

    assert status.status is Status.FAILED
    assert words in str(status.message)
    assert api.request_history == []


def test_an_emptied_field_counts_as_not_set(api: requests_mock.Mocker) -> None:
    api.get(US + "/workspaces", **ACCEPTED)

    assert check({"access_token": "key", "start_date": "", "api_url": " "}).status is Status.SUCCEEDED


def test_a_check_waits_for_its_turn_in_a_shared_limit(api: requests_mock.Mocker, waits: list[float]) -> None:
    busy = {"status_code": 429, "headers": {"Retry-After": "1"}, "json": {"errors": [{"status": "429"}]}}
    api.get(US + "/workspaces", [*[busy] * 20, ACCEPTED])

    assert check({"access_token": "key"}).status is Status.SUCCEEDED
    assert 20 < sum(waits) < 300


def test_a_padded_key_is_trimmed(api: requests_mock.Mocker) -> None:
    api.get(requests_mock.ANY, status_code=403, json={"errors": []})
    api.get(US + "/workspaces", **ACCEPTED)

    check({"access_token": " key\n", "start_date": "01/31/2026"})

    assert api.request_history[0].headers["Authorization"] == "Bearer key"
