"""The CDK's failures as users see them."""

import pytest
from airbyte_cdk.models import (
    AirbyteErrorTraceMessage,
    AirbyteLogMessage,
    AirbyteMessage,
    AirbyteTraceMessage,
    FailureType,
    Level,
    StreamDescriptor,
    TraceType,
    Type,
)

from cdp_connectors.failures import Failure, check_message, failed_streams, stream_failure

EXHAUSTED = "Exhausted available request attempts. Please see logs for more details. Exception: "
UNREACHABLE = (
    "ConnectionError: HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url: / "
    "(Caused by NewConnectionError(\"HTTPSConnection(host='api.example.com', port=443): "
    'Failed to establish a new connection: [Errno 111] Connection refused"))'
)


def error_trace(message: str, failure_type: FailureType, stream: str | None = "users") -> AirbyteMessage:
    error = AirbyteErrorTraceMessage(
        message=message,
        failure_type=failure_type,
        stack_trace="Traceback",
        stream_descriptor=StreamDescriptor(name=stream) if stream else None,
    )
    return AirbyteMessage(type=Type.TRACE, trace=AirbyteTraceMessage(type=TraceType.ERROR, emitted_at=1, error=error))


def test_an_unreachable_vendor_is_a_transient_error_that_names_it() -> None:
    message = error_trace(EXHAUSTED + UNREACHABLE, FailureType.system_error)

    failure = stream_failure(message)

    assert failure == ("users", Failure(FailureType.transient_error, message.trace.error.message))
    assert message.trace.error.message.startswith("api.example.com could not be reached: Connection refused. Check")


def test_exhausted_retries_keep_the_vendors_message() -> None:
    message = error_trace(EXHAUSTED + "The vendor is unavailable.", FailureType.system_error)

    assert stream_failure(message) == (
        "users",
        Failure(FailureType.transient_error, "All retries failed. The vendor is unavailable."),
    )


@pytest.mark.parametrize(
    ("failure_type", "stack_trace"), [(FailureType.config_error, None), (FailureType.system_error, "Traceback")]
)
def test_only_an_unexpected_error_keeps_its_stack_trace(failure_type: FailureType, stack_trace: str | None) -> None:
    message = error_trace("A message.", failure_type)

    assert stream_failure(message) == ("users", Failure(failure_type, "A message."))
    assert message.trace.error.stack_trace == stack_trace


def test_other_messages_are_not_stream_failures() -> None:
    log = AirbyteMessage(type=Type.LOG, log=AirbyteLogMessage(level=Level.ERROR, message="text"))

    assert stream_failure(log) is None
    assert stream_failure(error_trace("A message.", FailureType.system_error, stream=None)) is None


@pytest.mark.parametrize(
    ("types", "worst"),
    [
        (["transient_error", "config_error", "system_error"], FailureType.config_error),
        (["transient_error", "system_error"], FailureType.system_error),
        (["transient_error", "transient_error"], FailureType.transient_error),
    ],
)
def test_the_end_of_a_partly_failed_read_names_every_stream(types: list[str], worst: FailureType) -> None:
    failures = {f"stream_{name}": Failure(FailureType(name), f"Why {name}.") for name in types}

    error = failed_streams(failures, overwritten=True)

    assert error.failure_type is worst
    assert "Tables that are overwritten keep their previous content" in str(error)
    assert all(f"stream_{name}: Why {name}" in str(error) for name in types)


@pytest.mark.parametrize(
    ("reported", "message"),
    [
        ("'Stream workspace is not available: The token is wrong.'", "The token is wrong."),
        ('"It isn\'t there."', "It isn't there."),
        (repr(EXHAUSTED + "It is down."), "All retries failed. It is down."),
        ("ValueError('x')", "ValueError('x')"),
        (None, None),
    ],
)
def test_check_reports_only_the_message(reported: str | None, message: str | None) -> None:
    assert check_message(reported) == message


CERTIFICATE = (
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
    "certificate'))"
)
POOL = "HTTPSConnectionPool(host='api.example.com', port=443): "


@pytest.mark.parametrize(
    ("reason", "words", "failure_type"),
    [
        (
            f"SSLError: {POOL}Max retries exceeded with url: / (Caused by {CERTIFICATE})",
            ["TLS certificate of api.example.com", "proxy", "REQUESTS_CA_BUNDLE"],
            FailureType.config_error,
        ),
        (
            f"ReadTimeout: {POOL}Read timed out. (read timeout=120)",
            ["api.example.com accepted the connection, but did not respond in time"],
            FailureType.transient_error,
        ),
        (
            f"ProxyError: {POOL}Max retries exceeded with url: / (Caused by ProxyError('Unable to connect to proxy'))",
            ["The proxy in front of api.example.com could not be used"],
            FailureType.transient_error,
        ),
        (
            "ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection'))",
            ["The connection broke before the response was complete, in all attempts (ConnectionError). Check"],
            FailureType.transient_error,
        ),
        (
            "ChunkedEncodingError: ('Connection broken: IncompleteRead(5 bytes read)', IncompleteRead(5 bytes read))",
            ["The connection broke before the response was complete, in all attempts (ChunkedEncodingError). Check"],
            FailureType.transient_error,
        ),
    ],
)
def test_each_connection_error_has_its_own_message(reason: str, words: list[str], failure_type: FailureType) -> None:
    message = error_trace(EXHAUSTED + reason, FailureType.system_error)

    found = stream_failure(message)

    assert found
    assert all(word in found[1].message for word in words)
    assert found[1].failure_type is failure_type
