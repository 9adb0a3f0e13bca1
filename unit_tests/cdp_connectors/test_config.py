"""Normalization of configurations, and messages for invalid ones."""

from typing import Any

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException
from freezegun import freeze_time

from cdp_connectors.config import Credential, NormalizeConfig, NotEmpty, StartDate


@pytest.mark.parametrize(
    ("entered", "normalized"),
    [
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        ("2024-12-31T23:59:59Z", "2024-12-31T23:59:59Z"),
        ("12/31/2024", "2024-12-31T00:00:00Z"),
        (" 2024-01-01 \n", "2024-01-01T00:00:00Z"),
    ],
)
def test_start_date_is_normalized(entered: str, normalized: str) -> None:
    config: dict[str, Any] = {"start_date": entered}

    NormalizeConfig().transform(config)
    NormalizeConfig().transform(config)

    assert config == {"start_date": normalized}
    StartDate().validate(config["start_date"])


@pytest.mark.parametrize(
    "entered", ["31/12/2024", "2024-02-30", "2023-02-29", "2024-13-01", "yesterday", "20240101", 20240101]
)
def test_a_start_date_that_is_not_a_date_is_rejected(entered: object) -> None:
    config: dict[str, Any] = {"start_date": entered}
    NormalizeConfig().transform(config)

    with pytest.raises(AirbyteTracedException) as rejection:
        StartDate().validate(config["start_date"])

    assert rejection.value.failure_type is FailureType.config_error
    assert str(rejection.value).startswith("Start Date is not a date.")


@pytest.mark.parametrize("emptied", ["", "  ", None])
def test_an_emptied_start_date_counts_as_unset(emptied: object) -> None:
    config: dict[str, Any] = {"start_date": emptied}
    NormalizeConfig().transform(config)
    assert config == {}


@freeze_time("2026-11-22T12:00:00Z")
def test_a_start_date_in_the_future_is_rejected() -> None:
    StartDate().validate("2026-11-22T12:00:00Z")
    with pytest.raises(AirbyteTracedException, match="is in the future"):
        StartDate().validate("2026-11-22T12:00:01Z")


def test_every_string_is_trimmed_at_any_depth_and_the_api_url_has_no_slash() -> None:
    config: dict[str, Any] = {
        "api_token": " token\n",
        "api_url": " https://proxy.example.com/segment/ ",
        "credentials": {"auth_type": "role", "role_name": "\treader "},
        "lookback": 3,
    }

    NormalizeConfig().transform(config)

    assert config == {
        "api_token": "token",
        "api_url": "https://proxy.example.com/segment",
        "credentials": {"auth_type": "role", "role_name": "reader"},
        "lookback": 3,
    }


def test_an_empty_required_string_is_named() -> None:
    NotEmpty(title="API Token").validate("token")
    with pytest.raises(AirbyteTracedException, match="API Token is empty"):
        NotEmpty(title="API Token").validate("")


@pytest.mark.parametrize(
    "credential",
    [
        "to\nken",
        "to\r\nken",
        "to ken",
        "to\tken",
        "tök",
        "••••••••",
        "********",
        "a\x00b",
        "a\x7fb",
        "\u200bab",
        "",
        7,
        None,
    ],
)
def test_a_credential_that_a_header_cannot_contain_is_rejected_without_quoting_it(credential: object) -> None:
    with pytest.raises(AirbyteTracedException) as rejection:
        Credential(title="API Token").validate(credential)

    message = str(rejection.value)
    assert rejection.value.failure_type is FailureType.config_error
    assert message.startswith("API Token ")
    assert not credential or str(credential) not in message


@pytest.mark.parametrize("credential", ["sgp_0aZ", "wJalr/XUtn+FEMI=", "!~", "a*b"])
def test_a_credential_of_printable_ascii_is_accepted(credential: str) -> None:
    Credential(title="API Token").validate(credential)
