"""Retries: how long to wait, and when to stop."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from threading import local
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers.backoff_strategy import BackoffStrategy
from airbyte_cdk.sources.streams.http.error_handlers import ErrorResolution, ResponseAction
from airbyte_cdk.sources.types import Config

from cdp_connectors.rejections import ParentErrorHandler, SpentQuotaError
from source_customerio.components.metrics import answered_at, is_dated
from source_customerio.components.periods import seconds_until_certain

_LONGEST_WAIT = 600
_LONGEST_GROWING_WAIT = 60


@dataclass
class RateLimit(BackoffStrategy):
    """Wait as long as `Retry-After` says plus a random time, so that clients that share the limit spread out.

    A 429 without that header reports an exhausted daily quota: after `attempts` of them, the stream ends. It ends at
    once if the header demands more than ten minutes. A built-in strategy can read the header, but neither adds jitter
    nor acts on the header's absence.
    """

    attempts: int
    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def backoff_time(
        self, response_or_exception: requests.Response | requests.RequestException | None, attempt_count: int
    ) -> float | None:
        """The seconds to wait after a 429, or None for the next strategy to decide.

        Raises:
            SpentQuotaError: a `transient_error` once the quota counts as exhausted.
        """
        response = response_or_exception
        if not isinstance(response, requests.Response) or response.status_code != requests.codes.too_many_requests:
            return None
        wait = response.headers.get("Retry-After", "")
        if wait.isdigit() and int(wait) <= _LONGEST_WAIT:
            return int(wait) + random.uniform(0, 1 + min(attempt_count, 4))  # noqa: S311 # not for secrets
        if wait or attempt_count >= self.attempts:
            raise SpentQuotaError(
                message=(
                    "Customer.io keeps rejecting requests without a usable Retry-After header, as it does when a daily "
                    "quota is used up. Nothing was skipped: run the sync again tomorrow, or ask Customer.io to raise "
                    "the quota."
                ),
                internal_message=f"{attempt_count} responses with status 429, Retry-After: {wait or None}",
                failure_type=FailureType.transient_error,
            )
        return None


@dataclass
class GrowingWait(BackoffStrategy):
    """Wait twice as long after each attempt, from four seconds to a minute.

    `ExponentialBackoffStrategy` has no maximum: after twenty waits for a shared limit, which count as attempts, it
    would wait for weeks.
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def backoff_time(
        self,
        response_or_exception: requests.Response | requests.RequestException | None,  # noqa: ARG002 # as declared
        attempt_count: int,
    ) -> float:
        """The seconds to wait."""
        return min(2.0 ** (attempt_count + 1), _LONGEST_GROWING_WAIT) + random.uniform(0, 1)  # noqa: S311 # not for secrets


@dataclass
class UntilPeriodIsCertain(BackoffStrategy):
    """Wait until the day (or other period) of the last number in undated metrics is unambiguous.

    No built-in strategy knows the time of day.
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def backoff_time(
        self,
        response_or_exception: requests.Response | requests.RequestException | None,
        attempt_count: int,  # noqa: ARG002 # the CDK passes it by name
    ) -> float | None:
        """The seconds to wait, or None for any other response."""
        response = response_or_exception
        return _uncertain_for(response) or None if isinstance(response, requests.Response) and response.ok else None


@dataclass
class PatientErrorHandler(ParentErrorHandler):
    """`ParentErrorHandler` that does not count a 429 with `Retry-After` as a failed attempt.

    Up to `waits` of them are allowed in addition to the `max_retries` after other failures. The built-in handler counts
    both together, so a request that lost the race for a shared limit five times would fail its stream.
    """

    waits: int = 60

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Separate the retries after failures from the waits."""
        super().__post_init__(parameters)
        self._most = {ResponseAction.RETRY: int(self.max_retries or 0), ResponseAction.RATE_LIMITED: self.waits}
        self.max_retries = sum(self._most.values()) + 1
        self._thread = local()  # a request and its retries are sent by one thread, one after another

    def interpret_response(self, response_or_exception: requests.Response | Exception | None) -> ErrorResolution:
        """The resolution; FAIL once the waits, or the retries of other failures, of a request are used up."""
        resolution = super().interpret_response(response_or_exception)
        action = resolution.response_action
        counts = getattr(self._thread, "counts", Counter())
        counts[action] += 1
        is_to_be_repeated = action in self._most and counts[action] <= self._most[action]
        self._thread.counts = counts if is_to_be_repeated else Counter()
        if is_to_be_repeated or action not in self._most:
            return resolution
        reason = resolution.error_message
        if isinstance(response_or_exception, Exception):
            reason = f"{type(response_or_exception).__name__}: {response_or_exception}"
        return ErrorResolution(
            ResponseAction.FAIL,
            FailureType.transient_error,
            f"Exhausted available request attempts. Please see logs for more details. Exception: {reason}",
        )


@dataclass
class MetricsErrorHandler(PatientErrorHandler):
    """`PatientErrorHandler` that retries if a response has no dates and its day is ambiguous.

    A response filter sees neither the request nor a calendar.
    """

    def interpret_response(self, response_or_exception: requests.Response | Exception | None) -> ErrorResolution:
        """The resolution; RETRY for a response that cannot be dated yet."""
        resolution = super().interpret_response(response_or_exception)
        if resolution.response_action is not ResponseAction.SUCCESS or not isinstance(
            response_or_exception, requests.Response
        ):
            return resolution
        if not _uncertain_for(response_or_exception):
            return resolution
        return ErrorResolution(
            ResponseAction.RETRY,
            FailureType.transient_error,
            "Customer.io's day in Eastern time has just begun or is about to begin, so the date of its last number is "
            "ambiguous. Run the sync again after 05:02 UTC.",
        )


def _uncertain_for(response: requests.Response) -> float:
    period = parse_qs(urlsplit(str(response.request.url)).query).get("period")
    if not period or is_dated(response.json()):
        return 0
    return seconds_until_certain(answered_at(response), period[0])
