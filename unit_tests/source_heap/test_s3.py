"""S3 requests without Airbyte."""

import pickle

import pytest
import requests
import requests_mock

from source_heap.errors import ConfigError, TransientError
from source_heap.s3 import ATTEMPTS, S3

NAME = "heap-rs3-example"
URL = f"https://s3.eu-west-1.amazonaws.com/{NAME}"
KEYS = {"auth_type": "access_key", "aws_access_key_id": "key-id", "aws_secret_access_key": "secret"}
PAGE = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{}</ListBucketResult>'
CONTENTS = "<Contents><Key>{}</Key><Size>5</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"


@pytest.fixture
def s3(waits: list[float]) -> S3:  # noqa: ARG001 # no test waits
    return S3({"bucket": NAME, "aws_region": "eu-west-1", "credentials": KEYS})


def error(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>Said S3.</Message></Error>"


def test_a_listing_includes_all_pages(s3: S3, requests_mock: requests_mock.Mocker) -> None:
    first = CONTENTS.format("a") + "<NextContinuationToken>next</NextContinuationToken>"
    requests_mock.get(URL, [{"text": PAGE.format(first)}, {"text": PAGE.format(CONTENTS.format("b"))}])
    assert [(item["Key"], item["Size"]) for item in s3.objects("sync_1/")] == [("a", "5"), ("b", "5")]
    assert [request.qs.get("continuation-token") for request in requests_mock.request_history] == [None, ["next"]]
    assert all("Signature=" in request.headers["Authorization"] for request in requests_mock.request_history)


@pytest.mark.parametrize(
    "failure",
    [
        {"status_code": 503, "text": error("SlowDown")},
        {"status_code": 400, "text": error("RequestTimeout")},
        {"exc": requests.ConnectionError},
        {"exc": requests.exceptions.ChunkedEncodingError},
    ],
)
def test_transient_errors_are_retried(failure: dict[str, object], s3: S3, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{URL}/a%20b", [failure, failure, {"content": b"x"}])
    assert s3.get("a b", {}).content == b"x"


def test_retries_stop_after_six_attempts(s3: S3, requests_mock: requests_mock.Mocker, waits: list[float]) -> None:
    requests_mock.get(f"{URL}/a", status_code=503, text=error("SlowDown"))
    with pytest.raises(TransientError, match="temporarily unavailable"):
        s3.get("a", {})
    assert requests_mock.call_count == ATTEMPTS
    assert waits == [0.5, 1, 2, 4, 8]


def test_permanent_errors_are_not_retried(s3: S3, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{URL}/a", status_code=404, text=error("NoSuchKey"))
    with pytest.raises(ConfigError, match="no object 'a'"):
        s3.get("a", {})
    assert requests_mock.call_count == 1


def test_credentials_cannot_be_pickled(s3: S3) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(s3)
