"""What a user reads when Customer.io, the network or a proxy says no."""

import pytest
import requests
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType

from source_customerio import SourceCustomerio
from unit_tests.helpers import read_streams, rows
from unit_tests.source_customerio.customerio_api import (
    BY_NAME,
    CONFIG,
    CONTRACTS,
    US,
    Contract,
    last_status,
    only_error,
    requests_to,
    serve,
)

per_stream = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
SEGMENTS = BY_NAME["segments"]
HTML = {"text": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}}
TOO_MANY = {"errors": [{"detail": "rate limited to 10 requests per 1s (reference 0)", "status": "429"}]}


def refusal(status: int, detail: str) -> dict[str, object]:
    return {"status_code": status, "json": {"errors": [{"detail": detail, "status": str(status)}]}}


@per_stream
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, ["refused the App API key in region 'us'", "a Track or Pipelines key does not work", "IP allowlist"]),
        (403, ["does not let this App API key read", "scope", "deselect the stream"]),
    ],
)
def test_a_refused_stream_fails_alone_and_says_why(
    api: requests_mock.Mocker, contract: Contract, status: int, words: list[str]
) -> None:
    other = BY_NAME["topics" if contract.name != "topics" else "types"]
    serve(api, contract, refusal(status, "no"))
    serve(api, other, {"json": other.page(other.record)})

    output = read_streams(SourceCustomerio, CONFIG, [contract.name, other.name])

    failure_type, sentence = only_error(output)
    assert failure_type is FailureType.config_error
    assert all(word in sentence for word in words)
    assert len(requests_to(api, contract)) == 1
    assert last_status(output, contract.name) is AirbyteStreamStatus.INCOMPLETE
    assert last_status(output, other.name) is AirbyteStreamStatus.COMPLETE
    assert {message.record.stream for message in output.records} <= {other.name, contract.name}


@per_stream
@pytest.mark.parametrize("status", [400, 422])
def test_an_invalid_request_is_not_repeated_and_quotes_the_vendor(
    api: requests_mock.Mocker, contract: Contract, status: int
) -> None:
    errors = [{"detail": "invalid start token", "status": str(status)}, {"detail": "limit is too high"}]
    serve(api, contract, {"status_code": status, "json": {"errors": errors}})

    failure_type, sentence = only_error(read_streams(SourceCustomerio, CONFIG, [contract.name]))

    assert failure_type is FailureType.system_error
    assert sentence.endswith(f"stream {contract.name} as invalid: invalid start token; limit is too high")
    assert len(requests_to(api, contract)) == 1


@per_stream
def test_an_address_that_is_not_routed_is_an_error(api: requests_mock.Mocker, contract: Contract) -> None:
    serve(api, contract, {"status_code": 404, "text": "404 page not found\n"})

    failure_type, sentence = only_error(read_streams(SourceCustomerio, CONFIG, [contract.name]))

    assert failure_type is FailureType.config_error
    assert f"{US}{contract.path} does not exist" in sentence


@per_stream
@pytest.mark.parametrize("status", [200, 404])
def test_a_web_page_is_an_error_and_never_an_empty_table(
    api: requests_mock.Mocker, contract: Contract, status: int
) -> None:
    serve(api, contract, {"status_code": status, **HTML})

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    failure_type, sentence = only_error(output)
    assert failure_type is FailureType.config_error
    assert ("a web page instead of Customer.io's App API" if status == 200 else "does not exist") in sentence
    assert last_status(output, contract.name) is AirbyteStreamStatus.INCOMPLETE


@per_stream
def test_an_answer_without_its_envelope_is_an_error_and_never_an_empty_table(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    serve(api, contract, {"json": {"unexpected": []}})

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert f"answered without '{contract.data_key}'" in only_error(output)[1]


@pytest.mark.parametrize(("retry_after", "wait"), [("1", 1), ("30", 30), (None, 4)])
def test_rate_limiting_waits_as_long_as_the_vendor_says_or_ever_longer(
    api: requests_mock.Mocker, waits: list[float], retry_after: str | None, wait: int
) -> None:
    headers = {"Retry-After": retry_after} if retry_after else {}
    too_many = {"status_code": 429, "json": TOO_MANY, "headers": headers}
    serve(api, SEGMENTS, too_many, too_many, {"json": SEGMENTS.page(SEGMENTS.record)})

    output = read_streams(SourceCustomerio, CONFIG, ["segments"])

    assert rows(output) == [SEGMENTS.record]
    assert any(wait <= waited <= wait + 3 for waited in waits)
    assert max(waits) <= 2 * wait + 3


def test_a_daily_quota_ends_with_a_clear_error_within_a_minute(
    api: requests_mock.Mocker, waits: list[float]
) -> None:
    serve(api, SEGMENTS, {"status_code": 429, "json": TOO_MANY})

    failure_type, sentence = only_error(read_streams(SourceCustomerio, CONFIG, ["segments"]))

    assert failure_type is FailureType.transient_error
    assert "when a daily quota is used up" in sentence
    assert "run the sync again tomorrow" in sentence
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
def test_trouble_that_passes_is_waited_out(api: requests_mock.Mocker, trouble: dict[str, object]) -> None:
    serve(api, SEGMENTS, trouble, trouble, {"json": SEGMENTS.page(SEGMENTS.record)})

    output = read_streams(SourceCustomerio, CONFIG, ["segments"])

    assert rows(output) == [SEGMENTS.record]
    assert output.errors == []


def test_trouble_that_stays_is_transient_and_named(api: requests_mock.Mocker) -> None:
    serve(api, SEGMENTS, {"status_code": 503, "text": ""})

    failure_type, sentence = only_error(read_streams(SourceCustomerio, CONFIG, ["segments"]))

    assert failure_type is FailureType.transient_error
    assert "Customer.io is unavailable at the moment; run the sync again later" in sentence


def test_the_key_appears_in_no_message(api: requests_mock.Mocker, capsys: pytest.CaptureFixture[str]) -> None:
    key = "app-api-key-0123456789"
    serve(api, SEGMENTS, refusal(401, f"key {key} is unknown"))

    output = read_streams(SourceCustomerio, {**CONFIG, "access_token": key}, ["segments"])

    everything = "".join(map(str, output._messages))  # noqa: SLF001 # all messages, of whatever type
    assert key not in everything + capsys.readouterr().out
