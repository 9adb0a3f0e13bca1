"""Error responses, independent of a vendor's format."""


class ApiError(Exception):
    """An error response.

    Attributes:
        status: the HTTP status. 422 means invalid arguments, also for vendors that use another status.
        kind: the vendor's name for the error, if any.
        details: further members of the response, such as the invalid `field`.
    """

    def __init__(self, status: int, kind: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.details = details


def invalid(message: str, field: str | None = None) -> ApiError:
    """Return the error for an invalid argument; `field` is its name."""
    return ApiError(422, "input-validation", message, **({"field": field} if field else {}))


def not_found() -> ApiError:
    """Return the error for an object that does not exist."""
    return ApiError(404, "NotFound", "Resource not found")
