"""The CDK's HTTP client: its cache, its counts, and its messages about failed requests."""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.call_rate import APIBudget, CachedLimiterSession, HttpAPIBudget
from airbyte_cdk.sources.streams.http.error_handlers import ErrorResolution, ResponseAction
from airbyte_cdk.sources.streams.http.http_client import HttpClient
from airbyte_cdk.utils import AirbyteTracedException
from pyrate_limiter import TimeClock

from cdp_connectors.reads import current_read

P = ParamSpec("P")

_LONGEST_EXPLANATION = 500
_rate_limited = threading.local()


class RejectedRequestError(AirbyteTracedException):
    """A response that the manifest's error handler turned into a failure.

    `status` is the HTTP status of the vendor's response, or None if there was none, or only a web page. It
    identifies the failure, so that code does not have to recognize it by the wording of its message.
    """

    def __init__(self, message: str, internal_message: str, failure_type: FailureType, status: int | None) -> None:
        super().__init__(message=message, internal_message=internal_message, failure_type=failure_type)
        self.status = status


def repair_http_client() -> None:
    """Apply the repairs below; a second call changes nothing."""
    if not hasattr(HttpClient._request_session, "__wrapped__"):
        HttpClient._request_session = _caching_successes_only(HttpClient._request_session)  # type: ignore[method-assign] # as before
        HttpClient._handle_error_resolution = _without_bodies(HttpClient._handle_error_resolution)  # type: ignore[method-assign] # as before
        HttpClient._send = _counted(HttpClient._send)  # type: ignore[method-assign] # as before
        HttpAPIBudget.get_calls_left_from_response = _ignoring_words(HttpAPIBudget.get_calls_left_from_response)  # type: ignore[method-assign] # as before
        APIBudget.acquire_call = _timed(APIBudget.acquire_call)  # type: ignore[method-assign] # as before
        TimeClock.now = _of_monotonic_clock(TimeClock.now)  # type: ignore[method-assign] # as before


def _caching_successes_only(
    open_session: Callable[[HttpClient], requests.Session],
) -> Callable[..., requests.Session]:
    """Keep responses out of the cache of parent streams that the error handler of the request does not accept.

    The CDK caches by status and has no setting for it. It would serve the same unreadable response to each of its own
    retries, and then to every child stream of that parent, long after the API has recovered.
    """

    @wraps(open_session)
    def open_session_for_successes(client: HttpClient) -> requests.Session:
        def is_success(response: requests.Response) -> bool:
            return client._error_handler.interpret_response(response).response_action is ResponseAction.SUCCESS

        session = open_session(client)
        if isinstance(session, CachedLimiterSession):
            session.settings.filter_fn = is_success
        return session

    return open_session_for_successes


def _ignoring_words(calls_left: Callable[..., int | None]) -> Callable[..., int | None]:
    """Ignore a header with the remaining calls that is not an integer, for which the CDK fails the stream."""

    @wraps(calls_left)
    def calls_left_if_integer(budget: HttpAPIBudget, response: requests.Response) -> int | None:
        try:
            return calls_left(budget, response)
        except ValueError:
            return None

    return calls_left_if_integer


def _without_bodies(handle: Callable[..., None]) -> Callable[..., None]:
    """Fail with a `RejectedRequestError` that names method, path, status and the vendor's own error message.

    The CDK logs the bodies of request and response, which contain personal data, and puts them into the messages of an
    exception that does not have the status.
    """

    @wraps(handle)
    def handle_without_bodies(
        client: HttpClient,
        response: requests.Response | None,
        exc: requests.RequestException | None,
        request: requests.PreparedRequest,
        error_resolution: ErrorResolution,
        exit_on_rate_limit: bool | None = False,  # noqa: FBT001, FBT002 # the CDK's signature
    ) -> None:
        if error_resolution.response_action is ResponseAction.SUCCESS:
            handle(client, response, exc, request, error_resolution, exit_on_rate_limit)
            return
        summary = f"{request.method} {urlsplit(str(request.url)).path}: "
        if response is None:
            summary += type(exc).__name__
        else:
            summary += f"{response.status_code} {_explanation(client, response)}"
            if response.text and response.text in (error_resolution.error_message or ""):
                error_resolution.error_message = f"Unexpected response to {summary}"
        if error_resolution.response_action is ResponseAction.FAIL:
            client._evict_key(request)
            client._logger.error(summary)
            raise RejectedRequestError(
                message=error_resolution.error_message or summary,
                internal_message=summary,
                failure_type=error_resolution.failure_type or FailureType.system_error,
                status=None if response is None or is_web_page(response) else response.status_code,
            )
        if error_resolution.response_action is ResponseAction.RATE_LIMITED:
            _rate_limited.since = time.monotonic()
        handle(client, response, exc, request, error_resolution, exit_on_rate_limit)

    return handle_without_bodies


def is_web_page(response: requests.Response) -> bool:
    """True if a response is an HTML page, as proxies and captive portals send it, and not an API response."""
    return "text/html" in response.headers.get("Content-Type", "")


def _explanation(client: HttpClient, response: requests.Response) -> str:
    """The vendor's own error message inside a response; the CDK's parser mistakes any other body for one."""
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        return "without an explanation in JSON"
    found = client._error_message_parser.parse_response_error_message(response) if isinstance(body, dict) else None
    return found[:_LONGEST_EXPLANATION] if found else "without an explanation"


def _counted(send: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    """Count requests, retries, and the time between a rejection for a rate limit and the next attempt.

    The CDK logs each planned wait, but no total.
    """

    @wraps(send)
    def send_counted(
        client: HttpClient, request: requests.PreparedRequest, *args: object, **options: object
    ) -> requests.Response:
        read = current_read()
        since = getattr(_rate_limited, "since", None)
        _rate_limited.since = None
        retry = request in client._request_attempt_count
        if read and retry and since is not None:
            read.count_wait(time.monotonic() - since)
        response = None
        try:
            response = send(client, request, *args, **options)
            if read and response.ok:
                read.answered = True
        finally:
            if read and not getattr(response, "from_cache", False):
                read.count_request(retry=retry)
        return response

    return send_counted


def _of_monotonic_clock(now: Callable[[TimeClock], int]) -> Callable[[TimeClock], int]:
    """Measure the windows of rate limits with a monotonic clock.

    The CDK's limiter uses the time of day. If that is set back by an hour, the requests of the last window are an hour
    in the future, and the next request waits for them.
    """

    @wraps(now)
    def monotonic_now(clock: TimeClock) -> int:  # noqa: ARG001 # as in the class
        return int(1000 * time.monotonic())

    return monotonic_now


def _timed(acquire_call: Callable[P, None]) -> Callable[P, None]:
    """Count the time for which the connector's own rate limits hold back a request; the CDK does not report it."""

    @wraps(acquire_call)
    def acquire_timed(*args: P.args, **options: P.kwargs) -> None:
        started = time.monotonic()
        acquire_call(*args, **options)
        if read := current_read():
            read.count_wait(time.monotonic() - started)

    return acquire_timed
