"""Messages for S3's error codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlparse

import requests
from botocore.parsers import create_parser

_RETRIED_CODES = frozenset({"ExpiredToken", "InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"})
_TRANSIENT_CODES = frozenset({"PreconditionFailed"})
_MESSAGES = {
    "NoSuchBucket": "Bucket '{bucket}' does not exist. Check the bucket's name.",
    "NoSuchKey": "The bucket has no object '{key}'. Restore it, or ask Heap to resync the table.",
    "InvalidRange": "Object '{key}' is empty. Ask Heap to resync the table.",
    "InvalidAccessKeyId": "The access key ID does not exist in AWS. Check it in the settings.",
    "SignatureDoesNotMatch": "The secret access key does not match the access key ID. Re-enter it.",
    "InvalidToken": "AWS rejected the session token of the credentials. Renew the credentials.",
    "ExpiredToken": "The AWS credentials have expired. Renew them on the machine that reads the bucket.",
    "RequestTimeTooSkewed": "The clock of this machine is off by more than 15 minutes. Correct it.",
    "InvalidObjectState": "Object '{key}' is archived (Glacier). Restore it, or ask Heap to resync the table.",
    "PreconditionFailed": "Object '{key}' was replaced while it was being read. Retry to read the new version.",
}
_LIST_DENIED = (
    "Access denied when listing bucket '{bucket}'. Check the bucket's name, and allow s3:ListBucket on "
    "arn:aws:s3:::{bucket} for the credentials."
)
_READ_DENIED = (
    "Access denied when reading object '{key}', although the bucket can be listed. Allow s3:GetObject on "
    "arn:aws:s3:::{bucket}/* for the credentials. If that is granted, Heap's account still owns the objects: set the "
    "bucket's Object Ownership to 'Bucket owner enforced'."
)
_WRONG_REGION = (
    "Bucket '{bucket}' is not in the configured AWS region{region}. Correct the AWS region, or leave it empty to "
    "auto-detect it."
)
_UNAVAILABLE = "S3 is temporarily unavailable ({code}). Retry later."
_OTHER = "S3 rejected a request for bucket '{bucket}', object '{key}': {code} {message}"
_UNEXPLAINED = (
    "A request for bucket '{bucket}', object '{key}' was rejected with status {status}, without an S3 error. "
    "Check the endpoint URL, and whether a proxy intercepts requests to S3."
)
_CUT_OFF = "The connection to S3 broke before a response was complete. Retry later."
_REDIRECTS = frozenset({301, 302, 307, 308})
_WRONG_REGION_CODES = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "TemporaryRedirect"}
)


@dataclass(frozen=True)
class S3Failure:
    """An error response of S3.

    `message` is for the user. If `is_retried`, the same request may succeed shortly; if `is_transient`, it may succeed
    in a later run without any change.
    """

    message: str
    is_retried: bool
    is_transient: bool

    @classmethod
    def of(cls, response: requests.Response, bucket: str) -> "S3Failure | None":
        """The failure that a response to a request for this bucket reports, or None for a successful one."""
        if response.status_code < requests.codes.multiple_choices:
            return None
        try:
            error = _parse(response)
        except requests.RequestException:
            return cls(_CUT_OFF, is_retried=True, is_transient=True)
        code = error.get("Code", "")
        is_retried = code in _RETRIED_CODES or response.status_code >= requests.codes.server_error
        template = _MESSAGES.get(code, _UNAVAILABLE) if is_retried else _template(code, response)
        message = template.format(
            bucket=bucket,
            key=unquote(urlparse(response.request.url or "").path).partition(f"/{bucket}/")[2],
            region=_region_hint(response),
            code=code,
            message=error.get("Message", ""),
            status=response.status_code,
        )
        return cls(message, is_retried, is_retried or code in _TRANSIENT_CODES)


def _parse(response: requests.Response) -> Mapping[str, str]:
    answer = {"status_code": response.status_code, "headers": response.headers, "body": response.content}
    error: Mapping[str, str] = create_parser("rest-xml").parse(answer, None)["Error"]
    return error


def _template(code: str, response: requests.Response) -> str:
    if code in _WRONG_REGION_CODES or response.status_code in _REDIRECTS:
        return _WRONG_REGION
    if code == "AccessDenied":
        is_listing = "list-type" in parse_qs(urlparse(response.request.url or "").query)
        return _LIST_DENIED if is_listing else _READ_DENIED
    return _MESSAGES.get(code, _OTHER if code else _UNEXPLAINED)


def _region_hint(response: requests.Response) -> str:
    region = response.headers.get("x-amz-bucket-region")
    return f": it is in {region}" if region else ""
