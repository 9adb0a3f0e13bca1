"""Pagination ends, whatever the API returns."""

import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest
import requests
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.pagination import EndlessPageGuard, PageCursor


def walk(cursors: Iterable[str]) -> int | None:
    """The number of cursors followed until one was recognized as a repetition; None if none was."""
    previous: PageCursor | None = None
    for count, cursor in enumerate(cursors):
        current = PageCursor.after(previous, cursor)
        if current is None:
            return count
        assert current == cursor
        previous = current
    return None


@pytest.mark.parametrize("tail", [0, 1, 7, 100])
@pytest.mark.parametrize("length", [1, 2, 3, 10, 64])
def test_a_cycle_of_any_length_is_detected_soon(tail: int, length: int) -> None:
    before = (f"tail {number}" for number in range(tail))
    cycle = itertools.cycle(f"cycle {number}" for number in range(length))

    followed = walk(itertools.islice(itertools.chain(before, cycle), 10_000))

    assert followed is not None
    assert tail < followed <= 3 * max(tail, length) + length


def test_the_remembered_cursor_moves_up_whenever_the_number_of_pages_has_doubled() -> None:
    page, remembered = None, []
    for number in range(9):
        page = PageCursor.after(page, str(number))
        assert page is not None
        remembered.append((page.remembered, page.steps, page.limit))
    assert remembered == [
        ("0", 0, 1),
        *[("1", step, 2) for step in range(2)],
        *[("3", step, 4) for step in range(4)],
        *[("7", step, 8) for step in range(2)],
    ]


def test_pages_without_a_cycle_are_never_stopped() -> None:
    assert walk(str(number) for number in range(10_000)) is None


def test_a_second_walk_does_not_remember_the_first() -> None:
    assert walk(["a", "b"]) is None
    assert walk(["a", "b"]) is None


def pages(rows: Iterable[int], cursors: Iterable[str]) -> int:
    """The number of pages that are read, given the rows and the next cursor of each page."""
    strategy = EndlessPageGuard(
        page_size=10,
        cursor_value="{{ response['next'] }}",
        stop_condition="{{ not response['next'] }}",
        config={},
        parameters={},
    )
    token = None
    for count, (size, cursor) in enumerate(zip(rows, cursors, strict=False), 1):
        response = requests.Response()
        response.url, response.status_code = "https://api.example.com/list", 200
        response._content = json.dumps({"next": cursor}).encode()  # noqa: SLF001 # a response without a server
        token = strategy.next_page_token(response, size, None, token)
        if token is None:
            return count
    raise AssertionError("the walk did not end")


def test_an_empty_page_with_its_own_cursor_is_the_last() -> None:
    assert pages([10, 3, 0, 7], ["a", "b", "b", "b"]) == 3


def test_a_page_with_rows_and_its_own_cursor_is_an_error() -> None:
    with pytest.raises(AirbyteTracedException) as raised:
        pages([10, 10, 10, 10], ["a", "a", "a", "a"])
    assert str(raised.value) == (
        "The API returned a page cursor for /list that it had returned before, which would repeat the same rows "
        "forever. Nothing was skipped; run the sync again, and report it to the vendor if it persists."
    )
    assert raised.value.internal_message == "page cursor 'a' repeats"


def test_too_many_empty_pages_are_an_error_and_a_few_are_not() -> None:
    assert pages([*[0] * 100, 5, *[0] * 100, 5, 1], [*map(str, range(202)), ""]) == 203
    with pytest.raises(AirbyteTracedException) as raised:
        pages([0] * 1_000, map(str, range(1_000)))
    assert str(raised.value) == (
        "The API returned more than 100 empty pages in a row for /list, each with a cursor. Nothing was skipped; run "
        "the sync again, and report it to the vendor if it persists."
    )


class Watching(EndlessPageGuard):
    """Remembers its arguments after a page."""

    def onward(self, *given: Any) -> PageCursor | None:  # noqa: ANN401 # any arguments
        self.given = given
        return super().onward(*given)


def test_the_cursor_template_and_onward_receive_the_page() -> None:
    strategy = Watching(
        page_size=10, cursor_value="{{ last_page_size }}/{{ last_record['id'] }}", config={}, parameters={}
    )
    response, last = requests.Response(), StreamSlice(partition={"parent": 1}, cursor_slice={})
    response.url, response.status_code = "https://api.example.com/list", 200
    response._content = b"{}"  # noqa: SLF001 # a response without a server

    assert strategy.next_page_token(response, 7, Record({"id": 3}, "users"), "6/2", None, last) == "7/3"
    assert strategy.given == ("7/3", "6/2", response, last)
