"""The connection check, and its message if it cannot verify the write key."""

import logging

import pytest
import requests
from airbyte_cdk.models import AirbyteConnectionStatus, Status
from requests_mock import Mocker

from destination_segment import DestinationSegment
from unit_tests.destination_segment.segment_writes import BATCH_URL, JsonObject, config_of

IDENTIFY = {"stream": "users", "call_type": "identify", "user_id_field": "id"}
SOURCES_URL = "https://api.segmentapis.com/sources"


def check(**settings: object) -> AirbyteConnectionStatus:
    return DestinationSegment().check(logging.getLogger("airbyte"), config_of(IDENTIFY, **settings))


def page(*sources: JsonObject, cursor: str | None = None) -> JsonObject:
    return {"json": {"data": {"sources": list(sources), "pagination": {"current": "c", "next": cursor}}}}


def source(slug: str, *keys: str, enabled: bool = True) -> JsonObject:
    return {"id": slug, "slug": slug, "enabled": enabled, "writeKeys": list(keys)}


@pytest.fixture(autouse=True)
def reachable(api: Mocker) -> None:
    api.get(BATCH_URL, status_code=405)


def test_without_a_token_it_says_that_it_cannot_verify_the_write_key(api: Mocker) -> None:
    status = check()
    assert status.status is Status.SUCCEEDED
    assert "It accepts any write key, so this check cannot verify that yours exists" in str(status.message)
    assert [(request.method, request.body) for request in api.request_history] == [("GET", None)]


@pytest.mark.parametrize(
    "fault", [{"exc": requests.ConnectionError}, {"text": "<html>", "headers": {"Content-Type": "text/html"}}]
)
def test_a_tracking_api_that_does_not_respond_fails(api: Mocker, fault: JsonObject) -> None:
    api.get(BATCH_URL, **fault)
    status = check()
    assert status.status is Status.FAILED
    assert "https://api.segment.io/v1" in str(status.message)


def test_with_a_token_it_searches_every_page_for_the_write_key(api: Mocker) -> None:
    api.get(SOURCES_URL, [page(source("web", "other"), cursor="2"), page(source("server", "sandbox-key"))])
    status = check(public_api_token="token")
    assert (status.status, status.message) == (Status.SUCCEEDED, "The write key belongs to the source 'server'.")
    first, second = (request for request in api.request_history if request.path == "/sources")
    assert first.headers["Authorization"] == "Bearer token"
    assert (first.qs, second.qs) == (
        {"pagination.count": ["200"]},
        {"pagination.count": ["200"], "pagination.cursor": ["2"]},
    )


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([source("web", "other")], "No source of the token's workspace has this write key."),
        ([source("web")], "The write key was not found, but this token may not be allowed to see every write key."),
        (
            [source("web", "sandbox-key", enabled=False)],
            "The write key belongs to the source 'web', which is disabled",
        ),
    ],
)
def test_an_unknown_write_key_or_disabled_source_fails(api: Mocker, sources: list[JsonObject], message: str) -> None:
    api.get(SOURCES_URL, **page(*sources))
    status = check(public_api_token="token")
    assert status.status is Status.FAILED
    assert str(status.message).startswith(message)


def test_a_token_that_the_public_api_rejects_fails(api: Mocker) -> None:
    api.get(SOURCES_URL, status_code=401, json={"errors": [{"message": "Unauthorized"}]})
    status = check(public_api_token="token")
    assert status.status is Status.FAILED
    assert "did not accept the credentials (HTTP 401: Unauthorized). Check the write key" in str(status.message)


@pytest.mark.parametrize("answer", [{"text": "OK"}, {"json": []}, {"json": {"sources": []}}, {"json": {"data": 5}}])
def test_a_response_that_is_not_the_public_apis_fails(api: Mocker, answer: JsonObject) -> None:
    api.get(SOURCES_URL, **answer)
    status = check(public_api_token="token")
    assert status.status is Status.FAILED
    assert "Check the Public API URL." in str(status.message)
