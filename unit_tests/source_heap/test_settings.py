"""Validations of settings beyond the JSON schema of the spec."""

import pytest
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.json_types import Json
from source_heap import SourceHeap

ARN = "arn:aws:iam::123456789012:role/heap"


def message(**credentials: Json) -> str | None:
    config = {"bucket": "heap-rs3-example", "aws_region": "us-east-1", "credentials": credentials}
    source = SourceHeap(config={**config, "endpoint_url": "http://127.0.0.1:1"})
    try:
        source.validate_settings()
    except AirbyteTracedException as error:
        return error.message
    return None


@pytest.mark.parametrize(
    "role",
    [
        {"role_arn": ARN},
        {"role_arn": ARN, "external_id": ""},
        {"role_arn": ARN, "intermediate_role_arn": ARN},
        {"role_name": ARN},
        {"role_name": "heap", "aws_account_id": "1234-5678-9012", "external_id": "e-1"},
    ],
)
def test_roles_with_an_arn_or_an_account_and_a_name_are_accepted(role: dict[str, str]) -> None:
    assert message(auth_type="role", **role) is None


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({"auth_type": "role"}, "The role is missing. Enter its ARN"),
        ({"auth_type": "role", "aws_account_id": "123456789012"}, "The role is missing. Enter its ARN"),
        ({"auth_type": "role", "role_name": "heap"}, "The role's account is missing. Enter the full ARN"),
        ({"auth_type": "role", "role_arn": ARN, "external_id": "a b"}, "External ID contains a space"),
    ],
)
def test_incomplete_roles_are_rejected_with_what_to_enter(credentials: dict[str, str], expected: str) -> None:
    assert expected in str(message(**credentials))
