"""Deliveries: the windows that a sync requests, and the state that it saves."""

import itertools
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_customerio.contracts import BY_NAME
from unit_tests.source_customerio.customerio_api import CONFIG, DAY, NOW_TS, last_status, requests_to, respond, serve

MESSAGES = BY_NAME["messages"]


def sync(
    api: requests_mock.Mocker,
    config: JsonObject,
    state: int | None = None,
    answer: Callable[[int, int], list[JsonObject]] = lambda _start, _end: [],
) -> tuple[list[tuple[int, int]], EntrypointOutput]:
    """Read the deliveries; returns the requested windows, oldest first, and the output."""

    def page(query: dict[str, str]) -> JsonObject:
        return {"messages": answer(int(query["start_ts"]), int(query["end_ts"])), "next": ""}

    respond(api, MESSAGES, page)
    states = {"messages": {"created": str(state)}} if state else None
    output = read_streams(SourceCustomerio, {"access_token": "key", **config}, ["messages"], states)
    return sorted((int(query["start_ts"]), int(query["end_ts"])) for query in requests_to(api, MESSAGES)), output


def timestamp(date: str) -> int:
    return int(datetime.fromisoformat(date).replace(tzinfo=timezone.utc).timestamp())


@pytest.mark.parametrize("start_date", ["2026-11-22", "2026-10-23", "2025-01-01", "2024-02-28T23:59:59Z"])
def test_windows_cover_every_second_from_the_start_date_once(api: requests_mock.Mocker, start_date: str) -> None:
    windows, _ = sync(api, {"start_date": start_date})

    assert windows[0][0] == timestamp(start_date.removesuffix("Z"))
    assert windows[-1][1] == NOW_TS
    assert all(start == end + 1 for (_, end), (start, _) in itertools.pairwise(windows))
    assert all(end - start < 30 * DAY for start, end in windows)


def test_without_a_start_date_the_first_window_begins_six_months_ago(api: requests_mock.Mocker) -> None:
    windows, _ = sync(api, {})

    assert windows[0][0] == NOW_TS - 183 * DAY
    assert len(windows) <= 27


@pytest.mark.parametrize(
    ("days", "first"), [({}, 30), ({"messages_lookback_days": 0}, 0), ({"messages_lookback_days": 180}, 180)]
)
def test_a_later_sync_reads_the_days_of_the_lookback_again(
    api: requests_mock.Mocker, days: JsonObject, first: int
) -> None:
    state = NOW_TS - DAY

    windows, _ = sync(api, {"start_date": "2020-01-01", **days}, state)

    assert windows[0][0] == state - first * DAY
    assert windows[-1][1] == NOW_TS


def test_the_lookback_never_reaches_before_the_start_date(api: requests_mock.Mocker) -> None:
    windows, _ = sync(api, {"start_date": "2026-11-20"}, NOW_TS - DAY)

    assert windows[0][0] == timestamp("2026-11-20")


def test_a_delivery_on_the_first_or_the_last_second_of_a_window_comes_once(api: requests_mock.Mocker) -> None:
    edges = [timestamp("2026-10-01"), timestamp("2026-10-01") + 7 * DAY - 1, timestamp("2026-10-01") + 7 * DAY, NOW_TS]

    def created_between(start: int, end: int) -> list[JsonObject]:
        return [{"id": str(moment), "created": moment} for moment in edges if start <= moment <= end]

    _, output = sync(api, {"start_date": "2026-10-01"}, answer=created_between)

    assert sorted(row["created"] for row in rows(output)) == edges


def test_the_state_is_the_creation_of_the_newest_delivery(api: requests_mock.Mocker) -> None:
    newest = NOW_TS - 5

    def created_between(start: int, end: int) -> list[JsonObject]:
        return [{"id": "b", "created": newest}] if start <= newest <= end else [{"id": "a", "created": start}]

    _, output = sync(api, {"start_date": "2026-10-01"}, answer=created_between)

    assert output.most_recent_state.stream_state.__dict__ == {"created": str(newest)}


def test_the_state_stays_before_a_window_that_failed(api: requests_mock.Mocker) -> None:
    broken = timestamp("2026-10-01") + 7 * DAY
    serve(
        api,
        MESSAGES,
        {
            "json": lambda request, context: (
                setattr(context, "status_code", 400)
                if int(request.qs["start_ts"][0]) == broken
                else {"messages": [{"id": "a", "created": int(request.qs["start_ts"][0])}], "next": ""}
            )
        },
    )

    output = read_streams(SourceCustomerio, {**CONFIG, "start_date": "2026-10-01"}, ["messages"])

    assert last_status(output, "messages") is AirbyteStreamStatus.INCOMPLETE
    assert all(int(message.state.stream.stream_state.created) < broken for message in output.state_messages)


@pytest.mark.parametrize(
    ("deduplicate_id", "updated_at"),
    [("dg==:1795348000", 1795348000), ("a:b:1795348000", 1795348000), ("dg==", None), ("dg==:", None), (None, None)],
)
def test_updated_at_is_the_end_of_the_deduplicate_id(
    api: requests_mock.Mocker, deduplicate_id: str | None, updated_at: int | None
) -> None:
    delivery = {"id": "dg==", "created": NOW_TS - 5, "deduplicate_id": deduplicate_id}
    serve(api, MESSAGES, {"json": MESSAGES.page(delivery, following="")})

    [row] = rows(read_streams(SourceCustomerio, CONFIG, ["messages"]))

    assert row.get("updated_at") == updated_at


def test_metrics_of_any_name_pass_through(api: requests_mock.Mocker) -> None:
    metrics = {"sent": 1, "link:3": 2, "human_link:3": 2, "secondary:opened": 3}
    delivery = {"id": "dg==", "created": NOW_TS - 5, "metrics": metrics, "trigger_event_id": "01JABC"}
    serve(api, MESSAGES, {"json": MESSAGES.page(delivery, following="")})

    assert rows(read_streams(SourceCustomerio, CONFIG, ["messages"])) == [delivery]
