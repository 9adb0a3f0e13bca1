"""Log lines for operators: no tracebacks of expected errors, no repetitions, no personal data."""

import logging
import sys
import traceback

from airbyte_cdk.logger import PRINT_BUFFER, AirbyteLogFormatter
from airbyte_cdk.utils import AirbyteTracedException, PrintBuffer
from requests import RequestException

from cdp_connectors.cdk_repairs import correct_record_count, is_noise
from cdp_connectors.personal_data import without_personal_data
from cdp_connectors.process_end import end_with_reader

_BODIES = ("headers", "body", "request_body")


class OperatorFilter(logging.Filter):
    """Change log records before they are written.

    - The CDK's lines about its own scheduling are left out.
    - An expected error is logged once, as its message; only an unexpected one keeps its traceback.
    - The CDK logs bodies of responses, and at the level DEBUG those of requests and the headers with the credential:
      they are left out, and so are e-mail addresses.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """True if the record is to be written."""
        error = record.exc_info[1] if record.exc_info else None
        message = record.getMessage()
        if is_noise(message):
            return False
        if isinstance(error, AirbyteTracedException | RequestException):
            message = f"{message}: {error}"
            record.exc_info = record.exc_text = None
            if message in self._seen:
                return False
            self._seen.add(message)
        elif error:
            record.exc_text = without_personal_data("".join(traceback.format_exception(error)).rstrip())
        record.msg, record.args = without_personal_data(message), ()
        for name in _BODIES:
            vars(record).pop(name, None)
        return True


class OperatorHandler(logging.StreamHandler[PrintBuffer]):
    """Write log records for operators like the CDK's own handler, and end the process once nobody reads them."""

    def __init__(self) -> None:
        super().__init__(PRINT_BUFFER)
        self.setFormatter(AirbyteLogFormatter())
        self.addFilter(OperatorFilter())
        self.addFilter(correct_record_count)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 # the name is logging's
        """End the process if nobody reads its output; report other logging errors on standard error."""
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            end_with_reader()
        super().handleError(record)
