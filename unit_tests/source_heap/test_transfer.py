import io
from collections.abc import Callable, Mapping

import pytest
import requests
from urllib3 import HTTPResponse
from urllib3.exceptions import IncompleteRead

from source_heap.errors import TransientError
from source_heap.transfer import ATTEMPTS_WITHOUT_PROGRESS, ResumingStream

CONTENT = bytes(range(256)) * 4


class Breaking(io.BytesIO):
    """Bytes that end in an error, like a broken connection."""

    def __init__(self, content: bytes, error: Exception | None) -> None:
        super().__init__(content)
        self._error = error

    def read1(self, size: int | None = -1) -> bytes:
        data = super().read1(size)
        if not data and self._error:
            raise self._error
        return data


class Store:
    """An object whose transfers break after the given numbers of bytes."""

    def __init__(self, breaks_after: list[int], error: Exception | None = None) -> None:
        self.breaks_after = breaks_after
        self.error = error or ConnectionResetError("reset")
        self.asked: list[Mapping[str, str]] = []
        self.status: int | None = None
        self.etag = {"ETag": '"one"'}

    def __call__(self, headers: Mapping[str, str]) -> requests.Response:
        self.asked.append(headers)
        start = int(headers["Range"][6:-1]) if "Range" in headers else 0
        rest = CONTENT[start:]
        breaks = self.breaks_after.pop(0) if self.breaks_after else None
        body = io.BytesIO(rest) if breaks is None else Breaking(rest[:breaks], self.error)
        response = requests.Response()
        response.status_code = self.status or (206 if "Range" in headers else 200)
        response.headers.update({**self.etag, "Content-Length": str(len(rest))})
        response.raw = HTTPResponse(body, preload_content=False)
        return response


def read_all(store: Callable[[Mapping[str, str]], requests.Response]) -> bytes:
    with io.BufferedReader(ResumingStream(store), 100) as stream:
        return stream.read()


def test_an_uninterrupted_transfer_is_one_request() -> None:
    store = Store([])
    assert read_all(store) == CONTENT
    assert store.asked == [{}]


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), IncompleteRead(1, 2), TimeoutError()])
def test_a_broken_transfer_resumes_at_the_missing_byte_of_the_same_object(error: Exception) -> None:
    store = Store([300, 1, 500], error)
    assert read_all(store) == CONTENT
    assert store.asked == [
        {},
        {"Range": "bytes=300-", "If-Match": '"one"'},
        {"Range": "bytes=301-", "If-Match": '"one"'},
        {"Range": "bytes=801-", "If-Match": '"one"'},
    ]


def test_a_transfer_from_a_store_without_etags_resumes_without_that_condition() -> None:
    store = Store([300])
    store.etag = {}
    assert read_all(store) == CONTENT
    assert store.asked == [{}, {"Range": "bytes=300-"}]


def test_a_transfer_that_ends_early_is_resumed() -> None:
    class Short(Store):
        def __call__(self, headers: Mapping[str, str]) -> requests.Response:
            response = super().__call__(headers)
            if not headers:
                response.raw = HTTPResponse(io.BytesIO(CONTENT[:10]), preload_content=False)
            return response

    store = Short([])
    assert read_all(store) == CONTENT
    assert store.asked[1] == {"Range": "bytes=10-", "If-Match": '"one"'}


def test_a_transfer_without_progress_is_given_up(waits: list[float]) -> None:
    store = Store([10] + [0] * 50)
    with pytest.raises(TransientError, match="broke at byte 10"):
        read_all(store)
    assert len(store.asked) == ATTEMPTS_WITHOUT_PROGRESS + 1
    assert sum(waits) > 0


def test_progress_resets_the_number_of_attempts() -> None:
    assert read_all(Store([1] * 500)) == CONTENT


def test_a_store_that_restarts_the_transfer_is_an_error() -> None:
    store = Store([10])

    def send(headers: Mapping[str, str]) -> requests.Response:
        store.status = 200
        return store(headers)

    with pytest.raises(TransientError, match="cannot resume a broken transfer"):
        read_all(send)
