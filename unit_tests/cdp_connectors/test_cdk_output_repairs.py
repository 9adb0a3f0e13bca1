"""The CDK's standard output still needs each repair, and the repair works as documented.

A process that is stopped and continued while it writes, as by `docker pause`, and threads that write at the same time.
"""

import array
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from io import StringIO

import pytest
from airbyte_cdk.entrypoint import launch
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.utils import PrintBuffer

from cdp_connectors.cdk_repairs import exclusive_output

SIZE = 1_000_000
SECONDS = 120


def output_of_stopped(*, prepare: str = "", unbuffered: str) -> bytes:
    """The output of a process that prints `SIZE` characters through the CDK's buffer, and is stopped midway."""
    program = f"""
from airbyte_cdk.logger import PRINT_BUFFER
from cdp_connectors.cdk_repairs import buffer_output
{prepare}
with PRINT_BUFFER:
    print("é" * {SIZE})
"""
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout
        wait_until_full(process.stdout.fileno())
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        process.send_signal(signal.SIGCONT)
        return process.stdout.read()


def wait_until_full(pipe: int) -> None:
    ends, held = time.monotonic() + SECONDS, array.array("i", [0])
    while time.monotonic() < ends:
        before = held[0]
        fcntl.ioctl(pipe, termios.FIONREAD, held)
        if held[0] == before > 0:
            return
        time.sleep(0.2)
    raise TimeoutError


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_everything_is_written(unbuffered: str) -> None:
    output = output_of_stopped(prepare="buffer_output()", unbuffered=unbuffered)

    assert output.decode() == "é" * SIZE + "\n"


def test_the_cdk_loses_output_that_was_not_written_at_once() -> None:
    assert len(output_of_stopped(unbuffered="1")) < SIZE


def test_the_output_is_utf_8_in_any_locale() -> None:
    program = "from cdp_connectors.cdk_repairs import buffer_output; buffer_output(); print('é')"
    env = {**os.environ, "PYTHONIOENCODING": "latin-1"}

    assert (
        subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True).stdout
        == b"\xc3\xa9\n"
    )


def test_the_cdk_lets_another_thread_write_between_two_parts_of_a_line() -> None:
    output = PrintBuffer(flush_interval=3_600)

    with ThreadPoolExecutor(1) as other:
        output.write("half a ")
        other.submit(output.write, "whole line\n").result()
        output.write("line\n")

    assert output.buffer.getvalue() == "half a whole line\nline\n"


def test_exclusive_output_follows_what_was_buffered_and_keeps_other_threads_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def is_free() -> bool:
        free = PRINT_BUFFER.lock.acquire(blocking=False)
        if free:
            PRINT_BUFFER.lock.release()
        return free

    output = StringIO()
    monkeypatch.setattr(sys, "__stdout__", output)
    monkeypatch.setattr(PRINT_BUFFER, "buffer", StringIO("buffered\n"))
    with ThreadPoolExecutor(1) as other:
        with exclusive_output():
            assert output.getvalue() == "buffered\n"
            assert not other.submit(is_free).result()
        assert other.submit(is_free).result()


def test_the_cdk_launches_no_other_entrypoint_than_its_own() -> None:
    assert list(signature(launch).parameters) == ["source", "args"]
