"""Request validation and error responses."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta, timezone

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

_TIMES = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")
_EARLIEST_YEAR = 1970


class ApiError(Exception):
    """An error response of the API: `errors[]` instead of `data`."""

    def __init__(self, status: int, kind: str, message: str, **details: object) -> None:
        """Describe the error; `details` are further members of the error, such as `field`."""
        super().__init__(message)
        self.status = status
        self._error = {"type": kind, "message": message, **details}

    def response(self, headers: Mapping[str, str] | None = None) -> JSONResponse:
        """Return the response."""
        return JSONResponse({"errors": [self._error]}, self.status, headers)


def invalid(message: str, field: str | None = None) -> ApiError:
    """Return a 422, with the offending parameter where one is to blame."""
    return ApiError(422, "input-validation", message, **({"field": field} if field else {}))


async def error_response(_: Request, error: Exception) -> JSONResponse:
    """Return the response to what an endpoint rejects and to what has no route: an unknown path, a method but GET."""
    if isinstance(error, ApiError):
        return error.response()
    if isinstance(error, HTTPException):
        return ApiError(error.status_code, error.detail.replace(" ", ""), error.detail).response(error.headers)
    raise error


def parameters(request: Request, known: Collection[str], arrays: Collection[str] = ()) -> dict[str, str]:
    """Return the query parameters by name; the values of an array are joined with line breaks, see `values`.

    An array is given as `name.0=…&name.1=…`, as the vendor's documents have it, or by repeating `name`, as the
    vendor's Python client does.

    Raises:
        ApiError: 422 for a parameter that is unknown or given twice. The vendor is more lenient here.
    """
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
    """Return the values of an array, none where it is not given.

    Raises:
        ApiError: 422 for a value that is repeated or not among the choices.
    """
    listed = given[name].split("\n") if name in given else []
    if len(set(listed)) < len(listed):
        raise invalid(f"{name} has a value twice.", name)
    if choices is not None and not set(choices) >= set(listed):
        raise invalid(f"{name} must be among {', '.join(choices)}.", name)
    return listed


def choice(given: Mapping[str, str], name: str, choices: Collection[str], default: str | None = None) -> str:
    """Return a parameter that is one of a few values; without a default it is required.

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
    """Return a parameter as a moment in UTC, or the default where it is not given.

    Raises:
        ApiError: 422 unless it is an ISO-8601 date and time with a time zone.
    """
    return _parsed(given[name], name) if name in given else default


def usage_period(given: Mapping[str, str]) -> date:
    """Return the month that the parameter `period` asks for.

    Raises:
        ApiError: 422 unless it is the first day of a month, as a date or as its midnight in UTC. The vendor
            is more lenient here.
    """
    if "period" not in given:
        raise invalid("period is required.", "period")
    value = given["period"]
    start = _parsed(value if "T" in value else f"{value}T00:00:00Z", "period")
    if start != start.replace(day=1, hour=0, minute=0, second=0, microsecond=0):
        raise invalid("period must be the first day of a month.", "period")
    return start.date()


def _parsed(value: str, name: str) -> datetime:
    for pattern in _TIMES:
        try:
            parsed = datetime.strptime(value, pattern)  # noqa: DTZ007 - both patterns demand a time zone
        except ValueError:
            continue
        if parsed.year > _EARLIEST_YEAR:
            return parsed.astimezone(timezone.utc)
    raise invalid(f"{name} must be a date and time in ISO-8601 format, such as 2026-10-01T00:00:00Z.", name)


def window(start: datetime, end: datetime, *, earliest: datetime, longest: timedelta | None = None) -> None:
    """Check a window of time.

    Raises:
        ApiError: 422 when it ends before it starts, starts before `earliest` or is longer than `longest`.
    """
    if end < start:
        raise invalid("endTime must not be before startTime.", "endTime")
    if start < earliest:
        raise invalid(f"startTime must not be before {earliest.isoformat()}.", "startTime")
    if longest is not None and end - start > longest:
        raise invalid(f"startTime and endTime must not be further apart than {longest}.", "endTime")
