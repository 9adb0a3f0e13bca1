"""What the errors of S3 mean for the user."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers.default_error_handler import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers.response_models import ErrorResolution, ResponseAction
from botocore.parsers import create_parser

_RETRIED_CODES = frozenset({"ExpiredToken", "InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"})
_MESSAGES = {
    "NoSuchBucket": "Bucket '{bucket}' does not exist. Check the bucket's name.",
    "NoSuchKey": "The bucket has no object '{key}'. Restore it, or have Heap resync the table if it is gone for good.",
    "InvalidRange": "Object '{key}' is empty. Have Heap resync the table.",
    "InvalidAccessKeyId": "AWS does not know the access key id. Check it in the connection's settings.",
    "SignatureDoesNotMatch": "The secret access key does not belong to the access key id. Enter it anew.",
    "InvalidToken": "AWS refuses the session token of the credentials. Renew the credentials.",
    "ExpiredToken": "The credentials have expired and were not renewed where the connector runs. Renew them.",
    "RequestTimeTooSkewed": "The clock of the machine that runs the connector is wrong by over 15 minutes.",
    "InvalidObjectState": "Object '{key}' lies in an archive (Glacier). Restore it, or have Heap resync the table.",
    "PreconditionFailed": "Object '{key}' was replaced while it was read. The next sync reads it again.",
}
_LIST_DENIED = (
    "Access denied when listing bucket '{bucket}'. Check the bucket's name, and allow s3:ListBucket on "
    "arn:aws:s3:::{bucket} to the credentials."
)
_READ_DENIED = (
    "Access denied when reading object '{key}', although the bucket can be listed. Allow s3:GetObject on "
    "arn:aws:s3:::{bucket}/* to the credentials. If that is granted, Heap's account still owns the objects: set the "
    "bucket's Object Ownership to 'Bucket owner enforced'."
)
_WRONG_REGION = (
    "Bucket '{bucket}' is not in the configured AWS region{region}. Correct the AWS region, or leave it empty to have "
    "it found out."
)
_OTHER = "S3 refuses a request for bucket '{bucket}', object '{key}': {code} {message}"
_REDIRECTS = frozenset({301, 302, 307, 308})
_WRONG_REGION_CODES = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "TemporaryRedirect"}
)


@dataclass
class S3ErrorHandler(DefaultErrorHandler):
    """`DefaultErrorHandler` that knows S3's error codes and tells the user what to change.

    The built-in response filters look into JSON only; S3 writes its code in XML, and one status stands for several
    causes: 403 for a wrong key, a wrong secret, a missing permission or a wrong clock.
    """

    parameters: InitVar[Mapping[str, Any]] = None
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Let the base class prepare its defaults."""
        super().__post_init__(parameters or {})

    def interpret_response(self, response_or_exception: requests.Response | Exception | None) -> ErrorResolution:
        """Decide whether to go on, to try again, or to fail, and with which sentence."""
        response = response_or_exception
        if not isinstance(response, requests.Response) or response.status_code < requests.codes.multiple_choices:
            return super().interpret_response(response)
        error = _parse(response)
        code = error.get("Code", "")
        if code in _RETRIED_CODES or response.status_code >= requests.codes.server_error:
            message = _MESSAGES.get(code, f"S3 cannot answer at the moment ({code}). Run the sync again later.")
            return ErrorResolution(ResponseAction.RETRY, FailureType.transient_error, message)
        message = self._template(code, response).format(
            bucket=self.config["bucket"],
            key=self._key(response),
            region=_region_hint(response),
            code=code,
            message=error.get("Message", ""),
        )
        failure_type = FailureType.transient_error if code == "PreconditionFailed" else FailureType.config_error
        return ErrorResolution(ResponseAction.FAIL, failure_type, message)

    def _template(self, code: str, response: requests.Response) -> str:
        if code in _WRONG_REGION_CODES or response.status_code in _REDIRECTS:
            return _WRONG_REGION
        if code == "AccessDenied":
            listing = "list-type" in parse_qs(urlparse(response.request.url or "").query)
            return _LIST_DENIED if listing else _READ_DENIED
        return _MESSAGES.get(code, _OTHER)

    def _key(self, response: requests.Response) -> str:
        path = unquote(urlparse(response.request.url or "").path)
        return path.partition(f"/{self.config['bucket']}/")[2]


def _parse(response: requests.Response) -> Mapping[str, str]:
    answer = {"status_code": response.status_code, "headers": response.headers, "body": response.content}
    error: Mapping[str, str] = create_parser("rest-xml").parse(answer, None)["Error"]
    return error


def _region_hint(response: requests.Response) -> str:
    region = response.headers.get("x-amz-bucket-region")
    return f": it is in {region}" if region else ""
