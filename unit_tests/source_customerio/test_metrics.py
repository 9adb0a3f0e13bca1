"""Metrics: which days are asked for, and which day each number is given."""

import logging

import pytest
import requests_mock
from airbyte_cdk.models import SyncMode
from freezegun import freeze_time

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, rows
from unit_tests.source_customerio.customerio_api import CONFIG, DAY, NOW_TS, START_TS, US, only_error
from unit_tests.source_customerio.metrics_api import (
    BY_DATE,
    BY_STEPS,
    CAMPAIGN,
    LINK,
    STREAMS,
    Metrics,
    per_stream,
    requests_for,
    serve,
    state_of,
    sync,
)

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


@per_stream(BY_DATE)
def test_a_number_has_the_utc_day_that_was_asked_for(api: requests_mock.Mocker, stream: Metrics) -> None:
    serve(api, stream, {"json": stream.days(5, 6, 7)})

    output = sync(stream)

    assert rows(output) == [
        stream.row("2026-11-20", 5),
        stream.row("2026-11-21", 6),
        stream.row("2026-11-22", 7),
    ]
    version = {"version": "2"} if stream.envelope == "metric" else {}
    assert requests_for(api, stream) == [
        {**version, "res": "days", "tz": "UTC", "start": str(START_TS), "end": str(NOW_TS)}
    ]


@per_stream(BY_STEPS)
def test_the_last_number_is_of_the_present_day_in_est(api: requests_mock.Mocker, stream: Metrics) -> None:
    serve(api, stream, {"json": stream.days(4, 5, 6, 7), **at("Sun, 22 Nov 2026 12:00:00 GMT")})

    output = sync(stream)

    assert rows(output) == [
        stream.row("2026-11-20", 5),
        stream.row("2026-11-21", 6),
        stream.row("2026-11-22", 7),
    ]
    assert requests_for(api, stream) == [{"period": "days", "steps": "4"}]


@per_stream(BY_STEPS)
@pytest.mark.parametrize(
    ("date", "today"),
    [
        ("Sun, 22 Nov 2026 04:59:59 GMT", "2026-11-21"),
        ("Sun, 22 Nov 2026 05:02:00 GMT", "2026-11-22"),
        ("Mon, 06 Jul 2026 04:59:59 GMT", "2026-07-05"),  # no daylight saving time: EST is EST
        ("Mon, 06 Jul 2026 05:02:00 GMT", "2026-07-06"),
    ],
)
def test_the_day_is_that_of_the_server_and_the_same_in_summer(
    api: requests_mock.Mocker, stream: Metrics, date: str, today: str
) -> None:
    serve(api, stream, {"json": stream.days(7), **at(date)})

    assert rows(sync(stream, start_date="2026-01-01")) == [stream.row(today, 7)]


@per_stream(BY_STEPS)
def test_an_answer_right_after_midnight_is_asked_for_again(
    api: requests_mock.Mocker, waits: list[float], stream: Metrics
) -> None:
    serve(
        api,
        stream,
        {"json": stream.days(1, 7), **at("Mon, 23 Nov 2026 05:00:01 GMT")},
        {"json": stream.days(7, 0), **at("Mon, 23 Nov 2026 05:02:00 GMT")},
    )

    assert rows(sync(stream)) == [stream.row("2026-11-22", 7)]
    assert waits


@per_stream(BY_STEPS)
def test_waiting_for_the_new_day_ends_after_the_two_minutes(
    api: requests_mock.Mocker, waits: list[float], stream: Metrics
) -> None:
    serve(api, stream, {"json": stream.days(7), **at("Mon, 23 Nov 2026 05:00:00 GMT")})

    output = sync(stream)

    assert output.records == []
    assert "Customer.io's day in EST has just begun" in only_error(output)[1]
    assert sum(waits) >= 120


@per_stream(BY_DATE)
def test_before_the_day_begins_in_est_the_day_in_utc_is_left_to_the_next_sync(
    api: requests_mock.Mocker, stream: Metrics
) -> None:
    serve(api, stream, {"json": stream.days(5, 6)})

    with freeze_time("2026-11-22T04:59:59Z"):
        output = sync(stream)

    assert rows(output) == [stream.row("2026-11-20", 5), stream.row("2026-11-21", 6)]
    assert requests_for(api, stream)[0]["end"] == str(NOW_TS - 12 * 3600 - 1)


@per_stream(BY_DATE)
def test_without_a_start_date_campaigns_are_read_from_the_day_of_their_creation(
    api: requests_mock.Mocker, stream: Metrics
) -> None:
    serve(api, stream, {"json": stream.days(3, *[0] * 402)})

    output = sync(stream, start_date=None)

    assert rows(output) == [stream.row("2025-10-16", 3)]
    assert requests_for(api, stream)[0]["start"] == str(START_TS - 400 * DAY)


@per_stream(BY_DATE)
@pytest.mark.parametrize("created", [{}, {"created": 0}, {"created": 1}], ids=["absent", "zero", "long ago"])
def test_without_a_start_date_ten_years_are_read_at_most(
    api: requests_mock.Mocker, stream: Metrics, created: JsonObject
) -> None:
    serve(api, stream, {"json": stream.days(3, *[0] * 3649)})
    api.get(US + "/campaigns", json={"campaigns": [{"id": 3, "actions": CAMPAIGN["actions"], **created}]})

    assert rows(sync(stream, start_date=None)) == [stream.row("2016-11-25", 3)]


@per_stream(BY_DATE)
def test_a_longer_time_is_asked_for_in_windows_of_ten_years(api: requests_mock.Mocker, stream: Metrics) -> None:
    serve(api, stream, {"json": {stream.envelope: None}})
    api.get(US + "/campaigns", json={"campaigns": [{**CAMPAIGN, "created": 1}]})

    sync(stream, start_date="2012-01-01")

    windows = sorted((int(asked["start"]), int(asked["end"])) for asked in requests_for(api, stream))
    assert windows[0][0] == 1325376000
    assert windows[0][1] + 1 == windows[1][0]
    assert windows[1][1] == NOW_TS
    assert all(end - start < 3650 * DAY for start, end in windows)


@per_stream(BY_DATE)
def test_a_campaign_created_today_is_asked_for_from_today(api: requests_mock.Mocker, stream: Metrics) -> None:
    serve(api, stream, {"json": stream.days(7)})
    api.get(US + "/campaigns", json={"campaigns": [{**CAMPAIGN, "created": NOW_TS - 60}]})

    assert rows(sync(stream)) == [stream.row("2026-11-22", 7)]


@per_stream(BY_STEPS)
@pytest.mark.parametrize("start_date", [None, "2026-01-01"])
def test_45_days_are_read_where_the_api_has_no_more(
    api: requests_mock.Mocker, stream: Metrics, start_date: str | None
) -> None:
    serve(api, stream, {"json": stream.days(3, *[0] * 44)})

    output = sync(stream, start_date=start_date)

    assert rows(output) == [stream.row("2026-10-09", 3)]
    assert requests_for(api, stream) == [{"period": "days", "steps": "45"}]


@per_stream(STREAMS)
def test_the_day_that_the_start_date_cuts_is_left_out(api: requests_mock.Mocker, stream: Metrics) -> None:
    serve(api, stream, {"json": stream.days(5, 6, 7)})

    output = sync(stream, start_date="2026-11-20T12:00:00Z")

    assert rows(output) == [stream.row("2026-11-21", 6), stream.row("2026-11-22", 7)]


@per_stream(STREAMS)
def test_days_on_which_nothing_was_counted_give_no_record(api: requests_mock.Mocker, stream: Metrics) -> None:
    series = {stream.counted: [0, 0, 1], "other": [0, 2, 0], "never": [], "unknown": None}
    serve(api, stream, {"json": stream.body(series)})

    found = rows(sync(stream))

    assert [(row["period_start"], row[stream.counted], row["other"]) for row in found] == [
        ("2026-11-21" + stream.midnight, 0, 2),
        ("2026-11-22" + stream.midnight, 1, 0),
    ]
    assert all("never" not in row and "unknown" not in row for row in found)


@per_stream(STREAMS)
def test_no_numbers_at_all_are_no_rows(api: requests_mock.Mocker, stream: Metrics) -> None:
    for nothing in ({}, None, {stream.counted: []}, {stream.counted: None}):
        serve(api, stream, {"json": stream.body(nothing)})

        output = sync(stream)

        assert (output.records, output.errors) == ([], [])


def test_every_link_has_rows_of_its_own(api: requests_mock.Mocker) -> None:
    stream = next(stream for stream in STREAMS if stream.name == "newsletter_link_metrics")
    other = {"link": {**LINK, "id": 10}, "metric": {"series": {"clicked": [0, 0, 0, 8]}}}
    serve(api, stream, {"json": {"links": [*stream.days(0, 0, 0, 7)["links"], other]}})

    assert rows(sync(stream)) == [stream.row("2026-11-22", 7), {**stream.row("2026-11-22", 8), "link_id": 10}]


@per_stream(STREAMS)
def test_a_later_sync_reads_the_lookback_again(api: requests_mock.Mocker, stream: Metrics) -> None:
    serve(api, stream, {"json": stream.days(*range(1, 36 if stream.by_date else 37))})

    output = sync(stream, EARLIER, start_date=None)

    found = rows(output)
    assert found[0]["period_start"] == "2026-10-19" + stream.midnight
    assert found[-1]["period_start"] == "2026-11-22" + stream.midnight
    assert len(found) == 35
    asked = requests_for(api, stream)[0]
    assert asked.get("start", asked.get("steps")) == (str(NOW_TS - 34 * DAY - DAY // 2) if stream.by_date else "36")


@per_stream(STREAMS)
@pytest.mark.parametrize(("days", "steps"), [(1, "7"), (10, "16"), (180, "45")])
def test_the_lookback_can_be_set(api: requests_mock.Mocker, stream: Metrics, days: int, steps: str) -> None:
    serve(api, stream, {"json": stream.days()})

    sync(stream, EARLIER, start_date=None, metrics_lookback_days=days)

    asked = requests_for(api, stream)[0]
    start = str(NOW_TS - (4 + days) * DAY - DAY // 2)
    assert asked.get("start", asked.get("steps")) == (start if stream.by_date else steps)


@per_stream(STREAMS)
def test_what_was_counted_late_replaces_the_earlier_number(api: requests_mock.Mocker, stream: Metrics) -> None:
    first, second = ([0, 5, 6], [0, 5, 8])
    serve(api, stream, {"json": stream.days(*first)}, {"json": stream.days(*second)})
    before = sync(stream)

    after = sync(stream, state_of(before))

    assert rows(before)[-1] == stream.row("2026-11-22", 6)
    assert rows(after)[-1] == stream.row("2026-11-22", 8)
