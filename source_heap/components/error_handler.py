"""What the errors of S3 mean for the user."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlparse
from xml.parsers.expat import ExpatError

import requests
import xmltodict
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers.default_error_handler import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers.response_models import ErrorResolution, ResponseAction

_RETRIED_CODES = frozenset({"ExpiredToken", "InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"})
_MESSAGES = {
    "NoSuchBucket": "Bucket '{bucket}' does not exist. Check the bucket's name.",
    "NoSuchKey": "The bucket has no object '{key}'. If a lifecycle rule of the bucket removed it, have Heap resync the "
    "table; otherwise restore the object.",
    "InvalidRange": "Object '{key}' is empty. Have Heap resync the table.",
    "InvalidAccessKeyId": "AWS does not know the access key id. Check it in the connection's settings.",
    "SignatureDoesNotMatch": "The secret access key does not belong to the access key id. Enter it anew.",
    "InvalidToken": "AWS refuses the session token of the credentials. Renew the credentials.",
    "TokenRefreshRequired": "The credentials have expired. Renew them.",
    "RequestTimeTooSkewed": "The clock of the machine that runs the connector is wrong by more than 15 minutes.",
    "InvalidObjectState": "Object '{key}' was moved to an archive (Glacier). Restore it, or have Heap resync the table.",
    "PreconditionFailed": "Object '{key}' was replaced while it was read. The next sync reads it again.",
}
_LIST_DENIED = (
    "Access denied when listing bucket '{bucket}'. Allow s3:ListBucket on arn:aws:s3:::{bucket} to the credentials."
)
_READ_DENIED = (
    "Access denied when reading object '{key}', although the bucket can be listed. Allow s3:GetObject on "
    "arn:aws:s3:::{bucket}/* to the credentials. If that is granted, Heap's account still owns the objects: set the "
    "bucket's Object Ownership to 'Bucket owner enforced'."
)
_WRONG_REGION = (
    "Bucket '{bucket}' is not in the configured AWS region{hint}. Correct the AWS region, or leave it empty to have it "
    "found out."
)
_WRONG_REGION_CODES = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "TemporaryRedirect"}
)


@dataclass
class S3ErrorHandler(DefaultErrorHandler):
    """`DefaultErrorHandler` that knows S3's error codes and tells the user what to change.

    The built-in response filters look into JSON only; S3 writes `<Error><Code>` in XML, and one status stands
    for several causes: 403 for a wrong key, a wrong secret, a missing permission or a wrong clock.
    """

    parameters: InitVar[Mapping[str, Any]] = None
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Let the base class prepare its defaults."""
        super().__post_init__(parameters or {})

    def interpret_response(self, response_or_exception: requests.Response | Exception | None) -> ErrorResolution:
        """Decide whether to go on, to try again, or to fail, and with which sentence."""
        if not isinstance(response_or_exception, requests.Response) or response_or_exception.ok:
            if isinstance(response_or_exception, requests.Response) and response_or_exception.is_redirect:
                return _failure(_WRONG_REGION.format(bucket=self.config["bucket"], hint=""))
            return super().interpret_response(response_or_exception)
        response = response_or_exception
        code = _error_code(response)
        if code in _RETRIED_CODES:
            message = f"S3 answers {code} ({response.status_code})."
            return ErrorResolution(ResponseAction.RETRY, FailureType.transient_error, message)
        template = self._template(code, response)
        if template is None:
            return super().interpret_response(response)
        transient = code == "PreconditionFailed"
        return _failure(
            template.format(bucket=self.config["bucket"], key=self._key(response), hint=_region_hint(response)),
            FailureType.transient_error if transient else FailureType.config_error,
        )

    def _template(self, code: str | None, response: requests.Response) -> str | None:
        if code in _WRONG_REGION_CODES or response.status_code == requests.codes.moved_permanently:
            return _WRONG_REGION
        if code == "AccessDenied":
            listing = "list-type" in parse_qs(urlparse(response.request.url or "").query)
            return _LIST_DENIED if listing else _READ_DENIED
        return _MESSAGES.get(code or "")

    def _key(self, response: requests.Response) -> str:
        path = requests.utils.unquote(urlparse(response.request.url or "").path)
        return path.partition(f"/{self.config['bucket']}/")[2] or path


def _error_code(response: requests.Response) -> str | None:
    try:
        document = xmltodict.parse(response.content)
    except ExpatError:
        return None
    error = document.get("Error")
    return error.get("Code") if isinstance(error, Mapping) else None


def _region_hint(response: requests.Response) -> str:
    region = response.headers.get("x-amz-bucket-region")
    return f": it is in {region}" if region else ""


def _failure(message: str, failure_type: FailureType = FailureType.config_error) -> ErrorResolution:
    return ErrorResolution(ResponseAction.FAIL, failure_type, message)
