"""Validation of request arguments."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta, timezone
from json import JSONDecodeError, loads

from starlette.requests import Request

from cdp_connectors.json_types import JsonObject
from sandbox.api.errors import invalid
from sandbox.api.present import Present

_TIMES = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")
_EARLIEST_YEAR = 1970


def parameters(
    request: Request, present: Present, known: Collection[str] = (), arrays: Collection[str] = ()
) -> dict[str, str]:
    """Return the query parameters by name; the values of an array are joined with line breaks, see `values`.

    An array is written as `name.0=…&name.1=…`, as in the vendor's documentation, or by repeating `name`, as in the
    vendor's Python client.

    Raises:
        ApiError: 422 for a parameter that is unknown or given twice, if the API is strict.
    """
    if not present.strict:
        return dict(request.query_params)
    given: dict[str, str] = {}
    items: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        array, _, index = name.partition(".")
        if array in arrays:
            items.setdefault(array, []).append(value)
            if index and index != str(len(items[array]) - 1):
                raise invalid(f"'{name}' is out of order.", array)
            continue
        if name not in known:
            raise invalid(f"'{name}' is not a parameter of this endpoint.", name)
        if name in given:
            raise invalid(f"'{name}' is given more than once.", name)
        given[name] = value
    return given | {name: "\n".join(listed) for name, listed in items.items()}


def values(given: Mapping[str, str], name: str, choices: Collection[str] | None = None) -> list[str]:
    """Return the values of an array, or none if it is missing.

    Raises:
        ApiError: 422 for a value that is repeated or not one of the choices.
    """
    listed = given[name].split("\n") if name in given else []
    if len(set(listed)) < len(listed):
        raise invalid(f"{name} has a value twice.", name)
    if choices is not None and not set(choices) >= set(listed):
        raise invalid(f"{name} must be among {', '.join(choices)}.", name)
    return listed


def choice(given: Mapping[str, str], name: str, choices: Collection[str], default: str | None = None) -> str:
    """Return a parameter with a fixed set of values; without a default it is required.

    Raises:
        ApiError: 422 for any other value.
    """
    value = given.get(name, default)
    if value is None:
        raise invalid(f"{name} is required.", name)
    if value not in choices:
        raise invalid(f"{name} must be one of {', '.join(choices)}.", name)
    return value


def moment(given: Mapping[str, str], name: str, default: datetime) -> datetime:
    """Return a parameter as a UTC time, or the default if it is missing.

    Raises:
        ApiError: 422 unless it is an ISO-8601 date and time with a time zone.
    """
    return _parsed_moment(given[name], name) if name in given else default


def requested_month(given: Mapping[str, str]) -> date:
    """Return the month that the parameter `period` requests.

    Raises:
        ApiError: 422 unless it is the first day of a month, as a date or as its midnight in UTC. The vendor
            is more lenient here.
    """
    if "period" not in given:
        raise invalid("period is required.", "period")
    value = given["period"]
    start = _parsed_moment(value if "T" in value else f"{value}T00:00:00Z", "period")
    if start != start.replace(day=1, hour=0, minute=0, second=0, microsecond=0):
        raise invalid("period must be the first day of a month.", "period")
    return start.date()


def _parsed_moment(value: str, name: str) -> datetime:
    """Return an ISO-8601 date and time with a time zone as a UTC time.

    Raises:
        ApiError: 422 for any other value.
    """
    for pattern in _TIMES:
        try:
            parsed = datetime.strptime(value, pattern)  # noqa: DTZ007 # both patterns demand a time zone
        except ValueError:
            continue
        if parsed.year > _EARLIEST_YEAR:
            return parsed.astimezone(timezone.utc)
    raise invalid(f"{name} must be a date and time in ISO-8601 format, such as 2026-10-01T00:00:00Z.", name)


def window(
    present: Present, start: datetime, end: datetime, *, earliest: datetime, longest: timedelta | None = None
) -> None:
    """Check a time window.

    Raises:
        ApiError: 422 if it ends before it starts, starts before `earliest`, is longer than `longest`, or ends in the
            future where that is rejected.
    """
    if present.reject_future and end > present.now:
        raise invalid("endTime must not be in the future.", "endTime")
    if end < start:
        raise invalid("endTime must not be before startTime.", "endTime")
    if start < earliest:
        raise invalid(f"startTime must not be before {earliest.isoformat()}.", "startTime")
    if longest is not None and end - start > longest:
        raise invalid(f"startTime and endTime must not be further apart than {longest}.", "endTime")


def integer(given: Mapping[str, str], name: str, default: int) -> int:
    """Return a parameter that is a non-negative integer, or the default where it is missing or empty.

    Raises:
        ApiError: 422 for any other value.
    """
    value = given.get(name)
    if not value:
        return default
    if not value.isdigit():
        raise invalid(f"{name} must be an integer", name)
    return int(value)


def json_object(request: Request) -> JsonObject:
    """Return the body of the request, which must have been read already.

    Raises:
        ApiError: 422 unless it is a JSON object.
    """
    try:
        body = loads(request.state.body)
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise invalid("the body is not JSON") from error
    if not isinstance(body, dict):
        raise invalid("the body is not an object")
    return body
