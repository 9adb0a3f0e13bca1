"""The CDK still needs each repair, and the repair works as documented.

A test whose name begins with `test_the_cdk_` fails once a newer CDK does not need the repair: remove the repair then.
"""

import ast
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import pytest
import requests
import requests_mock
import time_machine
from airbyte_cdk.destinations import Destination
from airbyte_cdk.models import AirbyteMessageSerializer, FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler
from airbyte_cdk.sources.declarative.requesters.paginators.strategies.cursor_pagination_strategy import (
    CursorPaginationStrategy,
)
from airbyte_cdk.sources.streams.call_rate import (
    APIBudget,
    BaseCallRatePolicy,
    CallRateLimitHit,
    HttpAPIBudget,
    HttpRequestMatcher,
    MovingWindowCallRatePolicy,
    Rate,
)
from airbyte_cdk.sources.streams.http.error_handlers import ErrorResolution, HttpStatusErrorHandler, ResponseAction
from airbyte_cdk.sources.streams.http.http_client import HttpClient
from airbyte_cdk.utils import AirbyteTracedException
from pyrate_limiter import TimeClock

from cdp_connectors.cdk_repairs import (
    RejectedRequestError,
    RepairedDestination,
    StringCursorPaginationStrategy,
)
from cdp_connectors.cdk_repairs.http import repair_http_client
from cdp_connectors.cdk_repairs.templates import serialize_parsing
from cdp_connectors.json_types import Json
from unit_tests.declarative_sources import api

__all__ = ["api"]

LIST = "https://api.example.com/list"
PERSON = "person@example.com"
REJECT = ErrorResolution(ResponseAction.FAIL, FailureType.config_error, "The key is wrong.")


def client(**options: object) -> HttpClient:
    log = logging.getLogger("airbyte.test")
    handler = HttpStatusErrorHandler(log, error_mapping={401: REJECT}, max_retries=0)
    return HttpClient("people", log, error_handler=handler, **options)


def unrepaired(function: Callable[..., object]) -> Callable[..., object]:
    return getattr(function, "__wrapped__", function)


def test_only_one_thread_at_a_time_parses() -> None:
    serialize_parsing()
    serialize_parsing()
    identifiers = [f"{number:08x}" for number in range(100)]
    literal = repr(identifiers)

    with ThreadPoolExecutor(8) as threads:
        evaluated = list(threads.map(lambda _: ast.literal_eval(literal), range(400)))

    assert evaluated == [identifiers] * 400
    assert not hasattr(unrepaired(ast.parse), "__wrapped__"), "the second call changed nothing"


class RetryWithoutRows(HttpStatusErrorHandler):
    """A vendor's error handler that retries a response without `rows`."""

    def interpret_response(self, response_or_exception: requests.Response | Exception | None = None) -> ErrorResolution:
        readable = isinstance(response_or_exception, requests.Response) and "rows" in response_or_exception.text
        return ErrorResolution(ResponseAction.SUCCESS if readable else ResponseAction.RETRY, None, "unreadable")


@pytest.mark.parametrize("unreadable", [{"text": "<html>"}, {"json": {"data": None}}], ids=["web page", "JSON"])
@pytest.mark.parametrize("repaired", [False, True])
def test_the_cdk_caches_a_response_that_the_error_handler_does_not_accept(
    api: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch, unreadable: dict[str, object], *, repaired: bool
) -> None:
    repair_http_client()
    if not repaired:
        monkeypatch.setattr(HttpClient, "_request_session", unrepaired(HttpClient._request_session))
    api.get(LIST, [unreadable, {"json": {"rows": []}}])
    log = logging.getLogger("airbyte.test")
    http = HttpClient("people", log, error_handler=RetryWithoutRows(log, max_retries=1), use_cache=True)
    http.clear_cache()

    if repaired:
        assert http.send_request("GET", LIST, {})[1].json() == {"rows": []}
        assert http.send_request("GET", LIST, {})[1].json() == {"rows": []}
        assert len(api.request_history) == 2
    else:
        with pytest.raises(AirbyteTracedException):
            http.send_request("GET", LIST, {})


@pytest.mark.parametrize("repaired", [False, True])
def test_the_cdk_fails_on_a_remaining_calls_header_that_is_not_a_number(*, repaired: bool) -> None:
    repair_http_client()
    read = HttpAPIBudget.get_calls_left_from_response
    budget = HttpAPIBudget(policies=[], ratelimit_remaining_header="X-RateLimit-Remaining")
    response = requests.Response()
    response.headers["X-RateLimit-Remaining"] = "unlimited"

    if repaired:
        assert read(budget, response) is None
        response.headers["X-RateLimit-Remaining"] = "7"
        assert read(budget, response) == 7
    else:
        with pytest.raises(ValueError, match="unlimited"):
            unrepaired(read)(budget, response)


@pytest.mark.parametrize("repaired", [False, True])
def test_the_cdk_waits_for_as_long_as_the_clock_was_set_back(
    monkeypatch: pytest.MonkeyPatch, *, repaired: bool
) -> None:
    repair_http_client()
    if not repaired:
        monkeypatch.setattr(TimeClock, "now", unrepaired(TimeClock.now))
    matchers = [HttpRequestMatcher(method="GET")]
    policy = MovingWindowCallRatePolicy([Rate(limit=1, interval=timedelta(seconds=1))], matchers)
    request = requests.Request("GET", LIST)

    with time_machine.travel(datetime(2026, 1, 1, tzinfo=timezone.utc), tick=True) as clock:
        policy.try_acquire(request, weight=1)
        clock.shift(timedelta(hours=-1))
        with pytest.raises(CallRateLimitHit) as hit:
            policy.try_acquire(request, weight=1)

    assert (hit.value.time_to_wait <= timedelta(seconds=1)) is repaired


def counts_of(owner: HttpClient | HttpAPIBudget) -> list[str]:
    """The public attributes that could be counts."""
    return [name for name in dir(owner) if re.match(r"[^_].*(count|total|num|attempt|retr[iy]|wait|time|stat)", name)]


def test_the_cdk_counts_neither_requests_nor_retries(api: requests_mock.Mocker, waits: list[float]) -> None:
    repair_http_client()
    api.get(LIST, [{"status_code": 503}, {"json": {}}])
    log = logging.getLogger("airbyte.test")
    http = HttpClient("people", log, error_handler=HttpStatusErrorHandler(log, max_retries=1))

    http.send_request("GET", LIST, {})

    assert len(api.request_history) == 2
    assert waits
    assert counts_of(http) == []


class ExhaustedOnce(BaseCallRatePolicy):
    """A rate limit that lets the second attempt pass."""

    is_exhausted = True

    def try_acquire(self, request: Json, weight: int) -> None:
        if self.is_exhausted:
            self.is_exhausted = False
            raise CallRateLimitHit("", item=request, weight=weight, rate="", time_to_wait=timedelta(seconds=7))

    update = None  # type: ignore[assignment] # not called


def test_the_cdk_does_not_report_how_long_a_rate_limit_held_back_a_request(
    waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    repair_http_client()
    budget = HttpAPIBudget(policies=[ExhaustedOnce([])])

    with caplog.at_level(logging.INFO):
        reported = unrepaired(APIBudget.acquire_call)(budget, requests.Request("GET", LIST))

    assert waits == [7]
    assert reported is None
    assert caplog.messages == []
    assert counts_of(budget) == []


def failure_of(http: HttpClient) -> AirbyteTracedException:
    with pytest.raises(AirbyteTracedException) as raised:
        http.send_request("GET", LIST + "?email=" + PERSON, {})
    return raised.value


def test_the_cdk_puts_bodies_into_failures(
    api: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    repair_http_client()
    handle = unrepaired(HttpClient._handle_error_resolution)
    monkeypatch.setattr(HttpClient, "_handle_error_resolution", handle)
    api.get(LIST, status_code=401, json={"error": "unauthorized", "who": PERSON})

    error = failure_of(client())

    assert PERSON in str(error.internal_message)
    assert PERSON in caplog.text
    assert not hasattr(error, "status")


def test_a_rejected_request_reports_its_status_and_no_bodies(
    api: requests_mock.Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    repair_http_client()
    api.get(LIST, status_code=401, json={"error": "unauthorized", "who": PERSON})

    error = failure_of(client())

    assert isinstance(error, RejectedRequestError)
    assert (error.status, error.message, error.failure_type) == (401, "The key is wrong.", FailureType.config_error)
    assert error.internal_message == "GET /list: 401 unauthorized"
    assert "GET /list: 401 unauthorized" in caplog.text
    assert PERSON not in caplog.text


def test_a_status_that_no_filter_knows_is_reported_without_the_body(api: requests_mock.Mocker) -> None:
    repair_http_client()
    api.get(LIST, status_code=418, text=f"no tea for {PERSON}")
    handler = DefaultErrorHandler(parameters={}, config={}, max_retries=0)

    error = failure_of(HttpClient("people", logging.getLogger("airbyte.test"), error_handler=handler))

    assert "Unexpected response to GET /list: 418" in str(error)
    assert PERSON not in str(error)


def test_the_cdk_reads_a_cursor_as_a_number() -> None:
    response = requests.Response()
    response._content = b'{"next": "30e00001"}'
    cursors = [
        strategy(cursor_value="{{ response['next'] }}", config={}, parameters={}).next_page_token(response, 1, None)
        for strategy in (CursorPaginationStrategy, StringCursorPaginationStrategy)
    ]

    assert cursors[0] != "30e00001"
    assert cursors[1] == "30e00001"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the CDK leaves the catalog open
def test_the_cdk_loses_the_lines_and_keys_that_it_does_not_know(tmp_path: Path) -> None:
    class Plain(Destination):
        check = None  # type: ignore[assignment] # not called

        def write(self, config: Json, configured_catalog: Json, input_messages: Json) -> Json:
            del config, configured_catalog
            return input_messages

    class Repaired(RepairedDestination):
        check = write = None  # type: ignore[assignment] # not called

        def write_input(self, config: Json, catalog: Json, stdin: BinaryIO) -> Iterator[str]:
            del config
            yield from (line.decode() for line in [*stdin, *catalog["streams"]])

    state = '{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"}}},"id":7}'
    catalog = tmp_path / "catalog.json"
    catalog.write_text('{"streams": []}')

    def run(destination: Destination) -> list[Json]:
        stdin = TextIOWrapper(BytesIO(f"half a li\n{state}".encode()))
        return list(destination._run_write({}, str(catalog), stdin))

    [message] = run(Plain())
    assert "id" not in AirbyteMessageSerializer.dump(message)
    assert run(Repaired()) == ["half a li\n", state]
