"""The destination's input: lines, and the messages in them."""

import json
import re
import time
from collections.abc import Iterator
from select import select
from typing import BinaryIO

import orjson
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.json_types import Json, JsonObject
from destination_segment.calls.encoding import exactly_read

SECONDS_BETWEEN_PAUSES = 0.5
_CHUNK_BYTES = 1 << 18
_DEEPEST = 250
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def lines_of(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a pipe or file without line endings, and None about every half second, even if no line arrives."""
    descriptor = stream.fileno()
    unread = getattr(stream, "raw", stream)  # `select` does not see what a buffer holds
    paused_at = time.monotonic()
    parts: list[bytes] = []
    while True:
        if select([descriptor], [], [], SECONDS_BETWEEN_PAUSES)[0]:
            chunk = unread.read(_CHUNK_BYTES)
            if not chunk:
                break
            *lines, rest = chunk.split(b"\n")
            if lines:
                parts.append(lines[0])
                lines[0] = b"".join(parts)
                parts = [rest]
                yield from lines
            else:
                parts.append(rest)
        if time.monotonic() - paused_at >= SECONDS_BETWEEN_PAUSES:
            paused_at = time.monotonic()
            yield None
    last = b"".join(parts)
    if last:
        yield last


def message_of(line: bytes, number: int) -> tuple[JsonObject, str | None]:
    """The message on a line, and the reason why its record cannot be sent, if there is one.

    Raises:
        AirbyteTracedException: the line is not an Airbyte message, for example because the source was cut off.
    """
    flaw = None
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        message, flaw = _leniently_read(line)
    if not (_is_record(message) or _is_message(message)):
        reason = f"Line {number:,} of the input is not an Airbyte message. Check whether the source was interrupted."
        raise AirbyteTracedException(message=reason, internal_message=reason, failure_type=FailureType.system_error)
    return message, flaw


def state_of(line: bytes) -> JsonObject:
    """The message on a line with a state, with integers of any size."""
    message: JsonObject = json.loads(line.decode("utf-8", "surrogateescape"))
    return message


def state_line(message: JsonObject) -> str:
    """The line of a state."""
    return json.dumps(message, separators=(",", ":"))


def _is_record(message: Json) -> bool:
    try:
        record = message["record"]
        return (
            message["type"] == "RECORD"
            and type(record["data"]) is dict
            and type(record["stream"]) is str
            and isinstance(record.get("namespace"), str | None)
        )
    except (KeyError, TypeError, AttributeError):
        return False


def _is_message(message: Json) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    return message["type"] != "RECORD" and (message["type"] != "STATE" or isinstance(message.get("state"), dict))


def _leniently_read(line: bytes) -> tuple[Json, str | None]:
    try:
        return exactly_read(line), None
    except RecursionError:
        pass
    except ValueError:
        return None, None
    try:
        return exactly_read(_pruned(line)), "the record is nested too deeply"
    except (ValueError, RecursionError):
        return None, None


def _pruned(line: bytes) -> bytes:
    """The line with null in place of what is nested deeper than any call may be."""
    kept: list[bytes] = []
    depth = copied_to = 0
    for token in _TOKENS.finditer(line):
        bracket = token[0]
        if bracket in b"[{":
            depth += 1
            if depth == _DEEPEST:
                kept.append(line[copied_to : token.start()] + b"null")
        elif bracket in b"]}":
            if depth == _DEEPEST:
                copied_to = token.end()
            depth -= 1
    return b"".join(kept) + line[copied_to:]
