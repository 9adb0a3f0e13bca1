"""Failures as users see them: a message and a failure type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from airbyte_cdk.models import AirbyteErrorTraceMessage, AirbyteMessage, FailureType, StreamDescriptor, TraceType, Type
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

from cdp_connectors.cdk_repairs import check_reason, exhausted_reason
from cdp_connectors.personal_data import without_personal_data

_NO_ANSWER = re.compile(
    r"^(?P<kind>ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError): .*?host='(?P<host>[^']+)'"
)
_BROKEN_OFF = re.compile(r"^(?P<kind>ConnectionError|ChunkedEncodingError|ContentDecodingError): ")
_TLS = "SSLError: "
_CAUSE = re.compile(r"(?:\[Errno -?\d+\] )?(?P<cause>[\w ]+?)\W*$")


@dataclass(frozen=True)
class Failure:
    """The reason why a stream was not read."""

    failure_type: FailureType
    message: str


def config_error(message: str, internal_message: str | None = None) -> AirbyteTracedException:
    """Create a failure that the user can fix; the internal message defaults to the message."""
    return _failure(FailureType.config_error, message, internal_message)


def transient_error(message: str, internal_message: str | None = None) -> AirbyteTracedException:
    """Create a failure that a later attempt may overcome; the internal message defaults to the message."""
    return _failure(FailureType.transient_error, message, internal_message)


def _failure(failure_type: FailureType, message: str, internal_message: str | None) -> AirbyteTracedException:
    return AirbyteTracedException(
        message=message, internal_message=internal_message or message, failure_type=failure_type
    )


def error_trace(stream: str, failure: Failure) -> AirbyteMessage:
    """The error trace message of a stream's failure, as of now."""
    error = AirbyteTracedException(
        message=failure.message,
        internal_message=failure.message,
        failure_type=failure.failure_type,
        stream_descriptor=StreamDescriptor(name=stream),
    )
    message = error.as_airbyte_message()
    if message.trace and message.trace.error:
        make_readable(message.trace.error)
        message.trace.error.stack_trace = None
    return message


def stream_failure(message: AirbyteMessage) -> tuple[str, Failure] | None:
    """The stream and the failure that an error trace is about, or None for any other message.

    The trace itself is made readable: exhausted retries report their cause, a vendor that could not be reached is a
    `transient_error`, and a `config_error` loses its stack trace, since nothing in the code is wrong.
    """
    trace = message.trace if message.type is Type.TRACE else None
    error = trace.error if trace and trace.type is TraceType.ERROR else None
    if error is None or error.stream_descriptor is None:
        return None
    make_readable(error)
    return error.stream_descriptor.name, Failure(error.failure_type or FailureType.system_error, error.message)


def failed_streams(failures: Mapping[str, Failure], *, overwritten: bool) -> AirbyteTracedException:
    """The exception that ends a partly failed read.

    It names each stream with its message. Its failure type is `config_error` if the user can fix any of them, else
    `system_error` if any is a defect, else `transient_error`.

    Args:
        failures: the failure of each stream.
        overwritten: True if the catalog has tables that are overwritten, which Airbyte replaces only after a sync
            without any failure.
    """
    types = {failure.failure_type for failure in failures.values()}
    by_urgency = (FailureType.config_error, FailureType.system_error, FailureType.transient_error)
    reasons = "; ".join(f"{name}: {failure.message.rstrip('.')}" for name, failure in failures.items())
    tables = " Tables that are overwritten keep their previous content until a sync succeeds." if overwritten else ""
    return AirbyteTracedException(
        message=f"{len(failures)} stream(s) failed; all others were read to their end.{tables} {reasons}.",
        internal_message="Failed streams: " + ", ".join(failures),
        failure_type=next(failure_type for failure_type in by_urgency if failure_type in types),
    )


def check_message(message: str | None) -> str | None:
    """The message for the user inside the one that the CDK's `check` reports."""
    return _without_attempts(check_reason(message)) if message else message


def make_readable(error: AirbyteErrorTraceMessage) -> None:
    """Rewrite the message of an error trace for users, without secrets and personal data."""
    message = _without_attempts(error.message)
    if message != error.message and error.failure_type is not FailureType.config_error:
        error.failure_type = FailureType.config_error if _TLS in error.message else FailureType.transient_error
    error.message = _redacted(message)
    error.internal_message = _redacted(error.internal_message or "")
    understood = error.failure_type is FailureType.config_error
    error.stack_trace = None if understood else _redacted(error.stack_trace or "")


def _redacted(text: str) -> str:
    return without_personal_data(filter_secrets(text))


def _without_attempts(message: str) -> str:
    reason = exhausted_reason(message)
    if reason is None:
        return message
    unreachable = _NO_ANSWER.match(reason)
    if not unreachable and (broken_off := _BROKEN_OFF.match(reason)):
        return (
            f"The connection broke before the response was complete, in all attempts ({broken_off['kind']}). Check the "
            "network and any proxy between this connector and the vendor; otherwise run the sync again later."
        )
    if not unreachable:
        return f"All retries failed. {reason}"
    host = unreachable["host"]
    cause = _CAUSE.search(reason)
    detail = f": {cause['cause'].strip()}" if cause else ""
    messages = {
        "SSLError": (
            f"The TLS certificate of {host} could not be verified{detail}. Check the API URL; if a proxy inspects the "
            "connection, make its certificate authority known to the connector (REQUESTS_CA_BUNDLE)."
        ),
        "ReadTimeout": (
            f"{host} accepted the connection, but did not respond in time. Run the sync again later; if a proxy is in "
            "between, check that it lets requests through."
        ),
        "ProxyError": f"The proxy in front of {host} could not be used{detail}. Check the proxy settings.",
    }
    return messages.get(
        unreachable["kind"],
        f"{host} could not be reached{detail}. Check the network between this connector and the vendor, its proxy "
        "settings, and a custom API URL; otherwise run the sync again later.",
    )
