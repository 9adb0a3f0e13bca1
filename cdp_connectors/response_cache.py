"""A guard around the CDK's cache of answers, which keeps those of lists that have children."""

from functools import wraps

import requests
from airbyte_cdk.sources.streams.call_rate import CachedLimiterSession
from airbyte_cdk.sources.streams.http.http_client import HttpClient


def cache_json_only() -> None:
    """Keep an answer with status 200 that is not JSON out of the cache; calling this again changes nothing.

    The CDK caches by status. It would give the same unreadable answer to each of its own retries, and then to every
    stream below that list, although the API has long recovered. It has no setting for it.
    """
    open_session = HttpClient._request_session  # noqa: SLF001
    if hasattr(open_session, "__wrapped__"):
        return

    @wraps(open_session)
    def open_session_for_json(client: HttpClient) -> requests.Session:
        session = open_session(client)
        if isinstance(session, CachedLimiterSession):
            session.settings.filter_fn = _is_json
        return session

    HttpClient._request_session = open_session_for_json  # type: ignore[method-assign, assignment] # noqa: SLF001


def _is_json(response: requests.Response) -> bool:
    try:
        response.json()
    except requests.exceptions.JSONDecodeError:
        return False
    return True
