"""Metrics: the days that are requested, and the day that each number is assigned to."""

import logging

import pytest
import requests_mock
from airbyte_cdk.models import SyncMode
from freezegun import freeze_time

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject
from unit_tests.source_customerio.customerio_api import CONFIG, DAY, HOUR, NOW_TS, START_TS, US, errors_by_stream
from unit_tests.source_customerio.metrics_api import (
    BY_DATE,
    BY_STEPS,
    CAMPAIGN,
    LINK,
    STREAMS,
    Metrics,
    requests_for,
    rows_of,
    serve,
    states_of,
    sync,
)

A_MINUTE = 60
"""Seconds; more than the clock advances during a sync, in which requests wait for the rate limit."""
EARLIER = {"use_global_cursor": True, "state": {"period_start": "2026-11-18T00:00:00Z"}, "lookback_window": 0}


def at(date: str) -> JsonObject:
    return {"headers": {"Date": date}}


def test_every_stream_of_metrics_is_incremental_by_day() -> None:
    catalog = SourceCustomerio(config=CONFIG).discover(logging.getLogger(), CONFIG)

    discovered = {stream.name: stream for stream in catalog.streams}
    assert {name for name in discovered if name.endswith("_metrics")} == {stream.name for stream in STREAMS}
    for stream in STREAMS:
        found = discovered[stream.name]
        assert found.source_defined_primary_key == [[key] for key in stream.primary_key]
        assert found.default_cursor_field == ["period_start"]
        assert SyncMode.incremental in found.supported_sync_modes
        assert {*stream.added, "period_start", stream.counted} <= set(found.json_schema["properties"])


def test_a_number_has_the_requested_utc_day(api: requests_mock.Mocker) -> None:
    serve(api, BY_DATE, lambda stream: {"json": stream.days(5, 6, 7)})

    output = sync(BY_DATE)

    for stream in BY_DATE:
        assert rows_of(output, stream) == [
            stream.row("2026-11-20", 5),
            stream.row("2026-11-21", 6),
            stream.row("2026-11-22", 7),
        ]
        [request] = requests_for(api, stream)
        also = {"version": "2"} if stream.envelope == "metric" else {"resolution": "days"}
        assert request == {**also, "res": "days", "tz": "UTC", "start": str(START_TS), "end": request["end"]}
        assert int(request["end"]) == pytest.approx(NOW_TS, abs=A_MINUTE)


def test_the_last_number_belongs_to_the_current_day_in_est(api: requests_mock.Mocker) -> None:
    serve(api, BY_STEPS, lambda stream: {"json": stream.days(4, 5, 6, 7), **at("Sun, 22 Nov 2026 12:00:00 GMT")})

    output = sync(BY_STEPS)

    for stream in BY_STEPS:
        assert rows_of(output, stream) == [
            stream.row("2026-11-20", 5),
            stream.row("2026-11-21", 6),
            stream.row("2026-11-22", 7),
        ]
        assert requests_for(api, stream) == [{"period": "days", "steps": "4"}]


@pytest.mark.parametrize(
    ("date", "today"),
    [
        ("Sun, 22 Nov 2026 04:59:59 GMT", "2026-11-21"),
        ("Sun, 22 Nov 2026 05:02:00 GMT", "2026-11-22"),
        ("Mon, 06 Jul 2026 03:59:59 GMT", "2026-07-05"),  # EST all year, without summer time
        ("Mon, 06 Jul 2026 05:02:00 GMT", "2026-07-06"),
    ],
)
def test_the_day_is_that_of_the_server_and_begins_at_the_same_time_in_summer(
    api: requests_mock.Mocker, date: str, today: str
) -> None:
    serve(api, BY_STEPS, lambda stream: {"json": stream.days(7), **at(date)})

    output = sync(BY_STEPS, start_date="2026-01-01")

    for stream in BY_STEPS:
        assert rows_of(output, stream)[0] == stream.row(today, 7)


def test_metrics_are_requested_again_after_a_response_right_after_midnight(api: requests_mock.Mocker) -> None:
    serve(
        api,
        BY_STEPS,
        lambda stream: {"json": stream.days(1, 7), **at("Mon, 23 Nov 2026 05:00:01 GMT")},
        lambda stream: {"json": stream.days(7, 0), **at("Mon, 23 Nov 2026 05:02:00 GMT")},
    )

    output = sync(BY_STEPS)

    for stream in BY_STEPS:
        assert rows_of(output, stream) == [stream.row("2026-11-22", 7)]


def test_retries_continue_for_the_two_minutes(api: requests_mock.Mocker, waits: list[float]) -> None:
    stream = BY_STEPS[0]
    serve(api, [stream], lambda stream: {"json": stream.days(7), **at("Mon, 23 Nov 2026 05:00:00 GMT")})

    output = sync([stream])

    assert output.records == []
    assert (
        "Customer.io's day in Eastern time has just begun or is about to begin"
        in errors_by_stream(output)[stream.name][0][1]
    )
    assert sum(waits) >= 2 * A_MINUTE


def test_before_the_day_begins_in_est_the_day_in_utc_is_left_to_the_next_sync(api: requests_mock.Mocker) -> None:
    serve(api, BY_DATE, lambda stream: {"json": stream.days(5, 6)})

    with freeze_time("2026-11-22T03:00:00Z", auto_tick_seconds=0.1):
        output = sync(BY_DATE)

    for stream in BY_DATE:
        assert rows_of(output, stream) == [stream.row("2026-11-20", 5), stream.row("2026-11-21", 6)]
        assert requests_for(api, stream)[0]["end"] == str(NOW_TS - 12 * HOUR - 1)


def test_without_a_start_date_campaigns_are_read_from_the_day_of_their_creation(api: requests_mock.Mocker) -> None:
    serve(api, BY_DATE, lambda stream: {"json": stream.days(3, *[0] * 402)})

    output = sync(BY_DATE, start_date=None)

    for stream in BY_DATE:
        assert rows_of(output, stream) == [stream.row("2025-10-16", 3)]
        assert requests_for(api, stream)[0]["start"] == str(START_TS - 400 * DAY)


@pytest.mark.parametrize("created", [{}, {"created": 0}, {"created": 1}], ids=["absent", "zero", "long ago"])
def test_without_a_start_date_ten_years_are_read_at_most(api: requests_mock.Mocker, created: JsonObject) -> None:
    serve(api, BY_DATE, lambda stream: {"json": stream.days(3, *[0] * 3649)})
    api.get(US + "/campaigns", json={"campaigns": [{"id": 3, "actions": CAMPAIGN["actions"], **created}]})

    output = sync(BY_DATE, start_date=None)

    for stream in BY_DATE:
        assert rows_of(output, stream) == [stream.row("2016-11-25", 3)]


def test_a_longer_time_is_requested_in_windows_of_ten_years(api: requests_mock.Mocker) -> None:
    serve(api, BY_DATE, lambda stream: {"json": {stream.envelope: None}})
    api.get(US + "/campaigns", json={"campaigns": [{**CAMPAIGN, "created": 1}]})

    sync(BY_DATE, start_date="2012-01-01T12:00:00Z")

    for stream in BY_DATE[::2]:  # without actions: not requested, as the campaign counted nothing
        first, second = sorted((int(request["start"]), int(request["end"])) for request in requests_for(api, stream))
        assert first == (1325376000, second[0] - 1)
        assert second[0] % DAY == 0
        assert first[1] - first[0] < 3650 * DAY
        assert second[1] == pytest.approx(NOW_TS, abs=A_MINUTE)


def test_a_campaign_created_today_is_requested_from_today(api: requests_mock.Mocker) -> None:
    serve(api, BY_DATE, lambda stream: {"json": stream.days(7)})
    api.get(US + "/campaigns", json={"campaigns": [{**CAMPAIGN, "created": NOW_TS - 60}]})

    output = sync(BY_DATE)

    for stream in BY_DATE:
        assert rows_of(output, stream) == [stream.row("2026-11-22", 7)]


@pytest.mark.parametrize("start_date", [None, "2026-01-01"])
def test_45_days_are_read_where_the_api_has_no_more(api: requests_mock.Mocker, start_date: str | None) -> None:
    serve(api, BY_STEPS, lambda stream: {"json": stream.days(3, *[0] * 44)})

    output = sync(BY_STEPS, start_date=start_date)

    for stream in BY_STEPS:
        assert rows_of(output, stream) == [stream.row("2026-10-09", 3)]
        assert requests_for(api, stream) == [{"period": "days", "steps": "45"}]


def test_the_day_of_the_start_date_is_read_in_full(api: requests_mock.Mocker) -> None:
    serve(api, STREAMS, lambda stream: {"json": stream.days(5, 6, 7)})

    output = sync(STREAMS, start_date="2026-11-20T12:00:00Z")

    for stream in STREAMS:
        days = [stream.row("2026-11-20", 5), stream.row("2026-11-21", 6), stream.row("2026-11-22", 7)]
        assert rows_of(output, stream) == days


def test_no_day_before_the_start_date_is_emitted(api: requests_mock.Mocker) -> None:
    serve(api, BY_STEPS, lambda stream: {"json": stream.days(5, 6, 7)})

    output = sync(BY_STEPS, start_date="2026-11-22")

    for stream in BY_STEPS:
        assert rows_of(output, stream) == [stream.row("2026-11-22", 7)]
        assert requests_for(api, stream) == [{"period": "days", "steps": "2"}]


def test_days_on_which_nothing_was_counted_have_no_record(api: requests_mock.Mocker) -> None:
    numbers = {"created": [0, 2, 0], "never": [], "unknown": None}
    serve(api, STREAMS, lambda stream: {"json": stream.body({stream.counted: [0, 0, 1], **numbers})})

    output = sync(STREAMS)

    for stream in STREAMS:
        assert rows_of(output, stream) == [
            {**stream.row("2026-11-21", 0), "created": 2},
            {**stream.row("2026-11-22", 1), "created": 0},
        ]


@pytest.mark.parametrize("nothing", [{}, None, {"sent": []}, {"sent": None}], ids=str)
def test_empty_metrics_have_no_rows(api: requests_mock.Mocker, nothing: object) -> None:
    serve(api, STREAMS, lambda stream: {"json": stream.body(nothing)})

    output = sync(STREAMS)

    assert (output.records, output.errors) == ([], [])


def test_every_link_has_its_own_rows(api: requests_mock.Mocker) -> None:
    links = [stream for stream in STREAMS if stream.envelope == "links"]
    other = {"link": {**LINK, "id": 10}, "metric": {"series": {"clicked": [0, 0, 0, 8]}}}
    serve(api, links, lambda stream: {"json": {"links": [*stream.days(0, 0, 0, 7)["links"], other]}})

    output = sync(links)

    for stream in links:
        assert rows_of(output, stream) == [
            stream.row("2026-11-22", 7),
            {**stream.row("2026-11-22", 8), "link_id": 10},
        ]


def test_a_later_sync_reads_the_thirty_days_before_the_newest_again(api: requests_mock.Mocker) -> None:
    serve(
        api, STREAMS, lambda stream: {"json": stream.days(*[1] * stream.requested_days(35 if stream.by_date else 36))}
    )

    output = sync(STREAMS, {stream.name: EARLIER for stream in STREAMS}, start_date=None)

    for stream in STREAMS:
        days = [row["period_start"] for row in rows_of(output, stream)]
        assert (days[0], days[-1]) == ("2026-10-19" + stream.midnight, "2026-11-22" + stream.midnight)
        assert len(days) == 35
        [request] = requests_for(api, stream)
        assert_requested(request, stream, 35)


def assert_requested(request: dict[str, str], stream: Metrics, days: int) -> None:
    """Assert that the request is for `days` up to today, or for one more if they are in EST."""
    if stream.by_date:
        assert request["start"] == str(NOW_TS - 12 * HOUR - (stream.requested_days(days) - 1) * DAY)
    else:
        assert request["steps"] == str(stream.requested_days(days + 1))


@pytest.mark.parametrize("days", [1, 10, 180])
def test_the_lookback_can_be_set(api: requests_mock.Mocker, days: int) -> None:
    serve(api, STREAMS, lambda stream: {"json": stream.days(*[1] * stream.requested_days(days + 5))})

    sync(STREAMS, {stream.name: EARLIER for stream in STREAMS}, start_date=None, metrics_lookback_days=days)

    for stream in STREAMS:
        [request] = requests_for(api, stream)
        assert_requested(request, stream, days + 5)


def test_what_was_counted_late_replaces_the_earlier_number(api: requests_mock.Mocker) -> None:
    serve(api, STREAMS, lambda stream: {"json": stream.days(0, 5, 6)})
    before = sync(STREAMS)
    serve(api, STREAMS, lambda stream: {"json": stream.days(0, 9, 6)})
    after = sync(STREAMS, states_of(before))

    for stream in STREAMS:
        assert rows_of(before, stream) == [stream.row("2026-11-21", 5), stream.row("2026-11-22", 6)]
        assert rows_of(after, stream) == [stream.row("2026-11-21", 9), stream.row("2026-11-22", 6)]
