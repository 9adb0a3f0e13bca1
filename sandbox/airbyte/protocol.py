"""The Airbyte protocol as the platform reads it: lines that are messages, that are skipped, or that end the sync.

Follows VersionedAirbyteStreamFactory and BasicAirbyteMessageValidator of airbyte-platform (commons-worker).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

JsonObject = dict[str, Any]

_EXCERPT = 300
_REQUIRED = {
    "RECORD": ("stream", "data"),
    "TRACE": ("type", "emitted_at"),
    "CONTROL": ("type", "emitted_at"),
    "LOG": ("level", "message"),
    "STATE": (),
}
"""The message types that matter during a sync, and the fields without which a message is skipped."""


class SyncRuleError(Exception):
    """A violated rule that makes the platform end the entire sync."""


def stream_key(described: Mapping[str, Any]) -> str:
    """A stream's name for reports: `name`, or `namespace.name` if it has a namespace.

    Args:
        described: a stream, a stream descriptor, or a record's envelope.
    """
    name = described.get("name") or described["stream"]
    namespace = described.get("namespace")
    return name if namespace is None else f"{namespace}.{name}"


def state_key(state: Mapping[str, Any]) -> str:
    """The stream that a STATE of type STREAM belongs to.

    Raises:
        SyncRuleError: the state is not of type STREAM. No connector of this project writes another type, and the
            platform rejects a mixture.
    """
    if state.get("type") != "STREAM":
        raise SyncRuleError(f"A state of type {state.get('type')} instead of STREAM")
    return stream_key(state["stream"]["stream_descriptor"])


def body_of(message: Mapping[str, Any]) -> JsonObject:
    """The member of a message that is named after its type."""
    kind = message["type"]
    return dict(message["connectionStatus" if kind == "CONNECTION_STATUS" else kind.lower()])


def excerpt(line: bytes) -> str:
    """The beginning of a line, for error reports."""
    return line[:_EXCERPT].decode(errors="replace").rstrip()


@dataclass(frozen=True)
class _Deduplication:
    """The first path elements of the primary key, if the destination deduplicates the stream by it."""

    keys: tuple[str, ...]


class MessageReader:
    """Reads the lines of one connector during a sync."""

    def __init__(self, catalog: Mapping[str, Any] | None) -> None:
        """Check records against the configured catalog; None for a destination, whose records are not checked."""
        self._streams = None if catalog is None else dict(map(_rule, catalog["streams"]))

    def read(self, line: bytes) -> JsonObject | None:
        """The message of one line, or None for a line that the platform skips.

        Raises:
            SyncRuleError: the message ends the sync: a record of a stream that is not in the configured catalog, or
                without its primary key where the destination deduplicates.
        """
        try:
            message = orjson.loads(line)
            body = body_of(message)
            complete = all(body.get(name) is not None for name in _REQUIRED.get(message["type"], ()))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        if not complete or (message["type"] == "RECORD" and not body["data"]):
            return None
        if message["type"] == "RECORD" and self._streams is not None:
            self._check_record(body)
        return dict(message)

    def _check_record(self, record: JsonObject) -> None:
        identity = record.get("namespace"), record["stream"]
        rules = self._streams or {}
        if identity not in rules:
            raise SyncRuleError(f"A record of stream {stream_key(record)}, which is not in the configured catalog")
        rule = rules[identity]
        if rule is None:
            return
        if not rule.keys:
            raise SyncRuleError(f"Stream {stream_key(record)} is deduplicated but has no primary key")
        if record["data"].keys().isdisjoint(rule.keys):
            raise SyncRuleError(f"A record of stream {stream_key(record)} without its primary key {list(rule.keys)}")


def is_replicated(message: Mapping[str, Any]) -> bool:
    """True if a message takes part in a sync; SPEC, CATALOG and CONNECTION_STATUS are filtered out."""
    return message["type"] in _REQUIRED


def _rule(configured: Mapping[str, Any]) -> tuple[tuple[str | None, str], _Deduplication | None]:
    stream = configured["stream"]
    deduplicated = configured["sync_mode"] == "incremental" and configured["destination_sync_mode"] in {
        "append_dedup",
        "overwrite_dedup",
    }
    keys = tuple(path[0] for path in configured.get("primary_key") or ())
    return (stream.get("namespace"), stream["name"]), _Deduplication(keys) if deduplicated else None
