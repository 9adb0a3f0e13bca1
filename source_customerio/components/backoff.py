"""Retries: how long to wait, and when to stop."""

import random
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers.backoff_strategy import BackoffStrategy
from airbyte_cdk.sources.streams.http.error_handlers import ErrorResolution, ResponseAction
from airbyte_cdk.sources.types import Config

from cdp_connectors.refusals import ParentErrorHandler, SpentQuotaError
from source_customerio.components.metrics import answered_at, is_dated
from source_customerio.components.periods import seconds_until_certain


@dataclass
class DailyQuota(BackoffStrategy):
    """End the stream after `attempts` answers 429 without `Retry-After`, which is how a daily quota is reported.

    Customer.io sends the header with its limit per second only. A stock strategy can say how long to wait, and reject
    a wait that is too long, but cannot act on the header's absence.
    """

    attempts: int
    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def backoff_time(
        self, response_or_exception: requests.Response | requests.RequestException | None, attempt_count: int
    ) -> float | None:
        """None always: the next strategy knows how long to wait.

        Raises:
            SpentQuotaError: a `transient_error` once waiting has proved useless.
        """
        response = response_or_exception
        if not isinstance(response, requests.Response) or response.status_code != requests.codes.too_many_requests:
            return None
        if "Retry-After" not in response.headers and attempt_count >= self.attempts:
            raise SpentQuotaError(
                message=(
                    "Customer.io keeps rejecting requests and does not say when it will accept them again, as it does "
                    "when a daily quota is used up. Nothing was skipped: run the sync again tomorrow, or ask "
                    "Customer.io to raise the quota."
                ),
                internal_message=f"{attempt_count} answers 429 without Retry-After",
                failure_type=FailureType.transient_error,
            )
        return None


@dataclass
class UntilPeriodIsCertain(BackoffStrategy):
    """Wait until it is certain which day (or other period) the last number of metrics without dates is of.

    No stock strategy knows the time of day.
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def backoff_time(
        self,
        response_or_exception: requests.Response | requests.RequestException | None,
        attempt_count: int,  # noqa: ARG002 # the CDK passes it by name
    ) -> float | None:
        """The seconds to wait, or None for any other answer."""
        response = response_or_exception
        return _uncertain_for(response) or None if isinstance(response, requests.Response) and response.ok else None


@dataclass
class MetricsErrorHandler(ParentErrorHandler):
    """`ParentErrorHandler` that repeats a request whose answer has no dates and came when the day was uncertain.

    A response filter sees neither the request nor a calendar.
    """

    def interpret_response(self, response_or_exception: requests.Response | Exception | None) -> ErrorResolution:
        """The resolution; RETRY for an answer that cannot be dated yet."""
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
            "Customer.io's day in Eastern time has just begun or is about to, so that it is uncertain which day its "
            "last number is of. Run the sync again later: after 05:02 UTC.",
        )


def _uncertain_for(response: requests.Response) -> float:
    period = parse_qs(urlsplit(str(response.request.url)).query).get("period")
    if not period or is_dated(response.json()):
        return 0
    wait = seconds_until_certain(answered_at(response), period[0])
    return wait + random.uniform(0, 30) if wait > 120 else wait  # noqa: S311, PLR2004 # not all at once after an hour
