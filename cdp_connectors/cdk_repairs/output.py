"""Standard output: the lock of its lines, and the wording of the CDK's messages."""

import ast
import logging
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from airbyte_cdk.logger import PRINT_BUFFER

_AVAILABILITY_PREFIX = re.compile(r"^Stream \S+ is not available: ")
_NOISE = re.compile(
    r"Deferring stream |Marking parent stream |Validation skipped\. Key not found"
    r"|.*no response filter with the REDUCE_PAGE_SIZE action"
    r"|Stream '[^']+' (is in blocking group|\(group '[^']+'\) is no longer active)"
)
_RECORDS_READ = re.compile(r"Read (?P<count>\d+) records from (?P<stream>.+) stream")
_RETRIES_EXHAUSTED = re.compile(r"^Exhausted available request attempts\. .*?Exception: (?P<reason>.*)$", re.DOTALL)


def buffer_output() -> None:
    """Write UTF-8 to standard output through a buffer, regardless of the locale and PYTHONUNBUFFERED.

    The CDK's buffer writes to `sys.__stdout__` and expects every write to be complete. In Python's unbuffered mode,
    what the system does not accept at once is dropped: rows, if the process is stopped and continued during a write.
    """
    output = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 # it is open until the process ends
    sys.stdout = output
    setattr(sys, "__stdout__", output)  # noqa: B010 # typeshed declares it final


@contextmanager
def exclusive_output() -> Iterator[None]:
    """Hold the lock under which the CDK writes a line to standard output, after writing what it has buffered.

    Without the lock, a line of another thread could come between two parts of one line.
    """
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.flush()
        yield


def print_messages(messages: Iterable[str]) -> None:
    """Print messages as `airbyte_cdk.entrypoint.launch` does, which cannot be given an entrypoint."""
    with PRINT_BUFFER:
        for message in messages:
            print(f"{message}\n", end="")  # noqa: T201 # in one piece, into the buffer


uncounted_records: Counter[str] = Counter()
"""Records that were written without the CDK, by stream."""


def correct_record_count(record: logging.LogRecord) -> bool:
    """Add the uncounted records to the CDK's closing line of a stream; a filter that lets every line pass."""
    read = _RECORDS_READ.fullmatch(record.getMessage())
    if read and (uncounted := uncounted_records[read["stream"]]):
        record.msg = f"Read {int(read['count']) + uncounted} records from {read['stream']} stream"
        record.args = ()
    return True


def is_noise(message: str) -> bool:
    """True if a log line of the CDK is about its own scheduling, or about an optional setting that is not set.

    Thousands of such lines hide the others. The CDK also warns that it cannot see which actions a custom error handler
    takes, once per stream with `page_size_reduction` and once more per list of parents.
    """
    return _NOISE.match(message) is not None


def exhausted_reason(message: str) -> str | None:
    """The reason inside the CDK's message about exhausted retries, or None for any other message.

    The exception with the reason is not in the trace message, and its failure type is `system_error`.
    """
    exhausted = _RETRIES_EXHAUSTED.match(message)
    return exhausted["reason"] if exhausted else None


def check_reason(message: str) -> str:
    """The reason inside the `repr` and the prefix that the CDK's `check` puts around it."""
    try:
        reason = ast.literal_eval(message)
    except (SyntaxError, ValueError):
        return message
    return _AVAILABILITY_PREFIX.sub("", reason) if isinstance(reason, str) else message
