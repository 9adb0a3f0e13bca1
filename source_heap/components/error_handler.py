"""Handling of S3's errors."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers.default_error_handler import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers.response_models import ErrorResolution, ResponseAction

from source_heap.s3_errors import S3Failure


@dataclass
class S3ErrorHandler(DefaultErrorHandler):
    """`DefaultErrorHandler` that knows S3's error codes and tells the user what to change.

    The built-in response filters only parse JSON; S3 returns its code as XML, and one status has several causes: 403
    means a wrong key, a wrong secret, a missing permission or a wrong clock.
    """

    parameters: InitVar[Mapping[str, Any]] = None
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Let the base class set its defaults."""
        super().__post_init__(parameters or {})

    def interpret_response(self, response_or_exception: requests.Response | Exception | None) -> ErrorResolution:
        """Decide whether to continue, to retry or to fail, and with which message."""
        failure = None
        if isinstance(response_or_exception, requests.Response):
            failure = S3Failure.of(response_or_exception, self.config["bucket"])
        if failure is None:
            return super().interpret_response(response_or_exception)
        return ErrorResolution(
            ResponseAction.RETRY if failure.is_retried else ResponseAction.FAIL,
            FailureType.transient_error if failure.is_transient else FailureType.config_error,
            failure.message,
        )
