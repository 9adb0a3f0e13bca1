"""Manifest components that normalize and validate a connector's configuration before anything reads it."""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import urlsplit

from airbyte_cdk.sources.declarative.transformations.config_transformations.config_transformation import (
    ConfigTransformation,
)
from airbyte_cdk.sources.declarative.validators.validation_strategy import ValidationStrategy

from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json
from cdp_connectors.start_date import START_DATE_FORMAT, parse_start_date

_HEADER_VALUE = re.compile(r"[!-~]+")
_LAST_PORT = 65_535
_MASK = re.compile(r"[*\u2022\u25cf\u00b7]+")


class NormalizeConfig(ConfigTransformation):
    """Trim every string of the configuration, and write `start_date` and `api_url` in one format.

    `api_url` loses its trailing slash. `start_date` becomes `YYYY-MM-DDTHH:MM:SSZ` (UTC); one that cannot be parsed
    is left unchanged, for `StartDate` to reject. The built-in config transformations evaluate Jinja on declared
    fields: they can neither walk all fields nor detect an impossible date.
    """

    def transform(self, config: MutableMapping[str, Json]) -> None:
        """Normalize the configuration in place."""
        _trim(config)
        for name in ("start_date", "api_url"):
            if config.get(name) in ("", None):
                config.pop(name, None)  # a form field that was emptied
        moment = parse_start_date(config.get("start_date"))
        if moment:
            config["start_date"] = moment.strftime(START_DATE_FORMAT)
        if isinstance(config.get("api_url"), str):
            config["api_url"] = config["api_url"].rstrip("/")


class StartDate(ValidationStrategy):
    """Reject a `start_date` that is not a date or is in the future.

    The built-in strategy validates against a JSON schema, which cannot check the calendar or compare with today.
    """

    def validate(self, value: Json) -> None:
        """Check the normalized `start_date`.

        Raises:
            AirbyteTracedException: a `config_error` that says what to enter instead.
        """
        moment = parse_start_date(value)
        if moment is None:
            raise config_error("Start Date is not a date. Enter it as YYYY-MM-DD, YYYY-MM-DDTHH:MM:SSZ or MM/DD/YYYY.")
        if moment > datetime.now(timezone.utc):
            raise config_error("Start Date is in the future. Enter today's date or an earlier one.")


@dataclass
class NotEmpty(ValidationStrategy):
    """Reject a required string that is empty once it is trimmed, with a message that names the field.

    The JSON schema of the spec would only say that a string is too short.
    """

    title: str

    def validate(self, value: Json) -> None:
        """Check the normalized string.

        Raises:
            AirbyteTracedException: a `config_error` that names the field.
        """
        if not value:
            raise config_error(f"{self.title} is empty. Enter it in the connection's settings.")


@dataclass
class Credential(ValidationStrategy):
    """Reject a credential that an HTTP header cannot contain, with a message that names the field and never the value.

    The requests library would print the value, and so would a validation by the JSON schema of the spec.
    """

    title: str

    def validate(self, value: Json) -> None:
        """Check the normalized credential.

        Raises:
            AirbyteTracedException: a `config_error` that names the field.
        """
        if fault := credential_fault(value):
            raise config_error(f"{self.title} {fault}")


def credential_fault(value: Json) -> str | None:
    """The problem with a credential, to follow the title of its field in a message; None if it is valid.

    A credential consists of printable ASCII characters without blanks (RFC 9110, section 11.2, is narrower still). The
    value is not quoted.
    """
    if not isinstance(value, str):
        return "is not a string. Enter it in the connection's settings."
    if not value:
        return "is empty. Enter it in the connection's settings."
    if _MASK.fullmatch(value):
        return "is masked: it consists of the placeholders that a form displays. Enter the credential itself."
    if not _HEADER_VALUE.fullmatch(value):
        return "contains a space, a line break or a non-ASCII character. Copy it again, without any other text."
    return None


@dataclass
class HttpUrl(ValidationStrategy):
    """Reject a URL that cannot be used for HTTP requests, with a message that names the field and not the URL."""

    title: str

    def validate(self, value: Json) -> None:
        """Check the normalized URL; an empty one means the default.

        Raises:
            AirbyteTracedException: a `config_error` that names the field.
        """
        if value and (fault := url_fault(value)):
            raise config_error(f"{self.title} {fault}")


def url_fault(value: Json) -> str | None:
    """The problem with a URL, to follow the title of its field in a message; None if it is valid.

    The value is not quoted, since a URL may contain a password.
    """
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        return "is not a URL. Enter one such as https://proxy.example.com."
    scheme, separator, rest = value.partition("://")
    if scheme.lower() == "s3" and separator:
        return "begins with s3://, which names a bucket. Enter the https:// address of the store instead."
    if scheme.lower() not in {"http", "https"} or not separator:
        return "does not begin with https:// (or http://). Enter the complete URL."
    return _address_fault(f"//{rest}")


def _address_fault(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "has no valid host name. Enter a URL such as https://proxy.example.com."
    if "@" in parts.netloc:
        return "contains a user name or a password. Enter the address without it."
    port = parts.netloc.rpartition("]")[2].partition(":")[2]
    if port and not (port.isdecimal() and 0 < int(port) <= _LAST_PORT):
        return "has a port that is not a number between 1 and 65535."
    if not parts.hostname:
        return "has no valid host name. Enter a URL such as https://proxy.example.com."
    if parts.query or parts.fragment:
        return "has a query or a fragment (after ? or #). Enter the address without it."
    return None


def _trim(config: MutableMapping[str, Json]) -> None:
    for key, value in list(config.items()):
        if isinstance(value, str):
            config[key] = value.strip()
        elif isinstance(value, MutableMapping):
            _trim(value)
