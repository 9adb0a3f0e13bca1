"""An object of the bucket as a stream of bytes that survives broken connections."""

import io
import time
from collections.abc import Callable, Mapping

import requests
from urllib3.exceptions import HTTPError

from source_heap.errors import TransientError

BUFFER_SIZE = 1 << 18
ATTEMPTS_WITHOUT_PROGRESS = 5
SECONDS_BETWEEN_ATTEMPTS = 1.0

Send = Callable[[Mapping[str, str]], requests.Response]


class ResumingStream(io.RawIOBase):
    """The bytes of an object from a given byte to its end.

    When the connection breaks, the transfer resumes at the first missing byte, provided that the object has not changed
    (`If-Match`); no byte is returned twice. An object that is not delivered in full is an error, never an early end.
    """

    def __init__(self, send: Send, start: int = 0) -> None:
        """Start the transfer at byte `start`; `send` performs the request and raises for any failed status."""
        super().__init__()
        self._send = send
        self._response = send({"Range": f"bytes={start}-"} if start else {})
        self._etag = self._response.headers.get("ETag")
        self._size = start + int(self._response.headers["Content-Length"])
        self._offset = start
        self._attempts_left = ATTEMPTS_WITHOUT_PROGRESS

    def readable(self) -> bool:
        """Always True."""
        return True

    def tell(self) -> int:
        """The offset in the object of the next byte to return."""
        return self._offset

    def close(self) -> None:
        """Release the connection and discard unread bytes."""
        self._response.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed's Buffer is no base class in 3.10
        """Fill the buffer with the next bytes, as many as arrive; 0 at the end of the object.

        Raises:
            TransientError: the transfer breaks repeatedly without progress.
        """
        while self._offset < self._size:
            try:
                data = self._response.raw.read1(len(buffer))
            except (HTTPError, OSError) as error:
                self._resume(error)
                continue
            if not data:
                self._resume(EOFError("the connection was closed early"))
                continue
            buffer[: len(data)] = data
            self._offset += len(data)
            self._attempts_left = ATTEMPTS_WITHOUT_PROGRESS
            return len(data)
        return 0

    def _resume(self, error: Exception) -> None:
        self._response.close()
        if self._attempts_left == 0:
            raise _interrupted(
                f"the connection broke at byte {self._offset} and could not be resumed", error
            ) from error
        if self._attempts_left < ATTEMPTS_WITHOUT_PROGRESS:
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)
        self._attempts_left -= 1
        headers = {"Range": f"bytes={self._offset}-"}
        if self._etag:
            headers["If-Match"] = self._etag
        self._response = self._send(headers)
        if self._response.status_code != requests.codes.partial_content:
            raise _interrupted("the store cannot resume a broken transfer", error) from error


def _interrupted(what: str, error: Exception) -> TransientError:
    kind = type(error).__name__
    return TransientError(f"The transfer was interrupted: {what} ({kind}). Retry to read the complete file.")
