"""Activities: how far back a sync pages, and what it keeps."""

import pytest
import requests_mock

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_customerio.contracts import BY_NAME
from unit_tests.source_customerio.customerio_api import DAY, NOW_TS, requests_to, serve

ACTIVITIES = BY_NAME["activities"]
STATE_TS = NOW_TS - 2 * DAY
STATE = {"activities": {"timestamp": str(STATE_TS)}}
NEW = NOW_TS - 60
EDGE = STATE_TS - DAY  # the lookback is one day
OLD = EDGE - 1
PATIENCE = 10


def read_pages(
    api: requests_mock.Mocker,
    pages: list[list[int | None]],
    state: dict[str, JsonObject] | None = None,
    start_date: str | None = None,
) -> tuple[int, list[int | None], str]:
    """Serve pages of activities with these timestamps; returns the number of requests, the timestamps and the state."""
    answers = [
        {
            "activities": [{"id": f"{number}-{place}", "timestamp": moment} for place, moment in enumerate(moments)],
            "next": f"page{number}" if number < len(pages) else "",
        }
        for number, moments in enumerate(pages, 1)
    ]
    serve(api, ACTIVITIES, *({"json": answer} for answer in answers))
    config = {"access_token": "key", **({"start_date": start_date} if start_date else {})}
    output = read_streams(SourceCustomerio, config, ["activities"], state)
    moments = [row.get("timestamp") for row in rows(output)]
    return len(requests_to(api, ACTIVITIES)), moments, output.most_recent_state.stream_state.timestamp


def test_a_first_sync_reads_to_the_end(api: requests_mock.Mocker) -> None:
    pages = [[NOW_TS - number * DAY] for number in range(40)]

    requests, moments, state = read_pages(api, pages)

    assert (requests, moments, state) == (40, [page[0] for page in pages], str(NOW_TS))


def test_a_later_sync_stops_after_several_pages_that_are_older_than_the_lookback(api: requests_mock.Mocker) -> None:
    requests, moments, _ = read_pages(api, [[NEW, EDGE], [OLD], *[[OLD]] * 40], STATE)

    assert requests == 1 + PATIENCE
    assert moments[:2] == [NEW, EDGE]


def test_a_timestamp_on_the_edge_of_the_lookback_keeps_the_read_going(api: requests_mock.Mocker) -> None:
    pages = [[OLD]] * (PATIENCE - 1) + [[EDGE]]

    requests, _, _ = read_pages(api, pages * 2 + [[OLD]] * 40, STATE)

    assert requests == 3 * PATIENCE


@pytest.mark.parametrize("late_pages", [1, PATIENCE - 1])
def test_pages_of_late_events_do_not_end_the_read(api: requests_mock.Mocker, late_pages: int) -> None:
    requests, moments, state = read_pages(api, [*[[OLD, OLD]] * late_pages, [NEW], [EDGE]], STATE)

    assert requests == late_pages + 2
    assert moments == [*[OLD] * 2 * late_pages, NEW, EDGE]
    assert state == str(NEW)


def test_a_page_with_one_newer_event_is_not_old(api: requests_mock.Mocker) -> None:
    requests, _, _ = read_pages(api, [[OLD, EDGE]] * 30, STATE)

    assert requests == 30


def test_empty_pages_and_events_without_a_timestamp_are_not_old(api: requests_mock.Mocker) -> None:
    requests, moments, _ = read_pages(api, [[], [None]] * 15, STATE)

    assert (requests, moments) == (30, [None] * 15)


def test_events_from_the_future_are_kept_and_do_not_end_the_read(api: requests_mock.Mocker) -> None:
    future = NOW_TS + 3650 * DAY

    requests, moments, _ = read_pages(api, [*[[future]] * 12, [NEW]], STATE)

    assert (requests, moments) == (13, [*[future] * 12, NEW])


def test_a_state_in_the_future_makes_the_next_sync_read_everything(api: requests_mock.Mocker) -> None:
    pages: list[list[int | None]] = [[NOW_TS - number * DAY] for number in range(30)]

    requests, moments, _ = read_pages(api, pages, {"activities": {"timestamp": str(NOW_TS + 1)}})

    assert (requests, len(moments)) == (30, 30)


def test_the_start_date_bounds_pages_and_events(api: requests_mock.Mocker) -> None:
    start = NOW_TS - NOW_TS % DAY - 5 * DAY

    requests, moments, _ = read_pages(api, [[NEW, start, start - 1], *[[start - 1]] * 40], start_date="2026-11-17")

    assert (requests, moments) == (1 + PATIENCE, [NEW, start])
