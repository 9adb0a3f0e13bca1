"""Ends of real processes: a few lines of Python each, which do what a connector does at that moment."""

import signal
import subprocess
import sys
import time

import pytest

PREAMBLE = """
import sys, threading, time
from cdp_connectors.process_end import end_on_signals_and_closed_output, run_to_the_end
end_on_signals_and_closed_output()
def block(): threading.Event().wait()
"""
WAITING = "print('ready', flush=True); time.sleep(60)"
WORKING = """
threading.Thread(target=block).start()
from airbyte_cdk.logger import PRINT_BUFFER
import cdp_connectors.cdk_repairs
with PRINT_BUFFER:
    while True:
        print("x" * 50_000 + "\\n", end="")
"""
SECONDS = 20


def start(program: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PREAMBLE + program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def stderr_of(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stderr
    return process.stderr.read()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
@pytest.mark.parametrize("program", [WAITING, WORKING])
def test_a_signal_ends_the_process_after_a_complete_line(program: str, number: signal.Signals, code: int) -> None:
    with start(program) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        assert all(line.endswith(b"\n") for line in process.stdout)
        assert process.wait(SECONDS) == code
        assert stderr_of(process) == b""


def test_a_stalled_reader_does_not_delay_the_end() -> None:
    with start(WORKING) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(0.5)  # until the pipe is full
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == -signal.SIGTERM


@pytest.mark.parametrize("program", [WAITING, WORKING])
def test_the_process_ends_with_its_reader(program: str) -> None:
    with start(program) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(SECONDS) == 141
        assert stderr_of(process) == b""


def test_a_log_line_that_nobody_reads_ends_the_process() -> None:
    program = """
import logging
from cdp_connectors.entrypoint import prepare_logging
prepare_logging()
while True:
    logging.getLogger("airbyte").info("still running")
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(SECONDS) == 141
        assert stderr_of(process) == b""


def test_a_process_without_an_output_ends_at_once() -> None:
    command = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, PREAMBLE + WAITING]
    assert subprocess.run(command, check=False, timeout=SECONDS).returncode == 141


def test_a_process_without_standard_error_ends_with_its_own_code() -> None:
    program = PREAMBLE + "run_to_the_end(lambda: sys.exit(3))"
    command = ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, program]
    assert subprocess.run(command, check=False, timeout=SECONDS, stdout=subprocess.PIPE).returncode == 3


def test_output_that_nobody_reads_at_the_end_is_no_error() -> None:
    program = """
import os, sys
from cdp_connectors.process_end import run_to_the_end
sys.stdout = open(1, "w", closefd=False)  # buffered, regardless of PYTHONUNBUFFERED
reader, writer = os.pipe()
os.dup2(writer, 1)
os.close(reader)
run_to_the_end(lambda: print("unread"))
"""
    ended = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, timeout=SECONDS, check=False)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("command", "code", "output"),
    [
        ("print('done')", 0, b"done\n"),
        ("sys.exit(2)", 2, b""),
        ("sys.exit()", 0, b""),
        ("1 / 0", 1, b""),
    ],
)
def test_the_end_does_not_wait_for_threads(command: str, code: int, output: bytes) -> None:
    program = f"""
def command():
    threading.Thread(target=block).start()
    {command}
run_to_the_end(command)
"""
    finished = subprocess.run(
        [sys.executable, "-c", PREAMBLE + program], capture_output=True, timeout=SECONDS, check=False
    )
    assert (finished.returncode, finished.stdout) == (code, output)
    assert (b"ZeroDivisionError" in finished.stderr) == (command == "1 / 0")
