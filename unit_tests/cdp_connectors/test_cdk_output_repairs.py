"""Standard output of a process that is stopped and continued while it writes, as by `docker pause`."""

import array
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time

import pytest

SIZE = 1_000_000
SECONDS = 20


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
