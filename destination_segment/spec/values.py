"""Values in the types that Segment's spec documents.

Every function accepts any JSON value and either returns it converted or raises `UnsendableError`, whose message is the
end of a sentence ("is not a date") and never quotes the value: it is logged, and records contain personal data.
"""

import re
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import pendulum
from typing_extensions import Self

from cdp_connectors.json_types import Json, JsonObject
from destination_segment.spec.currencies import CURRENCY_CODES

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOCAL_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,300}(\.\d{1,300})?", re.ASCII)
_FIRST_INEXACT = 2**63  # whole numbers from here on may have been read as floats
_COMPACT_DATE_DIGITS = 8
_DIGITS_OF_UNIX_TIME = range(9, 21)
_SMALLEST_UNIX_TIME = 10**8
_UNIX_TIME_UNITS = ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Upper bounds, and units per second: seconds up to the year 5138, then milli-, micro- and nanoseconds from 1973 on."""


class UnsendableError(ValueError):
    """The record cannot be sent; the message says why and never quotes a value."""


class InexactNumberError(Exception):
    """A whole number was read as a float, which lost its digits; read the record exactly and try again."""


class ExactNumber(float):
    """A whole number beyond 64 bits that keeps its digits."""

    digits: str

    def __str__(self) -> str:
        return self.digits

    __repr__ = __str__

    def __new__(cls, digits: str) -> Self:
        """Keep the digits; the value is the nearest float."""
        number = super().__new__(cls, digits)
        number.digits = digits
        return number


def exact(value: Json) -> Json:
    """The value, unchanged.

    Raises:
        InexactNumberError: it is a whole number that was read as a float, so that its digits are not known.
    """
    if type(value) is float and value.is_integer() and abs(value) >= _FIRST_INEXACT:
        raise InexactNumberError
    return value


def string(value: Json) -> str:
    """A string; numbers are formatted, whole ones without a decimal point.

    Raises:
        InexactNumberError: the number's digits are not known.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, ExactNumber):
        return value.digits
    if isinstance(value, float) and value.is_integer():
        return str(int(exact(value)))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise UnsendableError("is not a string")


def identifier(value: Json) -> str | None:
    """The string of an id; None for an absent or blank one."""
    return None if value is None else string(value).strip() or None


def number(value: Json) -> int | float:
    """A number, also from a string of digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(value) if "." not in value and abs(int(value)) < _FIRST_INEXACT else float(value)
    raise UnsendableError("is not a number")


def boolean(value: Json) -> bool:
    """True or false, also from 0, 1 and the strings `true` and `false`."""
    known = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, bool | int | str) and str(value).strip().lower() in known:
        return known[str(value).strip().lower()]
    raise UnsendableError("is neither true nor false")


def mapping(value: Json) -> JsonObject:
    """An object."""
    if isinstance(value, dict):
        return value
    raise UnsendableError("is not an object")


def strings(value: Json) -> list[str]:
    """A list of strings."""
    if isinstance(value, list):
        return [string(item) for item in value]
    raise UnsendableError("is not a list of strings")


def string_or_number(value: Json) -> str | int | float:
    """A string or a number, as it is."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise UnsendableError("is neither a string nor a number")


def currency_code(value: Json) -> str:
    """An ISO 4217 code in capitals."""
    code = value.strip().upper() if isinstance(value, str) else ""
    if code in CURRENCY_CODES:
        return code
    raise UnsendableError("is not an ISO 4217 currency code")


def date(value: Json) -> str:
    """An ISO 8601 date as it is, or a point in time as `timestamp` writes it."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        moment(value)
        return value
    return timestamp(value)


def with_offset(value: Json) -> Json:
    """An ISO 8601 date-time without offset as one in UTC; any other value as it is.

    Engage does not save a trait whose time has no offset (spec/common).
    """
    if isinstance(value, str) and _LOCAL_DATE_TIME.fullmatch(value):
        return f"{value[:10]}T{value[11:]}Z"
    return value


def timestamp(value: Json, read: Callable[[Json], datetime] | None = None) -> str:
    """A point in time as ISO 8601 in UTC, to the millisecond, or to the microsecond where it has any."""
    try:
        instant = (read or moment)(value).astimezone(timezone.utc)
    except OverflowError:
        instant = _reject_date()  # within hours of the first or last representable time, in another offset
    precision = "microseconds" if instant.microsecond % 1000 else "milliseconds"
    return instant.isoformat(timespec=precision).replace("+00:00", "Z")


def moment(value: Json) -> datetime:
    """The point in time that a value represents; UTC if it has no offset.

    Strings are ISO 8601 (a date alone is its midnight), RFC 2822 or the digits of a Unix time; numbers are Unix times
    in seconds, milliseconds, microseconds or nanoseconds, distinguished by magnitude. A Unix time has at least nine
    digits: smaller numbers are durations, counts or years far more often than moments before 1973.
    """
    if isinstance(value, str):
        return _moment_of_string(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _SMALLEST_UNIX_TIME:
        return _moment_of_unix_time(value)
    return _reject_date()


def moments_in(form: str) -> Callable[[Json], datetime]:
    """A reader of points in time written in one format of `strptime`."""

    def read(value: Json) -> datetime:
        try:
            return _in_utc(datetime.strptime(string(value), form))  # noqa: DTZ007 # the offset may be missing
        except ValueError:
            return _reject_date()

    return read


def _moment_of_string(value: str) -> datetime:
    if value.isdecimal() and len(value) != _COMPACT_DATE_DIGITS:
        return _moment_of_unix_time(int(value)) if len(value) in _DIGITS_OF_UNIX_TIME else _reject_date()
    try:
        return _in_utc(datetime.fromisoformat(value))
    except ValueError:
        pass
    for read in (_iso_8601, parsedate_to_datetime):
        try:
            return _in_utc(read(value.removesuffix(" UTC")))
        except (TypeError, ValueError, IndexError, OverflowError):
            continue
    return _reject_date()


def _iso_8601(value: str) -> datetime:
    if not value[:4].isdigit():  # pendulum also parses a time without a date, as one of today
        raise ValueError
    parsed: object = pendulum.parse(value)
    if not isinstance(parsed, datetime):
        raise TypeError
    return parsed


def _moment_of_unix_time(value: float) -> datetime:
    for bound, units_per_second in _UNIX_TIME_UNITS:
        if abs(value) < bound:
            try:
                return datetime.fromtimestamp(value / units_per_second, timezone.utc)
            except (ValueError, OverflowError, OSError):
                break
    return _reject_date()


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)


def _reject_date() -> datetime:
    raise UnsendableError("is not a date")
