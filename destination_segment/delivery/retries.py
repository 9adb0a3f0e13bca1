"""Requests to Segment: retries, the waits between them, and the meaning of rejections."""

import logging
from collections.abc import Generator
from urllib.parse import urlsplit

import backoff
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException
from backoff.types import Details
from typing_extensions import Self

from cdp_connectors.json_types import Json

logger = logging.getLogger("airbyte")

ATTEMPTS = 10
"""As many as Segment's own libraries make."""
_LONGEST_BACKOFF = 60
_LONGEST_REQUESTED_WAIT = 600
_LONGEST_TIME = 1_800
_TIMEOUT = (10, 60)  # seconds to connect, and between two bytes of the response
_BAD_REQUEST = 400
_TRANSIENT_STATUSES = frozenset({408, 429, *range(500, 600)})
_STATUSES_OF_CONTENT = frozenset({400, 404, 405, 409, 410, 413, 422})
_STATUSES_OF_PATHS = frozenset({404, 405})
_LONGEST_QUOTE = 300


class RetryableError(AirbyteTracedException):
    """An error that a retry may overcome."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        """`wait`: the seconds that Segment asked the client to wait, if it did."""
        super().__init__(message=message, internal_message=message, failure_type=FailureType.transient_error)
        self.wait = wait


class RejectionError(AirbyteTracedException):
    """Segment's final rejection of a request."""

    def __init__(self, message: str, internal_message: str, status: int, quote: str = "") -> None:
        super().__init__(message=message, internal_message=internal_message, failure_type=FailureType.config_error)
        self.status = status
        self._quote = quote

    @property
    def answer(self) -> str:
        """The status, with Segment's own message if there is one."""
        return f"HTTP {self.status}{self._quote}"

    @property
    def concerns_content(self) -> bool:
        """True if a request for another record may be accepted."""
        return self.status in _STATUSES_OF_CONTENT and "write key" not in self._quote.lower()

    @property
    def is_unknown_path(self) -> bool:
        """True if Segment does not know the path, or does not allow the method for it."""
        return self.status in _STATUSES_OF_PATHS

    @property
    def may_be_credentials(self) -> bool:
        """True if Segment also responds to a wrong write key with this status."""
        return self.status == _BAD_REQUEST

    def of_everything(self) -> Self:
        """The error for a sync in which no call at all was accepted."""
        return type(self)(
            message=(
                f"Segment rejected every call ({self.answer}). The most likely cause is the write key: check that it "
                "was copied completely and belongs to this region."
            ),
            internal_message=self.internal_message or "",
            status=self.status,
            quote=self._quote,
        )


def _waits() -> Generator[float, Json, None]:
    """The seconds before each retry; `backoff` sends in the error of the last attempt."""
    error: RetryableError = yield 0
    backoff_wait = 1
    while True:
        error = yield backoff_wait if error.wait is None else error.wait
        backoff_wait = min(2 * backoff_wait, _LONGEST_BACKOFF)


def _asks_for_too_long_a_wait(error: Exception) -> bool:
    return isinstance(error, RetryableError) and (error.wait or 0) > _LONGEST_REQUESTED_WAIT


def _log_wait(details: Details) -> None:
    error, wait = details["exception"], details["wait"]  # type: ignore[typeddict-item] # set by on_exception
    logger.warning("%s Retrying in %.0f s (attempt %d of %d).", error, wait, details["tries"], ATTEMPTS)


def send(session: requests.Session, method: str, url: str, **request: Json) -> requests.Response:  # as requests
    """Make a request to Segment, with retries, and return the response.

    Network errors, 408, 429 and 5xx are retried: after the seconds of `Retry-After` or `X-RateLimit-Reset`, else after
    1, 2, 4 … 60 s; for half an hour at most. Any other response is final.

    Raises:
        RejectionError: Segment rejected the request; a `config_error`.
        AirbyteTracedException: a `transient_error` if all attempts failed, or if Segment requested a wait of more
            than ten minutes.
    """
    try:
        return _attempt(session, method, url, **request)
    except RetryableError as error:
        reason = (
            f" Segment asked the client to wait {error.wait:.0f} s."
            if _asks_for_too_long_a_wait(error)
            else " All retries failed with the same error."
        )
        raise AirbyteTracedException(
            message=f"{error}{reason} Run the sync again later; it resumes from the last state.",
            internal_message=error.internal_message,
            failure_type=FailureType.transient_error,
        ) from error


@backoff.on_exception(
    _waits,
    RetryableError,
    max_tries=ATTEMPTS,
    max_time=_LONGEST_TIME,
    jitter=backoff.random_jitter,
    giveup=_asks_for_too_long_a_wait,
    on_backoff=_log_wait,
    logger=None,
)
def _attempt(session: requests.Session, method: str, url: str, **request: Json) -> requests.Response:  # as requests
    try:
        response = session.request(method, url, timeout=_TIMEOUT, allow_redirects=False, **request)
    except requests.RequestException as error:
        session.close()
        message = f"{_host(url)} could not be reached ({_kind(error)})."
        raise RetryableError(message) from None  # the cause contains the complete URL, including ids
    if response.status_code in _TRANSIENT_STATUSES:
        session.close()  # Segment's advice: resolve the name again, since its addresses change
        raise RetryableError(f"{_host(url)} responded with HTTP {response.status_code}.", _requested_wait(response))
    if response.ok and "text/html" in response.headers.get("Content-Type", ""):
        raise RetryableError(f"{_host(url)} responded with a web page (proxy or captive portal?).")
    if not response.ok or response.is_redirect:
        raise _rejection(url, response)
    return response


def _requested_wait(response: requests.Response) -> float | None:
    for name in ("Retry-After", "X-RateLimit-Reset"):
        seconds = response.headers.get(name, "").strip()
        if seconds.isdecimal():  # the Public API sends dates as X-RateLimit-Reset
            return float(seconds)
    return None


def _rejection(url: str, response: requests.Response) -> RejectionError:
    status, quote, path = response.status_code, _quote(response), urlsplit(url).path
    problems = {
        400: ("rejected the request as malformed", "Check that the write key was copied completely."),
        401: ("did not accept the credentials", "Check the write key or the Public API token, and the region."),
        403: ("denied the request", "Check the permissions of the write key or Public API token, and the region."),
        404: (f"does not know {path}", "Check the API URL, or the path of the API call."),
        405: (f"does not allow this method for {path}", "Check the method of the API call."),
    }
    other = "rejected the request", "Check the API URL and the plan of the workspace; otherwise contact Segment."
    problem, remedy = problems.get(status, other)
    if response.is_redirect:
        problem, remedy = "responded with a redirect", "Check the API URL."
    return RejectionError(
        message=f"{_host(url)} {problem} (HTTP {status}{quote}). {remedy}",
        internal_message=f"{response.request.method} {urlsplit(url).netloc}: HTTP {status}",
        status=status,
        quote=quote,
    )


def _quote(response: requests.Response) -> str:
    """Segment's own message, if the response contains one."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    message = body.get("message") or (first.get("message") if isinstance(first, dict) else None)
    return f": {message[:_LONGEST_QUOTE]}" if isinstance(message, str) else ""


def _host(url: str) -> str:
    return f"Segment at {urlsplit(url).netloc}"


def _kind(error: requests.RequestException) -> str:
    return "timed out" if isinstance(error, requests.Timeout) else type(error).__name__
