"""The end of a connector's process: after its command, by a signal, or with the reader of its output.

Worker threads may be blocked forever once nobody takes their records, and Python would wait for them on exit.
Nothing below waits for them. Only the standard library is imported, so that a connector can call
`end_on_signals_and_closed_output` before any slow import.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import NoReturn

SECONDS_TO_FINISH_A_LINE = 3.0
ENDING = threading.Event()
"""Set once no further line may begin."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_CLOSED_OUTPUT = 128 + signal.SIGPIPE


def end_on_signals_and_closed_output() -> None:
    """From now on, end the process early as below, without a traceback or a partial line; to be called once.

    - SIGTERM ends it as that signal does by default, or with 143 where a process cannot be ended by its own signal,
      as PID 1 of a container.
    - SIGINT (Ctrl-C) ends it with 130.
    - When nobody can read standard output any longer, it ends at once with 141, even if it has nothing to write.

    The line that is being written is finished, unless that takes longer than `SECONDS_TO_FINISH_A_LINE`.
    """
    if sys.stdout is None:
        end_with_reader()
    # A handler could interrupt a write or the start of a thread and then deadlock on its lock; an exception would wait
    # for requests and backoffs. So a dedicated thread receives the signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    threading.Thread(target=_end_on_signal, name="signals", daemon=True).start()
    threading.Thread(target=_wait_for_end_of_reader, name="closed output", daemon=True).start()


def end_with_reader() -> NoReturn:
    """End the process at once, as SIGPIPE would: nobody reads standard output any longer."""
    os._exit(_CLOSED_OUTPUT)


def run_to_the_end(command: Callable[[], None]) -> NoReturn:
    """Run a command, then end the process: with 0, with the code of its SystemExit, or with 1 after an exception."""
    code = 1
    try:
        command()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BrokenPipeError:
        end_with_reader()
    except Exception:  # noqa: BLE001 # printed as by Python, whose own exit would wait for threads that may be blocked
        sys.excepthook(*sys.exc_info())
    try:
        for output in (sys.stdout, sys.stderr):
            if output is not None:
                output.flush()
    except BrokenPipeError:
        code = _CLOSED_OUTPUT
    os._exit(code)


def _end_on_signal() -> NoReturn:
    number = signal.sigwait(_SIGNALS)
    ENDING.set()
    finished = threading.Event()
    threading.Thread(target=_finish_line, args=[finished], name="last line", daemon=True).start()
    finished.wait(SECONDS_TO_FINISH_A_LINE)
    if number == signal.SIGTERM:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        os.kill(os.getpid(), number)
    os._exit(128 + number)


def _finish_line(finished: threading.Event) -> None:
    output = sys.modules.get("cdp_connectors.cdk_repairs.output")
    try:
        with getattr(output, "exclusive_output", nullcontext)():
            finished.set()
            threading.Event().wait()  # no other line may begin
    except BrokenPipeError:
        end_with_reader()


def _wait_for_end_of_reader() -> NoReturn:
    """Wait until the other end of standard output is closed, which a pipe reports without anything being written."""
    watched = select.poll()
    watched.register(1, 0)
    watched.poll()
    end_with_reader()
