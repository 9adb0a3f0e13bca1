"""When to stop waiting."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers.backoff_strategy import BackoffStrategy
from airbyte_cdk.sources.types import Config
from airbyte_cdk.utils import AirbyteTracedException


@dataclass
class DailyQuota(BackoffStrategy):
    """End the stream after `attempts` answers 429 without `Retry-After`, which is how a daily quota is reported.

    Customer.io sends the header with its limit per second only. A stock strategy can say how long to wait, and refuse
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
            AirbyteTracedException: a `transient_error` once waiting has proved useless.
        """
        response = response_or_exception
        if not isinstance(response, requests.Response) or response.status_code != requests.codes.too_many_requests:
            return None
        if "Retry-After" not in response.headers and attempt_count >= self.attempts:
            raise AirbyteTracedException(
                message=(
                    "Customer.io keeps refusing requests and does not say when it will accept them again, as it does "
                    "when a daily quota is used up. Nothing was skipped: run the sync again tomorrow, or ask "
                    "Customer.io to raise the quota."
                ),
                internal_message=f"{attempt_count} answers 429 without Retry-After",
                failure_type=FailureType.transient_error,
            )
        return None
