"""Requests to Segment: when they are repeated, how long to wait in between, and what a refusal means."""

import logging
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import backoff
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException
from backoff.types import Details

logger = logging.getLogger("airbyte")

ATTEMPTS = 10
"""As many as Segment's own libraries make."""
_LONGEST_BACKOFF = 60
_LONGEST_REQUESTED_WAIT = 600
_LONGEST_TIME = 1_800
_TIMEOUT = (10, 60)  # seconds to connect, and between two bytes of the answer
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_STATUSES_OF_CONTENT = frozenset({400, 404, 409, 410, 413, 422})
_LONGEST_QUOTE = 300


class RetryableError(AirbyteTracedException):
    """A fault that another attempt may not meet."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        """`wait`: the seconds that Segment asked to wait, if it did."""
        super().__init__(message=message, internal_message=message, failure_type=FailureType.transient_error)
        self.wait = wait


class RejectionError(AirbyteTracedException):
    """Segment's final no to a request."""

    def __init__(self, message: str, internal_message: str, status: int) -> None:
        super().__init__(message=message, internal_message=internal_message, failure_type=FailureType.config_error)
        self.status = status

    @property
    def concerns_content(self) -> bool:
        """Whether another request, of another record, may be answered differently."""
        return self.status in _STATUSES_OF_CONTENT


def _waits() -> Generator[float, Any, None]:
    """The seconds before each further attempt; `backoff` sends the fault of the last one in."""
    fault: RetryableError = yield 0
    for attempt in range(ATTEMPTS):
        fault = yield min(2**attempt, _LONGEST_BACKOFF) if fault.wait is None else fault.wait


def _wants_too_long_a_wait(fault: Exception) -> bool:
    return isinstance(fault, RetryableError) and (fault.wait or 0) > _LONGEST_REQUESTED_WAIT


def _log_wait(details: Details) -> None:
    fault, wait = details["exception"], details["wait"]  # type: ignore[typeddict-item] # set by on_exception
    logger.warning("%s Trying again in %.0f s (attempt %d of %d).", fault, wait, details["tries"], ATTEMPTS)


def send(session: requests.Session, method: str, url: str, **request: Any) -> requests.Response:  # noqa: ANN401 # as requests
    """Make a request of Segment until it is answered, and return the answer.

    Network faults, 429 and 5xx are met with further attempts: after the seconds that `Retry-After` or
    `X-RateLimit-Reset` ask for, else after 1, 2, 4 … 60 s; for half an hour at most. Any other answer is final.

    Raises:
        AirbyteTracedException: a `transient_error` when the last attempt failed too, or when Segment asks for a longer
            wait than a sync should hang; a `config_error` when it refuses the request.
    """
    try:
        return _attempt(session, method, url, **request)
    except RetryableError as fault:
        asked = (
            f" It asks to wait {fault.wait:.0f} s."
            if _wants_too_long_a_wait(fault)
            else " Further attempts met the same."
        )
        raise AirbyteTracedException(
            message=f"{fault}{asked} Run the sync again later: it goes on after the last state.",
            internal_message=fault.internal_message,
            failure_type=FailureType.transient_error,
        ) from fault


@backoff.on_exception(
    _waits,
    RetryableError,
    max_tries=ATTEMPTS,
    max_time=_LONGEST_TIME,
    jitter=backoff.random_jitter,
    giveup=_wants_too_long_a_wait,
    on_backoff=_log_wait,
    logger=None,
)
def _attempt(session: requests.Session, method: str, url: str, **request: Any) -> requests.Response:  # noqa: ANN401 # as requests
    try:
        response = session.request(method, url, timeout=_TIMEOUT, allow_redirects=False, **request)
    except requests.RequestException as error:
        session.close()
        raise RetryableError(f"{_host(url)} cannot be reached ({_kind(error)}).") from error
    if response.status_code == _TOO_MANY_REQUESTS or response.status_code >= _SERVER_ERROR:
        session.close()  # Segment's advice: resolve the name anew, for its addresses change
        raise RetryableError(f"{_host(url)} answered HTTP {response.status_code}.", _requested_wait(response))
    if response.ok and "text/html" in response.headers.get("Content-Type", ""):
        raise RetryableError(f"{_host(url)} answered with a web page, as a proxy or a sign-in page of a network does.")
    if not response.ok or response.is_redirect:
        raise _refusal(url, response)
    return response


def _requested_wait(response: requests.Response) -> float | None:
    for name in ("Retry-After", "X-RateLimit-Reset"):
        seconds = response.headers.get(name, "").strip()
        if seconds.isdecimal():  # the Public API sends dates as X-RateLimit-Reset
            return float(seconds)
    return None


def _refusal(url: str, response: requests.Response) -> RejectionError:
    status, host = response.status_code, _host(url)
    meanings = {
        400: f"{host} refuses the request as malformed. Check that the write key was copied whole.",
        401: f"{host} does not accept the credentials. Check the write key or the Public API token, and the region.",
        403: f"{host} does not allow this. Check what the write key or the Public API token may do, and the region.",
        404: f"{host} does not know {urlsplit(url).path}. Check the API URL, or the path of the API call.",
    }
    message = meanings.get(status, f"{host} refuses the request.")
    if response.is_redirect:
        message = f"{host} wants requests to go elsewhere. Check the API URL."
    return RejectionError(
        message=f"{message} (HTTP {status}{_quote(response)})",
        internal_message=f"{response.request.method} {urlsplit(url).netloc}: HTTP {status}",
        status=status,
    )


def _quote(response: requests.Response) -> str:
    """What Segment says, if it says it in the form of its API."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    said = body.get("message") or (errors[0].get("message") if errors and isinstance(errors[0], dict) else None)
    return f": {said[:_LONGEST_QUOTE]}" if isinstance(said, str) else ""


def _host(url: str) -> str:
    return f"Segment at {urlsplit(url).netloc}"


def _kind(error: requests.RequestException) -> str:
    return "timed out" if isinstance(error, requests.Timeout) else type(error).__name__
