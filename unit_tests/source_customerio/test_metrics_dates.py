"""Metrics whose responses state their periods, and metrics by periods other than days."""

import pytest
import requests_mock
from freezegun import freeze_time

from unit_tests.helpers import JsonObject
from unit_tests.source_customerio.customerio_api import errors_by_stream
from unit_tests.source_customerio.metrics_api import (
    BY_DATE,
    BY_STEPS,
    STREAMS,
    Metrics,
    requests_for,
    rows_of,
    serve,
    sync,
)

CAMPAIGN = BY_DATE[0]
JOURNEYS = next(stream for stream in STREAMS if stream.envelope == "journey_metric")
NEWSLETTER = next(stream for stream in BY_STEPS if stream.name == "newsletter_metrics")
LINKS = next(stream for stream in BY_STEPS if stream.name == "newsletter_link_metrics")
ACTION = next(stream for stream in STREAMS if stream.name == "campaign_action_metrics")


def dated(stream: Metrics, numbers: list[int], **dates: object) -> JsonObject:
    """A response that states its periods."""
    body = stream.days(*numbers)
    holder = body["links"][0]["metric"] if stream.envelope == "links" else body[stream.envelope]
    holder.update(dates)
    return {"json": body}


def counted(rows: list[JsonObject]) -> dict[str, int]:
    """The metric of each row, by the start of its period."""
    return {
        row["period_start"]: next(row[name] for name in ("sent", "clicked", "started") if name in row) for row in rows
    }


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-20 00:00:00 +0000 UTC", "2026-11-22 12:00:00 +0000 UTC"),
        ("2026-11-20T00:00:00Z", "2026-11-22T12:00:00Z"),
        ("2026-11-20T00:00:00.000+00:00", "2026-11-22T00:00:00+00:00"),
        (1795132800, 1795348800),
        ("2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z"),  # an end that is exclusive
        ("2026-11-20T00:00:00Z", None),
    ],
)
def test_the_days_are_those_stated_in_the_response(api: requests_mock.Mocker, start: object, end: object) -> None:
    streams = [CAMPAIGN, JOURNEYS, NEWSLETTER, LINKS]
    serve(api, streams, lambda stream: dated(stream, [5, 6, 7], start=start, end=end, res="days"))

    output = sync(streams)

    for stream in streams:
        assert counted(rows_of(output, stream)) == {
            "2026-11-20T00:00:00Z": 5,
            "2026-11-21T00:00:00Z": 6,
            "2026-11-22T00:00:00Z": 7,
        }


def test_a_window_shortened_by_the_vendor_has_correct_dates(api: requests_mock.Mocker) -> None:
    cut = {"start": "2026-11-21T00:00:00Z", "end": "2026-11-22T12:00:00Z", "res": "daily"}
    serve(api, [CAMPAIGN], lambda stream: dated(stream, [6, 7], **cut))

    assert counted(rows_of(sync([CAMPAIGN]), CAMPAIGN)) == {"2026-11-21T00:00:00Z": 6, "2026-11-22T00:00:00Z": 7}


@pytest.mark.parametrize(
    ("dates", "reason"),
    [
        ({"start": "2026-11-20T00:00:00Z", "end": "2026-11-27T00:00:00Z"}, "3 days were returned, which do not span"),
        ({"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}, "3 days were returned, which do not span"),
        ({"start": "yesterday"}, "'yesterday' to 'None' are not times"),
        ({"start": "2026-11-20T00:00:00Z", "res": "weeks"}, "days were requested, but weeks were returned"),
    ],
)
def test_dates_that_contradict_the_numbers_are_an_error(
    api: requests_mock.Mocker, dates: JsonObject, reason: str
) -> None:
    serve(api, [NEWSLETTER], lambda stream: dated(stream, [5, 6, 7], **dates))

    output = sync([NEWSLETTER])

    assert output.records == []
    [(_, message)] = errors_by_stream(output)[NEWSLETTER.name]
    assert reason in message


@pytest.mark.parametrize(
    ("start", "first", "second"),
    [
        ("2026-07-01 00:00:00 -0400 EDT", "2026-07-01T04:00:00Z", "2026-07-02T04:00:00Z"),
        ("2026-07-01T04:00:00Z", "2026-07-01T04:00:00Z", "2026-07-02T04:00:00Z"),
        ("2026-07-01 00:00:00 -0500 EST", "2026-07-01T05:00:00Z", "2026-07-02T05:00:00Z"),
        ("2026-07-01T05:00:00Z", "2026-07-01T05:00:00Z", "2026-07-02T05:00:00Z"),
        ("2026-03-07 00:00:00 -0500 EST", "2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z"),
        ("2026-03-07 00:00:00 +0200 EET", "2026-03-06T22:00:00Z", "2026-03-07T22:00:00Z"),
    ],
)
def test_days_of_any_zone_begin_as_stated_in_the_response(
    api: requests_mock.Mocker, start: str, first: str, second: str
) -> None:
    serve(api, [NEWSLETTER], lambda stream: dated(stream, [5, 6], start=start))

    rows = [row for row in rows_of(sync([NEWSLETTER], start_date="2026-01-01"), NEWSLETTER) if row["sent"]]

    assert counted(rows) == {first: 5, second: 6}


def test_days_begin_an_hour_earlier_after_the_change_to_summer_time(api: requests_mock.Mocker) -> None:
    dates = {"start": "2026-03-07 00:00:00 -0500 EST", "end": "2026-03-09 12:00:00 -0400 EDT"}
    serve(api, [NEWSLETTER], lambda stream: dated(stream, [5, 6, 7], **dates))

    rows = [row for row in rows_of(sync([NEWSLETTER], start_date="2026-01-01"), NEWSLETTER) if row["sent"]]

    assert list(counted(rows)) == ["2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"]


def test_rows_written_by_another_reading_are_replaced_by_zeros(api: requests_mock.Mocker) -> None:
    dates = {"start": "2026-07-01 00:00:00 -0400 EDT"}
    serve(api, [NEWSLETTER], lambda stream: dated(stream, [0, 5, 0, 0], **dates))

    rows = counted(rows_of(sync([NEWSLETTER], start_date="2026-01-01"), NEWSLETTER))

    assert rows == {
        "2026-07-02T04:00:00Z": 5,
        "2026-07-02T05:00:00Z": 0,  # the same day, read as EST
        "2026-07-01T05:00:00Z": 0,  # as it was read between 04:00 and 05:00 UTC
    }


def test_in_winter_there_are_no_rows_of_zeros(api: requests_mock.Mocker) -> None:
    serve(api, [NEWSLETTER], lambda stream: {"json": stream.days(0, 5, 0)})

    assert counted(rows_of(sync([NEWSLETTER]), NEWSLETTER)) == {"2026-11-21T05:00:00Z": 5}


def test_a_response_in_the_ambiguous_hour_of_summer_is_retried_after_it(
    api: requests_mock.Mocker, waits: list[float]
) -> None:
    serve(
        api,
        [NEWSLETTER],
        lambda stream: {"json": stream.days(7), "headers": {"Date": "Mon, 06 Jul 2026 04:15:00 GMT"}},
        lambda stream: {"json": stream.days(7), "headers": {"Date": "Mon, 06 Jul 2026 05:02:10 GMT"}},
    )

    output = sync([NEWSLETTER], start_date="2026-06-01")

    assert output.errors == []
    assert [row["period_start"] for row in rows_of(output, NEWSLETTER) if row["sent"]] == ["2026-07-06T05:00:00Z"]
    assert 47 * 60 <= max(waits) <= 49 * 60


def test_a_dated_response_needs_no_wait(api: requests_mock.Mocker, waits: list[float]) -> None:
    answer = {"headers": {"Date": "Mon, 06 Jul 2026 04:15:00 GMT"}}
    serve(api, [NEWSLETTER], lambda stream: {**dated(stream, [7], start="2026-07-05T05:00:00Z"), **answer})

    assert sync([NEWSLETTER], start_date="2026-06-01").errors == []
    assert max(waits, default=0) < 47 * 60


def test_every_resolution_has_its_own_rows(api: requests_mock.Mocker) -> None:
    serve(api, BY_STEPS, lambda stream: {"json": stream.days(6, 7)})

    output = sync(BY_STEPS, metrics_resolutions=["hours", "days", "weeks", "months"], start_date="2026-10-01")

    for stream in BY_STEPS:
        starts = {
            resolution: list(counted(rows_of(output, stream, resolution)))
            for resolution in ("hours", "days", "weeks", "months")
        }
        assert starts == {
            "hours": ["2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"],
            "days": ["2026-11-21T05:00:00Z", "2026-11-22T05:00:00Z"],
            "weeks": ["2026-11-15T05:00:00Z", "2026-11-22T05:00:00Z"],  # from Sunday
            "months": ["2026-10-01T05:00:00Z", "2026-11-01T05:00:00Z"],
        }
        steps = {resolution: requests_for(api, stream, resolution)[0]["steps"] for resolution in starts}
        assert steps == {"hours": "24", "days": "45", "weeks": "10", "months": "3"}


def test_campaigns_are_requested_by_whole_periods(api: requests_mock.Mocker) -> None:
    answers = {"weeks": [5, 6], "months": [7]}
    for resolution, numbers in answers.items():
        serve(api, [CAMPAIGN, JOURNEYS], lambda stream, numbers=numbers: {"json": stream.days(*numbers)})
        state = {"use_global_cursor": True, "state": {"period_start": "2026-11-19T00:00:00Z"}, "lookback_window": 0}
        states = {stream.name: state for stream in (CAMPAIGN, JOURNEYS)}

        output = sync([CAMPAIGN, JOURNEYS], states, metrics_resolutions=[resolution], metrics_lookback_days=1)

        for stream in (CAMPAIGN, JOURNEYS):
            expected = {
                "weeks": {"2026-11-15T00:00:00Z": 5, "2026-11-22T00:00:00Z": 6},
                "months": {"2026-11-01T00:00:00Z": 7},
            }[resolution]
            assert counted(rows_of(output, stream, resolution)) == expected
            assert requests_for(api, stream, resolution)[0]["res"] == resolution


def test_a_first_sync_reads_older_numbers_once_by_months(api: requests_mock.Mocker) -> None:
    serve(api, BY_STEPS, lambda stream: {"json": stream.days(5, 6, 7)})

    first = sync(BY_STEPS, start_date=None)

    for stream in BY_STEPS:
        assert counted(rows_of(first, stream, "months")) == {"2026-09-01T05:00:00Z": 5, "2026-10-01T05:00:00Z": 6}
        [request] = requests_for(api, stream, "months")
        assert request["steps"] in {"121", "15"}  # 15 since the creation of the campaign

    state = {"use_global_cursor": True, "state": {"period_start": "2026-11-19T05:00:00Z"}, "lookback_window": 0}
    later = sync(BY_STEPS, {stream.name: state for stream in BY_STEPS}, start_date=None)
    assert [row for stream in BY_STEPS for row in rows_of(later, stream, "months")] == []


def test_numbers_by_language_are_a_column_and_not_counted_twice(api: requests_mock.Mocker) -> None:
    languages = {"fr": {"series": {"sent": [1, 2, 0]}}, "": {"series": {"sent": [4, 4, 7]}}}
    body = {"metric": {"series": {"sent": [5, 6, 7]}, "language_variants": languages}}
    body["metric"]["multi_language_branch_action_id"] = 31
    serve(api, [ACTION], lambda _: {"json": body})

    rows = rows_of(sync([ACTION]), ACTION)

    assert [row["sent"] for row in rows] == [5, 6, 7]
    assert rows[1]["language_variants"] == {"fr": {"series": {"sent": 2}}, "": {"series": {"sent": 4}}}
    assert rows[1]["multi_language_branch_action_id"] == 31


@freeze_time("2026-07-06T04:30:00Z", auto_tick_seconds=0.1)
def test_a_response_without_a_date_header_is_dated_by_the_local_clock(
    api: requests_mock.Mocker, waits: list[float]
) -> None:
    serve(api, [NEWSLETTER], lambda stream: {"json": stream.days(7)})

    assert rows_of(sync([NEWSLETTER], start_date="2026-06-01"), NEWSLETTER) == []
    assert max(waits) > 1500
