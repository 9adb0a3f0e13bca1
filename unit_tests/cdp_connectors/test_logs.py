"""Log lines for operators."""

import errno
import io
import logging

import pytest
from requests import RequestException

from cdp_connectors.failures import config_error
from cdp_connectors.logs import OperatorFilter, OperatorHandler
from cdp_connectors.personal_data import without_personal_data

EMAIL = "ada.lovelace+1@mail.example.co.uk"


def record(message: str, error: Exception | None = None) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("airbyte", logging.ERROR, __file__, 1, message, (), exc_info)


@pytest.mark.parametrize(
    ("line", "redacted"),
    [
        (f"GET /customers/{EMAIL}: 404", "GET /customers/[e-mail address]: 404"),
        ("GET /customers/ada%40example.com: 404", "GET /customers/[e-mail address]: 404"),
        (
            f"Status code: 200, Response Content: b'{EMAIL} 555-0100'",
            "Status code: 200, Response Content: [not logged]",
        ),
        ("ada at example.com", "ada at example.com"),
    ],
)
def test_personal_data_is_removed(line: str, redacted: str) -> None:
    assert without_personal_data(line) == redacted


def test_an_expected_error_is_logged_once_and_without_traceback() -> None:
    operator = OperatorFilter()
    first, second = (record("Exception while syncing stream users", config_error("Denied.")) for _ in range(2))

    assert operator.filter(first)
    assert first.getMessage() == "Exception while syncing stream users: Denied."
    assert first.exc_info is None
    assert not operator.filter(second)
    assert operator.filter(record("Exception while syncing stream groups", config_error("Denied.")))
    assert operator.filter(record("Exception while syncing stream users", RequestException("cut")))


def test_an_unexpected_error_keeps_its_traceback_without_personal_data() -> None:
    unforeseen = record("Broken", KeyError(EMAIL))

    assert OperatorFilter().filter(unforeseen)
    assert "KeyError" in str(unforeseen.exc_text)
    assert EMAIL not in str(unforeseen.exc_text)


def test_debug_lines_have_neither_headers_nor_bodies() -> None:
    debug = record("Receiving response")
    vars(debug).update(headers={"Authorization": "Bearer planted"}, body=EMAIL, request_body=EMAIL, status=200)

    assert OperatorFilter().filter(debug)
    assert not {"headers", "body", "request_body"} & vars(debug).keys()
    assert vars(debug)["status"] == 200


class FullDisk(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_cannot_be_written_is_reported_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    handler = OperatorHandler()
    handler.setStream(FullDisk())

    handler.handle(record("Stream users: 7 rows"))

    assert "No space left on device" in capsys.readouterr().err
