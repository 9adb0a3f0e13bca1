"""Log lines for whoever operates a connector: no tracebacks for what is understood, nothing twice, nothing personal."""

import logging
import sys
import traceback

from airbyte_cdk.logger import PRINT_BUFFER, AirbyteLogFormatter
from airbyte_cdk.utils import AirbyteTracedException, PrintBuffer
from requests import RequestException

from cdp_connectors.cdk_repairs import correct_record_count, is_noise
from cdp_connectors.personal_data import without_personal_data
from cdp_connectors.process_end import end_with_reader
from cdp_connectors.rejections import StoppedStreamError

_BODIES = ("headers", "body", "request_body")


class OperatorFilter(logging.Filter):
    """Change log records before they are written.

    - The CDK's lines about its own scheduling are left out.
    - An error that was understood is logged as its message, once; only what nobody foresaw keeps its traceback.
    - The CDK logs bodies of responses, and at the level DEBUG those of requests and the headers with the credential:
      they are left out, and so are e-mail addresses.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, StoppedStreamError):
            return False
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
    """Write log records as the CDK's own handler does, for operators, and end with the reader of the output."""

    def __init__(self) -> None:
        super().__init__(PRINT_BUFFER)
        self.setFormatter(AirbyteLogFormatter())
        self.addFilter(OperatorFilter())
        self.addFilter(correct_record_count)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 # the name is logging's
        """End the process when nobody reads its output; report other errors of logging on standard error."""
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            end_with_reader()
        super().handleError(record)
