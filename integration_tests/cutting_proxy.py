"""A proxy that breaks connections, for tests of transfers that must resume."""

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlparse

from typing_extensions import Self


class CuttingProxy:
    """Forwards bytes to a server, and truncates some responses.

    A connection is cut once it has carried more than `after_bytes` of responses, `cuts` times in total: with a FIN, or
    with a RST if `reset`. With `then_headers_only`, all connections after the first cut are cut at the end of the
    response's headers, so that no transfer makes any progress.
    """

    def __init__(
        self, target_url: str, *, after_bytes: int, cuts: int, reset: bool, then_headers_only: bool = False
    ) -> None:
        target = urlparse(target_url)
        self._target = (target.hostname or "", target.port or 80)
        self._after_bytes = after_bytes
        self._cuts_left = cuts
        self._reset = reset
        self._then_headers_only = then_headers_only
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answers, args=(client, server), daemon=True).start()

    @staticmethod
    def _requests(client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(1 << 16):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            server.close()

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        carried = 0
        with suppress(OSError):
            while data := server.recv(1 << 12):
                carried += len(data)
                headers_only = self._then_headers_only and self.cuts > 0
                if (headers_only or carried > self._after_bytes) and self._may_cut():
                    if headers_only:
                        headers, separator, _ = data.partition(b"\r\n\r\n")
                        client.sendall(headers + separator if separator else b"")
                    if self._reset:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                client.sendall(data)
        with suppress(OSError):  # wakes the other thread, which would otherwise keep the connection open
            client.shutdown(socket.SHUT_RD if self._reset else socket.SHUT_RDWR)
        client.close()
        server.close()

    def _may_cut(self) -> bool:
        with self._lock:
            if self._cuts_left == 0:
                return False
            self._cuts_left -= 1
            self.cuts += 1
            return True
