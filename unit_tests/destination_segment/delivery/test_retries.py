"""The responses that are retried, the waits in between, and the messages for the others."""

import pytest
import requests
from airbyte_cdk.models import FailureType
from requests_mock import Mocker

from destination_segment.delivery.retries import ATTEMPTS
from unit_tests.destination_segment.segment_writes import (
    ACCEPTED,
    BATCH_URL,
    JsonObject,
    catalog_of,
    config_of,
    record,
    state,
    write,
)

CONFIG = config_of({"stream": "users", "call_type": "identify", "user_id_field": "id"})
INPUT = [record({"id": 1}), state(1)]


@pytest.mark.parametrize(
    ("answer", "waited"),
    [
        ({"status_code": 429, "headers": {"Retry-After": "7"}}, 7),
        ({"status_code": 429, "headers": {"X-RateLimit-Reset": "5"}}, 5),
        ({"status_code": 429, "headers": {"Retry-After": "7", "X-RateLimit-Reset": "5"}}, 7),
        ({"status_code": 429, "headers": {"X-RateLimit-Reset": "Tue, 31 Dec 2024 23:59:59 GMT"}}, 1),
        ({"status_code": 503, "headers": {"Retry-After": "3"}}, 3),
        ({"status_code": 408}, 1),
        ({"status_code": 500}, 1),
        ({"exc": requests.ConnectionError}, 1),
        ({"exc": requests.ReadTimeout}, 1),
        ({"exc": requests.exceptions.ChunkedEncodingError}, 1),
        ({"text": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}}, 1),
    ],
)
def test_a_transient_error_is_retried(api: Mocker, waits: list[float], answer: JsonObject, waited: int) -> None:
    api.post(BATCH_URL, [answer, ACCEPTED])
    written = write(CONFIG, catalog_of(), INPUT)
    assert written.error is None
    assert [state["stream"]["stream_state"] for state in written.states] == [{"number": 1}]
    [wait] = waits
    assert waited <= wait <= waited + 1
    bodies = {request.body for request in api.request_history}
    assert (len(api.request_history), len(bodies)) == (2, 1)


def test_waits_grow_until_the_attempts_are_used_up(api: Mocker, waits: list[float]) -> None:
    api.post(BATCH_URL, status_code=502)
    written = write(CONFIG, catalog_of(), INPUT)
    assert written.states == []
    assert written.error is not None
    assert written.error.failure_type is FailureType.transient_error
    assert written.error.message == (
        "Segment at api.segment.io responded with HTTP 502. All retries failed with the same error. Run the sync again "
        "later; it resumes from the last state."
    )
    assert [int(wait) for wait in waits] == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60], abs=1)
    assert len(api.request_history) == ATTEMPTS


def test_an_error_does_not_quote_an_id_in_the_path(api: Mocker) -> None:
    api.delete("https://api.segment.io/v1/users/person-7", exc=requests.ConnectionError("url: /v1/users/person-7"))
    call = {"call_type": "api_call", "method": "DELETE", "path": "/users/{{ record.id }}"}
    written = write(config_of({"stream": "users", "call": call}), catalog_of(), [record({"id": "person-7"})])
    assert written.error is not None
    message = written.error.as_sanitized_airbyte_message()
    assert message.trace
    assert "person-7" not in str(message.trace.error)


def test_a_requested_wait_that_is_too_long_ends_the_sync(api: Mocker, waits: list[float]) -> None:
    api.post(BATCH_URL, status_code=429, headers={"Retry-After": "3600"})
    written = write(CONFIG, catalog_of(), INPUT)
    assert written.error is not None
    assert written.error.failure_type is FailureType.transient_error
    assert "Segment asked the client to wait 3600 s." in str(written.error)
    assert waits == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            {"status_code": 400, "json": {"success": False, "message": "no write key"}},
            (
                "Segment at api.segment.io rejected the request as malformed (HTTP 400: no write key). Check that the "
                "write key was copied completely."
            ),
        ),
        ({"status_code": 401}, "Segment at api.segment.io did not accept the credentials (HTTP 401)."),
        ({"status_code": 403}, "Segment at api.segment.io denied the request (HTTP 403)."),
        ({"status_code": 404}, "Segment at api.segment.io does not know /v1/batch (HTTP 404). Check the API URL"),
        ({"status_code": 402}, "Segment at api.segment.io rejected the request (HTTP 402). Check the API URL and the"),
        (
            {"status_code": 301, "headers": {"Location": "https://elsewhere.example.com"}},
            "Segment at api.segment.io responded with a redirect (HTTP 301). Check the API URL.",
        ),
    ],
)
def test_a_rejection_is_final_and_says_what_to_check(
    api: Mocker, waits: list[float], answer: JsonObject, message: str
) -> None:
    api.post(BATCH_URL, **answer)
    written = write(CONFIG, catalog_of(), INPUT)
    assert written.states == []
    assert written.error is not None
    assert str(written.error).startswith(message)
    assert written.error.failure_type is FailureType.config_error
    assert (len(api.request_history), waits) == (1, [])


@pytest.mark.parametrize(
    "body",
    [[], "rejected", {}, {"errors": []}, {"errors": ["rejected"]}, {"errors": {"userId": ["rejected"]}}, {"errors": 1}],
)
def test_a_rejection_in_another_form_is_reported_by_its_status(api: Mocker, body: object) -> None:
    api.post(BATCH_URL, status_code=403, json=body)
    written = write(CONFIG, catalog_of(), INPUT)
    assert written.error is not None
    assert str(written.error).startswith("Segment at api.segment.io denied the request (HTTP 403). Check")
    assert written.error.failure_type is FailureType.config_error


@pytest.mark.parametrize("answer", [{"json": {"success": False}}, {"text": "OK"}, {"json": []}])
def test_a_response_that_does_not_confirm_success_is_not_acceptance(api: Mocker, answer: JsonObject) -> None:
    api.post(BATCH_URL, **answer)
    written = write(CONFIG, catalog_of(), INPUT)
    assert written.states == []
    assert written.error is not None
    assert "did not confirm that the data was accepted" in str(written.error)
    assert written.error.failure_type is FailureType.transient_error
