"""Segment's custom components."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pendulum
import pytest
from airbyte_cdk.models import AirbyteMessage, FailureType
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.rejections import ParentAbsentError
from source_segment.components.retrievers import OneRequestAtATime
from source_segment.components.series import SeriesKeys
from source_segment.components.states import NormalizeState

VERDICT = AirbyteTracedException(message="the plan lacks it", failure_type=FailureType.config_error)


@pytest.mark.parametrize(
    ("unit", "cursor", "normalized"),
    [
        ("second", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("second", "2026-11-20T10:00:00.123456Z", "2026-11-20T10:00:00Z"),
        ("second", "2026-11-20T10:00:00.000000+00:00", "2026-11-20T10:00:00Z"),
        ("second", "2026-11-20T12:00:00+02:00", "2026-11-20T10:00:00Z"),
        ("second", "2026-11-20", "2026-11-20T00:00:00Z"),
        ("second", "2031-01-01T00:00:00Z", "2026-11-22T12:00:00Z"),
        ("day", "2026-11-20T23:59:58Z", "2026-11-20T00:00:00Z"),
        ("day", "2031-01-01T00:00:00Z", "2026-11-22T00:00:00Z"),
        ("month", "2026-11-20", "2026-11-01"),
    ],
)
def test_cursors_are_normalized_everywhere_in_a_state(
    unit: Literal["second", "day", "month"], cursor: str, normalized: str
) -> None:
    migration = NormalizeState(cursor_field="time", unit=unit)
    partition = {"destinationId": "d1", "parent_slice": {}}

    assert migration.migrate({"time": cursor}) == {"time": normalized}
    assert migration.migrate(
        {
            "states": [{"partition": partition, "cursor": {"time": cursor}}],
            "state": {"time": cursor},
            "lookback_window": 3,
        }
    ) == {
        "states": [{"partition": partition, "cursor": {"time": normalized}}],
        "state": {"time": normalized},
        "lookback_window": 3,
    }


@pytest.mark.parametrize(
    ("cursor", "floored"),
    [
        ("2026-11-22", "2026-11-01"),
        ("2026-02-28", "2026-02-01"),
        ("2024-02-29", "2024-02-01"),
        ("2025-12-31T23:59:59Z", "2025-12-01"),
        ("2026-01-01T00:30:00+02:00", "2025-12-01"),
        ("2026-11-01", "2026-11-01"),
        ("2031-07-04", "2026-11-01"),
    ],
)
def test_state_is_floored_to_its_month_in_utc_and_never_later_than_now(cursor: str, floored: str) -> None:
    migration = NormalizeState(cursor_field="timestamp", unit="month")

    assert migration.should_migrate({"timestamp": cursor})
    assert migration.migrate({"timestamp": cursor, "kept": 1}) == {"timestamp": floored, "kept": 1}
    assert not migration.should_migrate({})


def test_the_local_time_zone_does_not_affect_normalization() -> None:
    migration = NormalizeState(cursor_field="time", unit="day")

    with pendulum.test_local_timezone(pendulum.timezone("America/New_York")):
        assert migration.migrate({"time": "2026-11-20T02:00:00Z"}) == {"time": "2026-11-20T00:00:00Z"}
        assert migration.migrate({"time": "2031-01-01"}) == {"time": "2026-11-22T00:00:00Z"}


@pytest.mark.parametrize("cursor", ["yesterday", 7, None, ["2026-11-20"], {}])
def test_a_cursor_that_is_not_a_date_is_a_configuration_error(cursor: object) -> None:
    with pytest.raises(AirbyteTracedException, match="is not a date") as raised:
        NormalizeState(cursor_field="time").migrate({"time": cursor})
    assert raised.value.failure_type is FailureType.config_error


def test_the_key_of_a_point_is_complete_and_its_totals_are_removed() -> None:
    record = {"eventName": None, "eventType": "track", "count": 3, "total": 9, "totalRetryCount": 1}

    SeriesKeys({"step": "hour"}, ["eventName", "eventType"], "{{ config['step'] | upper }}").change(record)

    assert record == {"eventName": "", "eventType": "track", "count": 3, "granularity": "HOUR"}


class ScriptedRetriever:
    """Returns the rows of each parent's slice, or raises."""

    name = "warehouse_syncs"

    def __init__(self, answers: Mapping[str, list[str] | Exception]) -> None:
        self.answers = answers

    def read_records(self, _: Mapping[str, Any], stream_slice: StreamSlice) -> Iterator[dict[str, str]]:
        time.sleep(200)
        answer = self.answers[stream_slice["id"]]
        if isinstance(answer, Exception):
            raise answer
        yield from ({"id": row} for row in answer)


def read(answers: Mapping[str, list[str] | Exception]) -> list[Any]:
    retriever = OneRequestAtATime(ScriptedRetriever(answers))  # type: ignore[arg-type] # all that is used of it
    group = StreamSlice(partition={"id": list(answers), "parent_slice": [{} for _ in answers]}, cursor_slice={})
    return list(retriever.read_records({}, group))


def absent() -> ParentAbsentError:
    return ParentAbsentError("it no longer exists", VERDICT, None, ever_answered=True)


def test_one_absent_parent_in_a_group_loses_only_its_own_rows() -> None:
    assert read({"a": ["1"], "b": absent(), "c": ["2"]}) == [{"id": "1"}, {"id": "2"}]


def test_a_group_of_absent_parents_fails_with_the_verdict() -> None:
    with pytest.raises(AirbyteTracedException, match="the plan lacks it"):
        read({"a": absent(), "b": absent()})


def test_a_state_is_written_every_ten_minutes_while_parents_have_no_rows(waits: list[float]) -> None:
    messages = read({str(number): [] for number in range(20)})

    assert sum(waits) >= 4_000
    assert len(messages) == 4_000 // 800
    assert all(isinstance(each, AirbyteMessage) and each.state for each in messages)
    assert {each.state.stream.stream_descriptor.name for each in messages} == {"warehouse_syncs"}
