"""Error responses, before a vendor gives them its form."""


class ApiError(Exception):
    """An error response.

    Attributes:
        status: the HTTP status. 422 stands for invalid arguments, also with vendors that use another one.
        kind: the vendor's name for the error, where it has one.
        details: further members of the response, such as the `field` to blame.
    """

    def __init__(self, status: int, kind: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.details = details


def invalid(message: str, field: str | None = None) -> ApiError:
    """Return the error of an invalid argument; `field` is its name."""
    return ApiError(422, "input-validation", message, **({"field": field} if field else {}))


def not_found() -> ApiError:
    """Return the error of an object that does not exist."""
    return ApiError(404, "NotFound", "Resource not found")
