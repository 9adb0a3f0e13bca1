"""A walk through pages ends, whatever the API answers."""

import itertools
from collections.abc import Iterable

import pytest

from cdp_connectors.pagination import PageCursor


def walk(cursors: Iterable[str]) -> int | None:
    """How many cursors were followed before one was recognised as given before; None if none was."""
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
def test_a_cycle_of_any_length_is_noticed_soon(tail: int, length: int) -> None:
    before = (f"tail {number}" for number in range(tail))
    cycle = itertools.cycle(f"cycle {number}" for number in range(length))

    followed = walk(itertools.islice(itertools.chain(before, cycle), 10_000))

    assert followed is not None
    assert tail < followed <= 3 * max(tail, length) + length


def test_a_walk_without_a_cycle_is_never_stopped() -> None:
    assert walk(str(number) for number in range(10_000)) is None


def test_the_walk_is_not_remembered_beyond_itself() -> None:
    assert walk(["a", "b"]) is None
    assert walk(["a", "b"]) is None
