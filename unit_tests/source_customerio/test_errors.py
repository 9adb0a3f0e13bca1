"""The messages when Customer.io, the network or a proxy rejects a request."""

import pytest
import requests
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType

from source_customerio import SourceCustomerio
from unit_tests.helpers import read_streams, rows
from unit_tests.source_customerio.contracts import BY_NAME
from unit_tests.source_customerio.customerio_api import (
    CONFIG,
    errors_by_stream,
    last_status,
    only_error,
    requests_to,
    serve,
)

SEGMENTS = BY_NAME["segments"]
HTML = {"text": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}}
TOO_MANY = {"errors": [{"detail": "rate limited to 10 requests per 1s (reference 0)", "status": "429"}]}


def rejection(status: int, detail: str) -> dict[str, object]:
    return {"status_code": status, "json": {"errors": [{"detail": detail, "status": str(status)}]}}


@pytest.mark.parametrize(
    ("answer", "failure_type", "words"),
    [
        (
            rejection(401, "unauthorized"),
            FailureType.config_error,
            ["rejected the App API key in region 'us'", "a Track or Pipelines key does not work", "IP allowlist"],
        ),
        (
            rejection(403, "forbidden"),
            FailureType.config_error,
            ["denied this App API key access to stream {name}.", "scope", "deselect the stream"],
        ),
        (rejection(400, "invalid start token"), FailureType.system_error, ["{name} as invalid: invalid start token"]),
        (rejection(422, "limit is too high"), FailureType.system_error, ["{name} as invalid: limit is too high"]),
        (
            {"status_code": 404, "text": "404 page not found\n"},
            FailureType.config_error,
            ["https://api.customer.io/v1/", " does not exist. If API URL is set, check that it is the base URL"],
        ),
        (HTML, FailureType.config_error, ["a web page instead of an App API response. Check API URL"]),
        ({"status_code": 404, **HTML}, FailureType.config_error, [" does not exist. If API URL is set"]),
    ],
    ids=["401", "403", "400", "422", "404 in plain text", "web page", "404 web page"],
)
def test_every_stream_fails_at_once_and_says_why(
    api: requests_mock.Mocker, answer: dict[str, object], failure_type: FailureType, words: list[str]
) -> None:
    api.request(requests_mock.ANY, requests_mock.ANY, **answer)

    output = read_streams(SourceCustomerio, CONFIG, list(BY_NAME))

    errors = errors_by_stream(output)
    assert set(errors) == set(BY_NAME)
    for name, found in errors.items():
        assert {found_type for found_type, _ in found} == {failure_type}
        assert all(word.format(name=BY_NAME[name].requested_first) in found[0][1] for word in words)
        assert last_status(output, name) is AirbyteStreamStatus.INCOMPLETE
    assert output.records == []
    assert len(set(api.request_history)) <= len(BY_NAME) + 1


def test_a_response_without_its_envelope_is_an_error_and_never_an_empty_table(api: requests_mock.Mocker) -> None:
    api.request(requests_mock.ANY, requests_mock.ANY, json={"unexpected": []})

    output = read_streams(SourceCustomerio, CONFIG, list(BY_NAME))

    errors = errors_by_stream(output)
    assert set(errors) == set(BY_NAME)
    assert all(" returned a response without the documented key '" in found[0][1] for found in errors.values())
    assert all(last_status(output, name) is AirbyteStreamStatus.INCOMPLETE for name in BY_NAME)
    assert output.records == []


def test_a_rejected_stream_fails_alone(api: requests_mock.Mocker) -> None:
    topics = BY_NAME["topics"]
    serve(api, SEGMENTS, rejection(403, "forbidden"))
    serve(api, topics, {"json": topics.page(topics.record)})

    output = read_streams(SourceCustomerio, CONFIG, ["segments", "topics"])

    assert set(errors_by_stream(output)) == {"segments"}
    assert rows(output) == [topics.record]
    assert last_status(output, "segments") is AirbyteStreamStatus.INCOMPLETE
    assert last_status(output, "topics") is AirbyteStreamStatus.COMPLETE
    assert len(requests_to(api, SEGMENTS)) == 1


@pytest.mark.parametrize(("retry_after", "wait"), [("1", 1), ("30", 30), (None, 4)])
def test_a_429_is_retried_after_the_announced_wait_or_increasing_waits(
    api: requests_mock.Mocker, waits: list[float], retry_after: str | None, wait: int
) -> None:
    headers = {"Retry-After": retry_after} if retry_after else {}
    too_many = {"status_code": 429, "json": TOO_MANY, "headers": headers}
    serve(api, SEGMENTS, too_many, too_many, {"json": SEGMENTS.page(SEGMENTS.record)})

    output = read_streams(SourceCustomerio, CONFIG, ["segments"])

    assert rows(output) == [SEGMENTS.record]
    assert any(wait <= waited <= wait + 3 for waited in waits)
    assert max(waits) <= 2 * wait + 3


def test_a_daily_quota_ends_with_a_clear_error_within_a_minute(api: requests_mock.Mocker, waits: list[float]) -> None:
    serve(api, SEGMENTS, {"status_code": 429, "json": TOO_MANY})

    failure_type, message = only_error(read_streams(SourceCustomerio, CONFIG, ["segments"]))

    assert failure_type is FailureType.transient_error
    assert "when a daily quota is used up" in message
    assert "run the sync again tomorrow" in message
    assert sum(waits) < 60


@pytest.mark.parametrize(
    "trouble",
    [
        {"status_code": 500, "json": {"errors": [{"detail": "unexpected"}]}},
        {"status_code": 502, **HTML},
        {"status_code": 503, "text": ""},
        {"status_code": 504, "text": ""},
        {"status_code": 408, "text": ""},
        {"exc": requests.ConnectionError("connection refused")},
        {"exc": requests.exceptions.ChunkedEncodingError("connection broken")},
        {"exc": requests.ReadTimeout("no answer")},
        {"text": '{"segments": [{"id"'},
    ],
    ids=["500", "502 web page", "503", "504", "408", "refused", "cut", "silent", "cut JSON"],
)
def test_transient_errors_are_retried(api: requests_mock.Mocker, trouble: dict[str, object]) -> None:
    serve(api, SEGMENTS, trouble, trouble, {"json": SEGMENTS.page(SEGMENTS.record)})

    output = read_streams(SourceCustomerio, CONFIG, ["segments"])

    assert rows(output) == [SEGMENTS.record]
    assert output.errors == []


def test_a_persistent_outage_is_a_transient_error_that_names_the_cause(api: requests_mock.Mocker) -> None:
    serve(api, SEGMENTS, {"status_code": 503, "text": ""})

    failure_type, message = only_error(read_streams(SourceCustomerio, CONFIG, ["segments"]))

    assert failure_type is FailureType.transient_error
    assert "Customer.io is temporarily unavailable. Run the sync again later" in message


def test_the_key_appears_in_no_message(api: requests_mock.Mocker, capsys: pytest.CaptureFixture[str]) -> None:
    key = "app-api-key-0123456789"
    serve(api, SEGMENTS, rejection(401, "unauthorized"))

    output = read_streams(SourceCustomerio, {**CONFIG, "access_token": key}, ["segments"])

    everything = "".join(map(str, output.get_message_iterator()))
    assert key not in everything + capsys.readouterr().out


@pytest.mark.parametrize("stream", ["activities", "messages"])
def test_a_time_of_the_wrong_type_is_a_transient_error(api: requests_mock.Mocker, stream: str) -> None:
    contract = BY_NAME[stream]
    record = {"id": "1", "timestamp": [1_700_000_000], "created": {"at": 1_700_000_000}}
    serve(api, contract, {"json": {contract.data_key: [record], "next": ""}})

    output = read_streams(SourceCustomerio, {"access_token": "key"}, [stream])

    failure_type, message = only_error(output)
    assert failure_type is FailureType.transient_error
    assert message.startswith(f"A response for stream {stream} does not have the documented form. Run the sync again")


@pytest.mark.parametrize("value", [{"ip": "192.0.2.1"}, 5, None], ids=str)
def test_a_value_that_should_be_a_string_is_a_transient_error(api: requests_mock.Mocker, value: object) -> None:
    contract = BY_NAME["ip_addresses"]
    serve(api, contract, {"json": {contract.data_key: ["192.0.2.2", value]}})

    failure_type, message = only_error(read_streams(SourceCustomerio, CONFIG, [contract.name]))

    assert failure_type is FailureType.transient_error
    assert message.startswith("Customer.io returned values of an undocumented type for /v1/info/ip_addresses.")
