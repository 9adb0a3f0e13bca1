"""Validation of the connector's configuration outside of Airbyte, which would check it against the spec."""

from collections.abc import Mapping

from cdp_connectors.json_types import Json, JsonObject
from cdp_connectors.start_date import START_DATE_FORMAT, parse_start_date
from source_heap.errors import ConfigError

_CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "role": (),
    "access_key": ("aws_access_key_id", "aws_secret_access_key"),
    "default": (),
}


def checked(config: Mapping[str, Json]) -> JsonObject:
    """The configuration with its strings trimmed and its start date in the connector's format.

    Raises:
        ConfigError: a required setting is missing or empty, or the start date is not a date.
    """
    settings = {key: value for key, value in _trimmed(config).items() if value is not None}
    credentials = settings.setdefault("credentials", {"auth_type": "default"})
    auth_type = credentials.get("auth_type")
    if auth_type not in _CREDENTIALS:
        raise ConfigError(f"The auth_type of the credentials is not one of {', '.join(_CREDENTIALS)}.")
    required = _CREDENTIALS[auth_type]
    if auth_type == "role" and not credentials.get("role_arn"):
        by_account = ("aws_account_id", "role_name")
        required = by_account if any(credentials.get(name) for name in by_account) else ("role_arn",)
    missing = [name for name in required if not credentials.get(name)]
    if missing := [*(["bucket"] if not settings.get("bucket") else []), *missing]:
        raise ConfigError(f"The configuration lacks {', '.join(missing)}.")
    if start_date := settings.get("start_date"):
        moment = parse_start_date(start_date)
        if moment is None:
            raise ConfigError(f"Start date '{start_date}' is not a date. Enter it as YYYY-MM-DD.")
        settings["start_date"] = moment.strftime(START_DATE_FORMAT)
    return settings


def _trimmed(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _trimmed(item) for key, item in value.items()}
    return value.strip() if isinstance(value, str) else value
