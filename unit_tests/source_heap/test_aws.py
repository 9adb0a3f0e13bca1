import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import botocore.session
import pytest
import requests
import requests_mock
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from cdp_connectors.json_types import Json
from source_heap.aws import AwsAccess
from source_heap.errors import ConfigError, TransientError

OBJECT = "https://s3.amazonaws.com/heap-rs3-example/sync_1/t/a%20b.avro"
ROLE = {"auth_type": "role", "aws_account_id": "1234-5678-9012", "role_name": "path/heap", "external_id": "e-1"}
KEYS = {"auth_type": "access_key", "aws_access_key_id": "key-id", "aws_secret_access_key": "secret"}
ASKED = {
    "RoleArn": "arn:aws:iam::123456789012:role/path/heap",
    "ExternalId": "e-1",
    "RoleSessionName": "airbyte-source-heap",
}


def access(credentials: dict[str, str] | None = None, **config: Json) -> AwsAccess:
    return AwsAccess(
        {"bucket": "heap-rs3-example", "aws_region": "eu-west-1", "credentials": credentials or KEYS, **config}
    )


def signed(aws: AwsAccess, url: str = OBJECT, **headers: str) -> requests.PreparedRequest:
    request = requests.Request("GET", url, headers=headers).prepare()
    aws.sign(request)
    return request


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """A stub of STS, on a machine that has its own credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    client = botocore.session.Session().create_client("sts", region_name="eu-west-1")
    monkeypatch.setattr(botocore.session.Session, "create_client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber


def session(number: int, lasts: timedelta) -> dict[str, Any]:
    return {
        "Credentials": {
            "AccessKeyId": f"session-key-id-{number}",
            "SecretAccessKey": "session-secret",
            "SessionToken": f"token-{number}",
            "Expiration": datetime.now(timezone.utc) + lasts,
        }
    }


def test_requests_are_signed_and_sent_to_the_region_of_the_bucket() -> None:
    request = signed(access(), Range="bytes=5-", Accept="*/*")
    assert request.url == "https://s3.eu-west-1.amazonaws.com/heap-rs3-example/sync_1/t/a%20b.avro"
    authorization = request.headers["Authorization"]
    assert "Credential=key-id/" in authorization
    assert "/eu-west-1/s3/aws4_request" in authorization
    assert "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date" in authorization


def test_chinese_regions_use_their_own_domain() -> None:
    url = signed(access(aws_region="cn-north-1")).url
    assert url == "https://s3.cn-north-1.amazonaws.com.cn/heap-rs3-example/sync_1/t/a%20b.avro"


def test_a_custom_endpoint_is_not_rewritten() -> None:
    url = "http://127.0.0.1:9000/heap-rs3-example/x"
    assert signed(access(endpoint_url="http://127.0.0.1:9000"), url).url == url


@pytest.mark.parametrize("status", [200, 301, 400, 403])
def test_the_region_is_detected_once(status: int, requests_mock: requests_mock.Mocker) -> None:
    url = "https://s3.amazonaws.com/heap-rs3-example"
    requests_mock.head(url, status_code=status, headers={"x-amz-bucket-region": "ap-south-1"})
    aws = access(aws_region=None)
    assert [aws.region(), aws.region()] == ["ap-south-1", "ap-south-1"]
    assert requests_mock.call_count == 1


def test_a_store_that_reports_no_region_gets_us_east_1(requests_mock: requests_mock.Mocker) -> None:
    requests_mock.head("http://127.0.0.1:9000/heap-rs3-example", status_code=404)
    assert access(aws_region=None, endpoint_url="http://127.0.0.1:9000").region() == "us-east-1"


def test_the_error_for_an_undetectable_region_says_to_enter_it(requests_mock: requests_mock.Mocker) -> None:
    requests_mock.head("https://s3.amazonaws.com/heap-rs3-example", exc=requests.ConnectTimeout)
    with pytest.raises(TransientError, match="Enter the bucket's region"):
        access(aws_region=None).region()


def test_the_role_is_assumed_once_with_its_external_id(sts: Stubber) -> None:
    sts.add_response("assume_role", session(1, timedelta(hours=1)), ASKED)
    aws = access(ROLE)
    requests_signed = [signed(aws) for _ in range(3)]
    assert {request.headers["X-Amz-Security-Token"] for request in requests_signed} == {"token-1"}
    sts.assert_no_pending_responses()


@pytest.mark.parametrize("field", ["role_arn", "role_name"])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_a_role_arn_can_be_in_any_partition(sts: Stubber, partition: str, field: str) -> None:
    arn = f"arn:{partition}:iam::123456789012:role/heap"
    expected = {"RoleArn": arn, "RoleSessionName": "airbyte-source-heap"}
    sts.add_response("assume_role", session(1, timedelta(hours=1)), expected)
    signed(access({"auth_type": "role", field: arn}))
    sts.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_a_role_without_an_arn_is_in_the_partition_of_the_region(sts: Stubber, region: str, partition: str) -> None:
    expected = {**ASKED, "RoleArn": f"arn:{partition}:iam::123456789012:role/path/heap"}
    sts.add_response("assume_role", session(1, timedelta(hours=1)), expected)
    signed(access(ROLE, aws_region=region))
    sts.assert_no_pending_responses()


def test_a_role_can_be_assumed_through_another_role(sts: Stubber) -> None:
    first, last = "arn:aws:iam::111111111111:role/airbyte", "arn:aws:iam::123456789012:role/heap"
    chain = {"auth_type": "role", "role_arn": last, "external_id": "e-1", "intermediate_role_arn": first}
    sts.add_response(
        "assume_role", session(1, timedelta(hours=1)), {"RoleArn": first, "RoleSessionName": "airbyte-source-heap"}
    )
    sts.add_response("assume_role", session(2, timedelta(hours=1)), {**ASKED, "RoleArn": last})
    assert signed(access(chain)).headers["X-Amz-Security-Token"] == "token-2"
    sts.assert_no_pending_responses()


def test_access_keys_may_have_a_session_token() -> None:
    assert signed(access({**KEYS, "aws_session_token": "t-1"})).headers["X-Amz-Security-Token"] == "t-1"
    assert "X-Amz-Security-Token" not in signed(access({**KEYS, "aws_session_token": ""})).headers


def test_a_session_near_expiry_is_renewed_when_a_request_is_signed_again(sts: Stubber) -> None:
    sts.add_response("assume_role", session(1, timedelta(minutes=5)), ASKED)
    sts.add_response("assume_role", session(2, timedelta(hours=1)), ASKED)
    aws = access(ROLE)
    request = signed(aws)
    assert "session-key-id-1" in request.headers["Authorization"]
    aws.sign(request)  # as the CDK does before a retry
    assert "session-key-id-2" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "token-2"
    sts.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationError", "InvalidClientTokenId"])
def test_the_error_for_a_role_that_cannot_be_assumed_names_it_without_its_external_id(sts: Stubber, code: str) -> None:
    sts.add_client_error("assume_role", code, "not authorized to perform: sts:AssumeRole", expected_params=ASKED)
    with pytest.raises(
        ConfigError, match="The role arn:aws:iam::123456789012:role/path/heap cannot be assumed"
    ) as caught:
        signed(access(ROLE))
    assert "external ID" in str(caught.value)
    assert "e-1" not in str(caught.value).replace("eu-west-1", "")


def test_an_unreachable_sts_is_a_transient_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://sts.eu-west-1.amazonaws.com")

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    monkeypatch.setattr(botocore.session.Session, "create_client", unreachable)
    with pytest.raises(TransientError):
        signed(access(ROLE))


def test_the_default_chain_signs_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-token")
    request = signed(access({"auth_type": "default"}))
    assert "Credential=own-key/" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "own-token"


def test_the_error_for_a_profile_that_does_not_exist_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mistyped")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with pytest.raises(ConfigError, match=r"The AWS credentials cannot be used: The config profile \(mistyped\)"):
        signed(access({"auth_type": "default"}))
