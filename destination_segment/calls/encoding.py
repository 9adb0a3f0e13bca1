"""JSON encoding and decoding: fast where possible, exact where necessary."""

import json

import orjson

from cdp_connectors.json_types import Json
from destination_segment.configuration.templates import json_default
from destination_segment.spec.values import ExactNumber, UnsendableError

_LARGEST_INTEGER = 2**64 - 1
_SMALLEST_INTEGER = -(2**63)
_LONGEST_INTEGER = 20
"""Digits of the largest integer that orjson reads exactly."""


class _NotANumber:
    """NaN or an infinity, which JSON does not have."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __str__(self) -> str:
        return self._name


def encoded(body: Json) -> bytes:
    """The JSON of a call's body, with sorted keys.

    Raises:
        UnsendableError: the body contains a value that JSON cannot represent, or is nested too deeply.
    """
    try:
        return orjson.dumps(body, default=_default, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise UnsendableError(_reason(str(error))) from error


def identity(parts: list[Json]) -> bytes:
    """JSON for a hash or a log line, whatever the parts contain."""
    try:
        return orjson.dumps(parts, default=_default)
    except TypeError:
        return json.dumps(parts, default=str, skipkeys=True).encode()


def exactly_read(line: bytes) -> Json:
    """Parse what orjson rejects or rounds: numbers beyond 64 bits, lone surrogates, NaN.

    Raises:
        ValueError: the line is not JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(
        line.decode("utf-8", "surrogateescape"),
        parse_int=_exact_integer,
        parse_float=_exact_float,
        parse_constant=_NotANumber,
    )


def _exact_integer(digits: str) -> int | ExactNumber:
    if len(digits) <= _LONGEST_INTEGER and _SMALLEST_INTEGER <= int(digits) <= _LARGEST_INTEGER:
        return int(digits)
    return ExactNumber(digits)


def _exact_float(digits: str) -> float:
    value = float(digits)
    return ExactNumber(str(int(value))) if value.is_integer() and abs(value) > _LARGEST_INTEGER else value


def _default(value: Json) -> Json:
    return orjson.Fragment(value.digits) if isinstance(value, ExactNumber) else json_default(value)


def _reason(error: str) -> str:
    if "surrogates" in error or "UTF-8" in error:
        return "the call contains a string that is not valid Unicode"
    if "ecursion" in error:
        return "the call is nested too deeply"
    return "the call contains a value that JSON cannot represent"
