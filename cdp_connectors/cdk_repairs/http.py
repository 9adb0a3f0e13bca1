"""The CDK's HTTP client: what it caches, and what it says about a rejected request."""

from functools import wraps
from urllib.parse import urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.call_rate import CachedLimiterSession
from airbyte_cdk.sources.streams.http.error_handlers import ErrorResolution, ResponseAction
from airbyte_cdk.sources.streams.http.http_client import HttpClient
from airbyte_cdk.utils import AirbyteTracedException


class RejectedRequestError(AirbyteTracedException):
    """A response that the manifest's error handler turned into a failure.

    `status` is the HTTP status of the response, or None if there was no response. It identifies the failure, so that
    code does not have to recognize it by the wording of its message.
    """

    def __init__(self, message: str, internal_message: str, failure_type: FailureType, status: int | None) -> None:
        super().__init__(message=message, internal_message=internal_message, failure_type=failure_type)
        self.status = status


def cache_json_only() -> None:
    """Keep a response with status 200 that is not JSON out of the cache of parent streams.

    The CDK caches by status and has no setting for it. It would serve the same unreadable response to each of its own
    retries, and then to every stream below that parent, although the API has long recovered.
    """
    open_session = HttpClient._request_session
    if hasattr(open_session, "__wrapped__"):
        return

    @wraps(open_session)
    def open_session_for_json(client: HttpClient) -> requests.Session:
        session = open_session(client)
        if isinstance(session, CachedLimiterSession):
            session.settings.filter_fn = _is_json
        return session

    HttpClient._request_session = open_session_for_json  # type: ignore[method-assign, assignment] # same signature


def _is_json(response: requests.Response) -> bool:
    try:
        response.json()
    except requests.exceptions.JSONDecodeError:
        return False
    return True


def keep_bodies_out_of_failures() -> None:
    """Fail with a `RejectedRequestError` that names method, path, status and the vendor's own error message.

    The CDK logs the bodies of request and response, which hold personal data, and puts them into the internal message
    of an exception that does not tell the status.
    """
    handle = HttpClient._handle_error_resolution
    if hasattr(handle, "__wrapped__"):
        return

    @wraps(handle)
    def handle_without_bodies(
        client: HttpClient,
        response: requests.Response | None,
        exc: requests.RequestException | None,
        request: requests.PreparedRequest,
        error_resolution: ErrorResolution,
        exit_on_rate_limit: bool | None = False,  # noqa: FBT001, FBT002 # the CDK's signature
    ) -> None:
        if error_resolution.response_action is not ResponseAction.FAIL:
            handle(client, response, exc, request, error_resolution, exit_on_rate_limit)
            return
        client._evict_key(request)
        summary = f"{request.method} {urlsplit(str(request.url)).path}: "
        if response is None:
            summary += type(exc).__name__
        else:
            summary += f"{response.status_code} {client._error_message_parser.parse_response_error_message(response)}"
        client._logger.error(summary)
        raise RejectedRequestError(
            message=error_resolution.error_message or summary,
            internal_message=summary,
            failure_type=error_resolution.failure_type or FailureType.system_error,
            status=None if response is None else response.status_code,
        )

    HttpClient._handle_error_resolution = handle_without_bodies  # type: ignore[method-assign, assignment] # same signature
