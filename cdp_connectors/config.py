"""Manifest components that put a connector's configuration into one form, once, before anything reads it."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pendulum
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.transformations.config_transformations.config_transformation import (
    ConfigTransformation,
)
from airbyte_cdk.sources.declarative.validators.validation_strategy import ValidationStrategy
from airbyte_cdk.utils import AirbyteTracedException

START_DATE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_ACCEPTED_START_DATE_FORMATS = ("YYYY-MM-DD[T]HH:mm:ss[Z]", "YYYY-MM-DD", "MM/DD/YYYY")


class NormalizeConfig(ConfigTransformation):
    """Trim every text of the configuration, and write `start_date` and `api_url` in one form.

    `api_url` loses its trailing slash. `start_date` becomes `YYYY-MM-DDTHH:MM:SSZ` (UTC); one that cannot be read
    is left as it is, for `StartDate` to refuse. The built-in config transformations evaluate Jinja on declared
    fields: they can neither walk all fields nor tell an impossible date from a possible one.
    """

    def transform(self, config: MutableMapping[str, Any]) -> None:
        """Normalise the configuration in place."""
        _trim(config)
        moment = parse_start_date(config.get("start_date"))
        if moment:
            config["start_date"] = moment.strftime(START_DATE_FORMAT)
        if isinstance(config.get("api_url"), str):
            config["api_url"] = config["api_url"].rstrip("/")


class StartDate(ValidationStrategy):
    """Refuse a `start_date` that is no date or lies in the future.

    The built-in strategy validates against a JSON schema, which knows neither the calendar nor today.
    """

    def validate(self, value: Any) -> None:  # noqa: ANN401 # the CDK hands over whatever the configuration holds
        """Check the normalised `start_date`.

        Raises:
            AirbyteTracedException: a `config_error` that says what to enter instead.
        """
        moment = parse_start_date(value)
        if moment is None:
            raise _config_error(
                f"Start date '{value}' is not a date. Enter it as YYYY-MM-DD, YYYY-MM-DDTHH:MM:SSZ or MM/DD/YYYY."
            )
        if moment > datetime.now(timezone.utc):
            raise _config_error(f"Start date '{value}' lies in the future. Enter a date up to today.")


@dataclass
class NotEmpty(ValidationStrategy):
    """Refuse a required text that is empty once it is trimmed, with a sentence that names the field.

    The JSON schema of the spec would only say that a string is too short.
    """

    title: str

    def validate(self, value: Any) -> None:  # noqa: ANN401 # the CDK hands over whatever the configuration holds
        """Check the normalised text.

        Raises:
            AirbyteTracedException: a `config_error` that names the field.
        """
        if not value:
            raise _config_error(f"{self.title} is empty. Enter it in the connection's settings.")


def parse_start_date(value: Any) -> datetime | None:  # noqa: ANN401 # any JSON value can stand in a configuration
    """The moment in UTC that a start date names, or None if it is not one of the accepted forms."""
    if not isinstance(value, str):
        return None
    for accepted in _ACCEPTED_START_DATE_FORMATS:
        try:
            return pendulum.from_format(value, accepted, tz="UTC")
        except ValueError:
            continue
    return None


def _trim(config: MutableMapping[str, Any]) -> None:
    for key, value in list(config.items()):
        if isinstance(value, str):
            config[key] = value.strip()
        elif isinstance(value, MutableMapping):
            _trim(value)


def _config_error(message: str) -> AirbyteTracedException:
    return AirbyteTracedException(message=message, internal_message=message, failure_type=FailureType.config_error)
