"""Failures that concern one parent, and failures that concern an entire stream."""

from collections.abc import Callable, Iterable, Iterator
from threading import Thread

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.rejections import ParentAbsentError, SpentQuotaError, StoppedStreamError, _StreamRead
from unit_tests.helpers import JsonObject

VERDICT = AirbyteTracedException(message="no parent is known", failure_type=FailureType.config_error)


class Slice(Partition):
    """One slice of a parent, which yields one row or fails."""

    def __init__(self, parent: int, answer: Exception | None = None, window: int = 0) -> None:
        self.slice = StreamSlice(partition={"id": parent} if parent else {}, cursor_slice={"window": window})
        self.answer = answer
        self.requests = 0

    def read(self) -> Iterable[Record]:
        self.requests += 1
        if self.answer:
            raise self.answer
        yield Record({"id": 1}, stream_name="children")

    def to_slice(self) -> JsonObject:
        return self.slice

    def stream_name(self) -> str:
        return "children"

    def __hash__(self) -> int:
        return id(self)


def read_all(generate: Callable[[], Iterable[Slice]]) -> None:
    for partition in _StreamRead().guarded(generate):
        list(partition.read())


def failure(kind: FailureType = FailureType.system_error, message: str = "broken") -> AirbyteTracedException:
    return AirbyteTracedException(message=message, failure_type=kind)


def absent(limit: int | None, *, ever_answered: bool = True) -> ParentAbsentError:
    return ParentAbsentError("it no longer exists", VERDICT, limit, ever_answered=ever_answered)


def outcomes(slices: list[Slice]) -> Iterator[str]:
    """The outcome of each slice, if all are generated before the first is read."""
    for partition in list(_StreamRead().guarded(lambda: slices)):
        try:
            yield f"{len(list(partition.read()))} rows"
        except StoppedStreamError:
            yield "stopped"
        except AirbyteTracedException as error:
            yield error.message or ""


def test_nothing_is_requested_after_a_configuration_error_or_a_spent_quota() -> None:
    for rejection in (failure(FailureType.config_error, "denied"), SpentQuotaError(message="denied")):
        slices = [Slice(1), Slice(2, rejection), Slice(3), Slice(4)]

        assert list(outcomes(slices)) == ["1 rows", "denied", "stopped", "stopped"]
        assert [each.requests for each in slices] == [1, 1, 0, 0]


def test_no_further_slice_is_generated_after_a_configuration_error() -> None:
    generated = []

    def generate() -> Iterator[Slice]:
        for number in range(1, 100):
            generated.append(number)
            yield Slice(number, failure(FailureType.config_error))

    with pytest.raises(AirbyteTracedException):
        read_all(generate)
    assert generated == [1]


def test_the_fifth_failure_in_a_row_is_the_last_request() -> None:
    slices = [Slice(number, failure()) for number in range(1, 9)]
    assert list(outcomes(slices)) == ["broken"] * 5 + ["stopped"] * 3

    slices[3].answer = None
    assert "stopped" not in list(outcomes(slices))[:-1]


def test_an_absent_parent_loses_only_its_own_rows() -> None:
    assert list(outcomes([Slice(1, absent(20)), Slice(2), Slice(3, absent(20))])) == ["0 rows", "1 rows", "0 rows"]


def test_further_slices_of_an_absent_parent_are_not_requested() -> None:
    slices = [Slice(1, absent(20), window=number) for number in range(3)]

    assert list(outcomes(slices)) == ["0 rows"] * 3
    assert [each.requests for each in slices] == [1, 0, 0]


def test_the_stream_fails_when_none_of_the_first_parents_exists() -> None:
    assert list(outcomes([Slice(number, absent(3)) for number in range(1, 6)])) == [
        "0 rows",
        "0 rows",
        "no parent is known",
        "stopped",
        "stopped",
    ]
    assert set(outcomes([Slice(9), *[Slice(number, absent(3)) for number in range(1, 6)]])) == {"0 rows", "1 rows"}


def test_consecutive_rejected_parents_are_counted_even_after_one_was_answered() -> None:
    rejected = [Slice(number, absent(3, ever_answered=False)) for number in range(1, 6)]

    assert list(outcomes([Slice(9), *rejected]))[3:] == ["no parent is known", "stopped", "stopped"]
    assert "no parent is known" not in list(outcomes([*rejected[:2], Slice(9), *rejected[2:4]]))


def test_without_a_limit_the_last_parent_decides() -> None:
    assert list(outcomes([Slice(1, absent(None)), Slice(2, absent(None))])) == ["0 rows", "no parent is known"]
    assert list(outcomes([Slice(1, absent(None)), Slice(2)])) == ["0 rows", "1 rows"]

    one = [Slice(1, absent(None))]
    with pytest.raises(AirbyteTracedException, match="no parent is known"):
        read_all(lambda: one)


def test_the_windows_of_a_parent_wait_for_its_first_response() -> None:
    slices = [Slice(1, absent(20), window=number) for number in range(8)]
    partitions = list(_StreamRead().guarded(lambda: slices))
    threads = [Thread(target=lambda each=each: list(each.read())) for each in partitions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(each.requests for each in slices) == 1


def test_slices_of_a_stream_without_parents_are_independent() -> None:
    assert list(outcomes([Slice(0, absent(20)), Slice(0)])) == ["0 rows", "1 rows"]
