"""A server in a separate process that exits with this one, however this one exits."""

import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType

import requests
from typing_extensions import Self

_STARTS_WITHIN_SECONDS = 60
_ATTEMPTS = 3
_GUARD = 'exec 3<&0; (cat <&3 >/dev/null; kill -9 $$ 2>/dev/null) & exec 3<&-; exec "$@" </dev/null'
"""The shell becomes the server; its child waits for the end of standard input, which comes even after SIGKILL."""


class ServerProcess:
    """Runs a server, without output, while the context lasts."""

    def __init__(self, command: Sequence[str], url: str, environment: Mapping[str, str] | None = None) -> None:
        """Prepare to run `command`, which serves HTTP at `url` once it is ready."""
        self._command = command
        self._url = url
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the server and wait for it.

        Raises:
            RuntimeError: if it exits, or does not respond within a minute.
        """
        for _ in range(_ATTEMPTS):  # another process can take a free port before the server does
            self._start()
            deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
            while self._process and self._process.poll() is None and time.monotonic() < deadline:
                if self._answers():
                    return self
                time.sleep(0.05)
            self.__exit__(None, None, None)
        raise RuntimeError(f"{self._command[0]} did not start serving {self._url}.")

    @property
    def session(self) -> int:
        """The id of the session of the server and all its processes."""
        if self._process is None:
            raise RuntimeError(f"{self._command[0]} was not started.")
        return self._process.pid

    def _start(self) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            requests.get(self._url, timeout=5)
        except requests.ConnectionError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Different free ports of the loopback interface."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
