from io import BytesIO

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.http.error_handlers.response_models import ResponseAction
from urllib3 import HTTPResponse

from source_heap.components.error_handler import S3ErrorHandler

BASE = "https://s3.us-east-1.amazonaws.com/heap-rs3-example"
LISTING, OBJECT = f"{BASE}?list-type=2&prefix=manifests%2F", f"{BASE}/sync_1/t/a%20b.avro"


def answer(status: int, code: str | None, url: str = OBJECT, region: str | None = None) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.request = requests.Request("GET", url).prepare()
    response._content = f"<Error><Code>{code}</Code><Message>Said S3.</Message></Error>".encode() if code else b""  # noqa: SLF001 # as requests itself does
    if region:
        response.headers["x-amz-bucket-region"] = region
    return response


def handler() -> S3ErrorHandler:
    return S3ErrorHandler(config={"bucket": "heap-rs3-example"})


CONFIG = [
    (404, "NoSuchBucket", LISTING, "Bucket 'heap-rs3-example' does not exist"),
    (404, "NoSuchKey", OBJECT, "no object 'sync_1/t/a b.avro'"),
    (403, "AccessDenied", LISTING, "allow s3:ListBucket on arn:aws:s3:::heap-rs3-example"),
    (403, "AccessDenied", OBJECT, "Allow s3:GetObject on arn:aws:s3:::heap-rs3-example/*"),
    (403, "InvalidAccessKeyId", LISTING, "access key ID does not exist in AWS"),
    (403, "SignatureDoesNotMatch", LISTING, "secret access key does not match"),
    (403, "RequestTimeTooSkewed", LISTING, "clock"),
    (403, "InvalidObjectState", OBJECT, "Glacier"),
    (416, "InvalidRange", OBJECT, "is empty"),
    (301, "PermanentRedirect", LISTING, "not in the configured AWS region: it is in eu-west-1."),
    (307, "TemporaryRedirect", LISTING, "not in the configured AWS region: it is in eu-west-1."),
    (400, "AuthorizationHeaderMalformed", LISTING, "not in the configured AWS region: it is in eu-west-1."),
    (400, "IllegalLocationConstraintException", LISTING, "not in the configured AWS region"),
    (400, "SomethingNew", OBJECT, "SomethingNew Said S3."),
    (403, None, OBJECT, "403"),
]


@pytest.mark.parametrize(("status", "code", "url", "message"), CONFIG)
def test_permanent_errors_say_what_to_change(status: int, code: str | None, url: str, message: str) -> None:
    resolution = handler().interpret_response(answer(status, code, url, region="eu-west-1"))
    assert resolution.response_action is ResponseAction.FAIL
    assert resolution.failure_type is FailureType.config_error
    assert message in str(resolution.error_message)
    assert "{" not in str(resolution.error_message)


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "InternalError"), (503, "SlowDown"), (503, None), (400, "RequestTimeout"), (400, "ExpiredToken")],
)
def test_transient_errors_are_retried(status: int, code: str | None) -> None:
    resolution = handler().interpret_response(answer(status, code))
    assert resolution.response_action is ResponseAction.RETRY
    assert resolution.failure_type is FailureType.transient_error


def test_connection_errors_are_retried() -> None:
    assert handler().interpret_response(requests.ConnectionError()).response_action is ResponseAction.RETRY


def test_a_replaced_object_is_a_transient_error_without_retries() -> None:
    resolution = handler().interpret_response(answer(412, "PreconditionFailed"))
    assert (resolution.response_action, resolution.failure_type) == (ResponseAction.FAIL, FailureType.transient_error)


@pytest.mark.parametrize("status", [200, 206])
def test_a_successful_response_is_not_an_error(status: int) -> None:
    assert handler().interpret_response(answer(status, None)).response_action is ResponseAction.SUCCESS


def test_a_rejection_without_an_s3_error_suggests_a_proxy() -> None:
    response = answer(403, None)
    response._content = b"<html><body>Forbidden</body></html>"  # noqa: SLF001 # as requests itself does
    message = str(handler().interpret_response(response).error_message)
    assert "rejected with status 403, without an S3 error. Check the endpoint URL" in message


def test_a_truncated_error_response_is_retried() -> None:
    response = answer(403, None)
    response._content = False  # noqa: SLF001 # not read yet
    response.raw = HTTPResponse(BytesIO(b"<Error>"), headers={"Content-Length": "200"}, preload_content=False)
    assert handler().interpret_response(response).response_action is ResponseAction.RETRY
