"""A process that has imported a connector and forks for every command, since importing takes longer than a small sync.

A forked process behaves like `python -m PACKAGE`, with its own input, output and environment. A source's manifest,
which every command would resolve and validate again, is resolved and validated here once.
"""

import faulthandler
import gc
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import IO

import time_machine
from typing_extensions import Self

from campaign.surroundings import FULL_DISK, JUMP, JUMP_SIGNAL, OFFSET, STACKS_SIGNAL

_MOST_BYTES = 1 << 20
_DEFAULTS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class Zygote:
    """Starts the commands of one connector by forking."""

    def __init__(self, package: str, env: Mapping[str, str]) -> None:
        """Import the package in a process with these additional environment variables."""
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self._address = str(Path(self._folder.name) / "socket")
        command = [sys.executable, "-m", "campaign.zygote", package, self._address]
        self._process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        if self._process.stdout and not self._process.stdout.readline():
            raise RuntimeError("The zygote did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._folder.cleanup()

    def start(self, arguments: Sequence[str], env: Mapping[str, str]) -> "ForkedProcess":
        """Fork a command.

        Args:
            arguments: the command line after the package name.
            env: environment variables in addition to the zygote's.
        """
        return ForkedProcess(self._address, {"arguments": list(arguments), "env": dict(env)})


class ForkedProcess:
    """A forked command, with the subset of `subprocess.Popen` that the harness uses."""

    def __init__(self, address: str, request: object) -> None:
        pipes = [os.pipe() for _ in range(3)]
        (theirs_in, ours_in), (ours_out, theirs_out), (ours_err, theirs_err) = pipes
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.connect(address)
        socket.send_fds(self._connection, [json.dumps(request).encode()], [theirs_in, theirs_out, theirs_err])
        for descriptor in (theirs_in, theirs_out, theirs_err):
            os.close(descriptor)
        self.stdin: IO[bytes] | None = os.fdopen(ours_in, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(ours_out, "rb")
        self.stderr: IO[bytes] | None = os.fdopen(ours_err, "rb")
        self.pid = int(self._connection.recv(32))
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None."""
        return self._await_exit(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: the command is still running.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        while (code := self._await_exit(0.2)) is None:
            if ends is not None and time.monotonic() > ends:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the command has exited."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL, unless the command has exited."""
        self.send_signal(signal.SIGKILL)

    def _await_exit(self, seconds: float) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._connection], [], [], seconds)[0]:
                self.returncode = int(self._connection.recv(32) or b"-9")
                self._connection.close()
            return self.returncode


def serve(package: str, address: str) -> None:
    """Import the package, and fork for each request until killed."""
    run = import_module(f"{package}.run").run
    import_module(f"{package}.{package.partition('_')[0]}")
    if package.startswith("source_"):
        _prepare_manifest(package)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen()
    gc.freeze()
    print("ready", flush=True)
    running: dict[int, socket.socket] = {}
    while True:
        readable, _, _ = select.select([listener], [], [], 0.02)
        if readable:
            connection, _ = listener.accept()
            pid = _fork(run, connection, listener)
            running[pid] = connection
            connection.send(str(pid).encode())
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                connection = running.pop(pid)
                connection.send(str(os.waitstatus_to_exitcode(status)).encode())
                connection.close()


def _fork(run: Callable[[], None], connection: socket.socket, listener: socket.socket) -> int:
    data, descriptors, _, _ = socket.recv_fds(connection, _MOST_BYTES, 3)
    pid = os.fork()
    if not pid:
        request = json.loads(data)
        os.setsid()
        listener.close()
        connection.close()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        for each in _DEFAULTS:
            signal.signal(each, signal.SIG_DFL)
        os.environ.update(request["env"])
        tempfile.tempdir = None
        _surround(request["env"])
        sys.argv = [sys.argv[1], *request["arguments"]]
        _exit_as_python_does(run)
    for descriptor in descriptors:
        os.close(descriptor)
    return pid


def _surround(env: Mapping[str, str]) -> None:
    """Apply the surroundings that the environment describes to this process."""
    faulthandler.register(STACKS_SIGNAL, file=sys.__stderr__ or sys.stderr)
    if env.get(FULL_DISK):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if OFFSET in env:
        moment = datetime.now(timezone.utc) + timedelta(seconds=float(env[OFFSET]))
        clock = time_machine.travel(moment, tick=True).start()
        signal.signal(JUMP_SIGNAL, lambda *_: clock.shift(timedelta(seconds=float(Path(env[JUMP]).read_text()))))


def _prepare_manifest(package: str) -> None:
    """Resolve and validate the package's manifest, so that the CDK does not do so in every process."""
    from airbyte_cdk.sources.declarative import (  # noqa: PLC0415 # a destination has none
        concurrent_declarative_source as cdk,
    )
    from airbyte_cdk.sources.declarative.yaml_declarative_source import (  # noqa: PLC0415 # as above
        YamlDeclarativeSource,
    )

    from cdp_connectors.cdk_repairs import resolve_manifests_once  # noqa: PLC0415 # as above

    resolve_manifests_once()
    YamlDeclarativeSource(str(Path(str(import_module(package).__file__)).with_name("manifest.yaml")))
    cdk.get_declarative_component_schema = dict


def _exit_as_python_does(run: Callable[[], None]) -> None:
    code = 0
    try:
        run()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:  # noqa: BLE001 # like the interpreter itself
        traceback.print_exc()
        code = 1
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(*sys.argv[1:])
