"""A proxy for the S3 server that can hold back requests for rows, or reject them as AWS rejects expired tokens."""

import re
import socket
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlparse

from typing_extensions import Self

_WAITS_SECONDS = 300
_FOR_ROWS = re.compile(rb"GET \S+\.avro HTTP")
_FOR_A_HEADER = re.compile(rb"\r\nrange: bytes=0-\d+\r\n", re.IGNORECASE)
_EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"


class Gate:
    """Forwards requests to a server. Requests for the rows of a file, or part of it, can be held back."""

    def __init__(self, target_url: str) -> None:
        target = urlparse(target_url)
        self._target = (target.hostname or "", target.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._changed = threading.Condition()
        self._may_pass: int | None = None
        self._held = 0
        self._expired_answers = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.open()

    def close(self, after: int) -> None:
        """Hold back requests for rows after `after` more of them have passed."""
        with self._changed:
            self._may_pass = after

    def wait_until_held(self, count: int) -> None:
        """Wait until this many requests are held back.

        Raises:
            TimeoutError: they do not arrive within five minutes.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._held >= count, _WAITS_SECONDS):
                raise TimeoutError(f"{self._held} requests are held back, not {count}.")

    def open(self) -> None:
        """Let all requests pass."""
        with self._changed:
            self._may_pass, self._held = None, 0
            self._changed.notify_all()

    def answer_expired(self, times: int) -> None:
        """Answer the next requests for rows as AWS does when a session token has expired."""
        with self._changed:
            self._expired_answers = times

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answers, args=(client, server), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                if _FOR_ROWS.match(data) and not _FOR_A_HEADER.search(data) and self._is_expired():
                    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n"
                    client.sendall(head % len(_EXPIRED) + _EXPIRED)
                else:
                    server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _is_expired(self) -> bool:
        """Wait while requests are held back; then return True if this one must be rejected as expired."""
        with self._changed:
            if self._may_pass is not None and self._may_pass > 0:
                self._may_pass -= 1
            elif self._may_pass is not None:
                self._held += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._may_pass is None)
            self._expired_answers -= 1
            return self._expired_answers >= 0

    @staticmethod
    def _answers(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                client.sendall(data)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
