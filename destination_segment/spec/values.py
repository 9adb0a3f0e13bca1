"""Values in the types that Segment's spec asks for.

Every function takes any JSON value and either returns it in its type or raises `UnsendableError`, whose message is the
end of a sentence ("is not a date") and never quotes the value: it is logged, and records hold personal data.
"""

import re
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pendulum

from destination_segment.spec.currencies import CURRENCY_CODES

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"[+-]?\d{1,300}(\.\d{1,300})?", re.ASCII)
_LARGEST_INTEGER = 2**63  # of JSON as it is written here
_COMPACT_DATE_DIGITS = 8
_DIGITS_OF_UNIX_TIME = range(9, 21)
_UNIX_TIME_UNITS = ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Upper bounds, and units a second: seconds up to the year 5138, then milli-, micro- and nanoseconds from 1973 on."""


class UnsendableError(ValueError):  # an adjective reads best where it is raised
    """A value cannot take the type that its place in a call has."""


def text(value: Any) -> str:  # noqa: ANN401 # as all here
    """A text; numbers are written out, whole ones without a decimal point."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise UnsendableError("is not a text")


def identifier(value: Any) -> str | None:  # noqa: ANN401
    """The text of an id; None for an absent or blank one."""
    return None if value is None else text(value).strip() or None


def number(value: Any) -> int | float:  # noqa: ANN401
    """A number, also from a text that spells one in digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(value) if "." not in value and abs(int(value)) < _LARGEST_INTEGER else float(value)
    raise UnsendableError("is not a number")


def boolean(value: Any) -> bool:  # noqa: ANN401
    """True or false, also from 0, 1 and the texts `true` and `false`."""
    known = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, bool | int | str) and str(value).strip().lower() in known:
        return known[str(value).strip().lower()]
    raise UnsendableError("is neither true nor false")


def mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """An object."""
    if isinstance(value, dict):
        return value
    raise UnsendableError("is not an object")


def texts(value: Any) -> list[str]:  # noqa: ANN401
    """A list of texts."""
    if isinstance(value, list):
        return [text(item) for item in value]
    raise UnsendableError("is not a list of texts")


def text_or_number(value: Any) -> str | int | float:  # noqa: ANN401
    """A text or a number, as it is."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise UnsendableError("is neither a text nor a number")


def currency_code(value: Any) -> str:  # noqa: ANN401
    """An ISO 4217 code in capitals."""
    code = value.strip().upper() if isinstance(value, str) else ""
    if code in CURRENCY_CODES:
        return code
    raise UnsendableError("is not an ISO 4217 currency code")


def date(value: Any) -> str:  # noqa: ANN401
    """An ISO 8601 date as it is, or a point in time as `timestamp` writes it."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        moment(value)
        return value
    return timestamp(value)


def timestamp(value: Any, read: Callable[[Any], datetime] | None = None) -> str:  # noqa: ANN401
    """A point in time as ISO 8601 in UTC, to the millisecond, or to the microsecond where it has any."""
    try:
        instant = (read or moment)(value).astimezone(timezone.utc)
    except OverflowError:
        instant = _refuse_date()  # the first or last hours of all years, in another offset
    precision = "microseconds" if instant.microsecond % 1000 else "milliseconds"
    return instant.isoformat(timespec=precision).replace("+00:00", "Z")


def moment(value: Any) -> datetime:  # noqa: ANN401
    """The point in time that a value names; UTC where it has no offset.

    Texts are ISO 8601 (a date alone is its midnight), RFC 2822 or the digits of a Unix time; numbers are Unix times
    in seconds, milliseconds, microseconds or nanoseconds, told apart by their size.
    """
    if isinstance(value, str):
        return _moment_of_text(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _moment_of_unix_time(value)
    return _refuse_date()


def moments_in(form: str) -> Callable[[Any], datetime]:
    """A reader of points in time written in one format of `strptime`."""

    def read(value: Any) -> datetime:  # noqa: ANN401
        try:
            return _in_utc(datetime.strptime(text(value), form))  # noqa: DTZ007 # the offset may be missing
        except ValueError:
            return _refuse_date()

    return read


def _moment_of_text(value: str) -> datetime:
    if value.isdecimal() and len(value) != _COMPACT_DATE_DIGITS:
        return _moment_of_unix_time(int(value)) if len(value) in _DIGITS_OF_UNIX_TIME else _refuse_date()
    try:
        return _in_utc(datetime.fromisoformat(value))
    except ValueError:
        pass
    for read in (_iso_8601, parsedate_to_datetime):
        try:
            return _in_utc(read(value.removesuffix(" UTC")))
        except (TypeError, ValueError, IndexError, OverflowError):
            continue
    return _refuse_date()


def _iso_8601(value: str) -> datetime:
    if not value[:4].isdigit():  # pendulum also reads a time alone, as one of today
        raise ValueError
    parsed: object = pendulum.parse(value)
    if not isinstance(parsed, datetime):
        raise TypeError
    return parsed


def _moment_of_unix_time(value: float) -> datetime:
    for bound, units_a_second in _UNIX_TIME_UNITS:
        if abs(value) < bound:
            try:
                return datetime.fromtimestamp(value / units_a_second, timezone.utc)
            except (ValueError, OverflowError, OSError):
                break
    return _refuse_date()


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)


def _refuse_date() -> datetime:
    raise UnsendableError("is not a date")
