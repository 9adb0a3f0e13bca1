"""Redaction of fields that may contain credentials."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from cdp_connectors.json_types import Json
from cdp_connectors.records import RecordChange

HIDDEN = "***"


@dataclass
class RedactEndpoint(RecordChange):
    """Remove what can be a credential from `endpoint`: user and password, and the values of query parameters.

    `AddFields` with `regex_replace` would need a regular expression that nobody can verify by reading it.
    """

    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place."""
        endpoint = record.get("endpoint")
        if isinstance(endpoint, str):
            record["endpoint"] = redact(endpoint)


@dataclass
class RedactWebhook(RecordChange):
    """Remove what can be a credential from a message of type `webhook`: in its `url` as above, and header values.

    `headers` is a JSON string of objects with `name` and `value`, which `AddFields` cannot parse. The headers of other
    messages are e-mail headers, and are kept.
    """

    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place."""
        if record.get("type") != "webhook":
            return
        if isinstance(record.get("url"), str):
            record["url"] = redact(record["url"])
        if record.get("headers"):
            record["headers"] = _names_only(record["headers"])


def redact(url: str) -> str:
    """The URL without user information and fragment, and with `***` for the value of each query parameter."""
    try:
        parts = urlsplit(url)
    except ValueError:  # the host can be a template
        return HIDDEN
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(f"{quote(name)}={HIDDEN}" for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def _names_only(headers: Json) -> str:
    """The headers with `***` for each value; `***` alone if they are not written as documented."""
    try:
        return json.dumps([{"name": header["name"], "value": HIDDEN} for header in json.loads(headers)])
    except (TypeError, KeyError, ValueError):
        return HIDDEN
