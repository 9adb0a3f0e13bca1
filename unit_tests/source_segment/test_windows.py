"""The windows of time that a sync requests, and the records that it keeps of the responses."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import requests_mock
from airbyte_cdk.models import FailureType
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from freezegun import freeze_time

from source_segment import SourceSegment
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_segment.contracts import BY_NAME, CONTRACTS
from unit_tests.source_segment.segment_api import US, Contract, requests_to, serve_parents

USAGE = [contract for contract in CONTRACTS if contract.name.startswith("usage_")]
AUDIT = BY_NAME["audit_events"]
DELIVERY = BY_NAME["destination_delivery_metrics_summary"]
VOLUME = BY_NAME["events_volume"]
OVERVIEWS = [contract for contract in CONTRACTS if contract.name.startswith("delivery_overview_")]
SERIES = [VOLUME, *OVERVIEWS]
per_overview = pytest.mark.parametrize("contract", OVERVIEWS, ids=lambda contract: contract.name)
per_series = pytest.mark.parametrize("contract", SERIES, ids=lambda contract: contract.name)


def sync(
    api: requests_mock.Mocker,
    contract: Contract,
    now: str,
    start_date: str | None = None,
    state: JsonObject | None = None,
    answer: Callable[[dict[str, str]], list[JsonObject]] = lambda _: [],
) -> tuple[list[dict[str, str]], EntrypointOutput]:
    """Read one stream at `now`; returns its requests, sorted by time, and the output."""

    def respond(request: requests_mock.request._RequestObjectProxy, _: object) -> JsonObject:  # no public name
        found = answer({name: values[-1] for name, values in request.qs.items()})
        return contract.page(*found) if contract.is_list else contract.page(contract.record)

    serve_parents(api)
    api.get(US + contract.path, json=respond)
    config = {"api_token": "token", **({"start_date": start_date} if start_date else {})}
    with freeze_time(now):
        output = read_streams(SourceSegment, config, [contract.name], {contract.name: state} if state else None)
    return sorted(requests_to(api, contract), key=lambda request: list(request.values())[1:]), output


def days(requests: list[dict[str, str]]) -> list[tuple[str, str]]:
    """The windows of the requests, sorted."""
    return sorted((request["startTime"], request["endTime"]) for request in requests)


def periods(requests: list[dict[str, str]]) -> list[str]:
    return sorted(request["period"] for request in requests)


@pytest.mark.parametrize("contract", USAGE, ids=lambda contract: contract.name)
@pytest.mark.parametrize(
    ("now", "start_date", "expected"),
    [
        ("2026-11-22T12:00:00Z", "2026-09-17", ["2026-09-01", "2026-10-01", "2026-11-01"]),
        ("2026-11-30T23:59:59Z", "2026-10-31", ["2026-10-01", "2026-11-01"]),
        ("2026-12-01T00:00:00Z", "2026-11-30", ["2026-11-01", "2026-12-01"]),
        ("2024-02-29T12:00:00Z", "2024-01-31", ["2024-01-01", "2024-02-01"]),
        ("2024-03-01T00:00:00Z", "2024-02-29", ["2024-02-01", "2024-03-01"]),
        ("2026-01-01T00:00:00Z", "2025-12-31", ["2025-12-01", "2026-01-01"]),
        ("2026-03-31T12:00:00Z", "2026-03-31", ["2026-03-01"]),
    ],
)
def test_usage_requests_every_month_from_the_start_date_to_the_current_one(
    api: requests_mock.Mocker, contract: Contract, now: str, start_date: str, expected: list[str]
) -> None:
    requests, _ = sync(api, contract, now, start_date)

    assert periods(requests) == expected


def test_usage_goes_back_twelve_months_without_a_start_date(api: requests_mock.Mocker) -> None:
    requests, _ = sync(api, USAGE[0], "2026-11-30T12:00:00Z")

    assert periods(requests)[0] == "2025-12-01"
    assert len(requests) == 12


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        ("2026-11-21", ["2026-10-01", "2026-11-01"]),
        ("2026-11-01", ["2026-10-01", "2026-11-01"]),
        ("2026-11-21T00:00:00.000Z", ["2026-10-01", "2026-11-01"]),
        ("2026-10-31", ["2026-09-01", "2026-10-01", "2026-11-01"]),
        ("2027-05-01", ["2026-10-01", "2026-11-01"]),
        ("2020-01-01", ["2026-08-01", "2026-09-01", "2026-10-01", "2026-11-01"]),
    ],
    ids=["this month", "first of month", "timestamp", "last month", "future", "before the start date"],
)
def test_usage_reads_only_the_months_again_that_may_still_change(
    api: requests_mock.Mocker, cursor: str, expected: list[str]
) -> None:
    requests, _ = sync(api, USAGE[0], "2026-11-22T12:00:00Z", "2026-08-15", {"timestamp": cursor})

    assert periods(requests) == expected


def test_usage_state_is_the_latest_day_and_skips_no_month(api: requests_mock.Mocker) -> None:
    def days_of(request: dict[str, str]) -> list[JsonObject]:
        last = {"2026-09-01": "30", "2026-10-01": "31", "2026-11-01": "21"}[request["period"]]
        return [{"timestamp": f"{request['period'][:8]}{day}T00:00:00.000Z"} for day in ("01", last)]

    _, output = sync(api, USAGE[0], "2026-11-22T12:00:00Z", "2026-09-17", answer=days_of)

    assert len(output.records) == 6
    assert output.most_recent_state.stream_state.__dict__ == {"timestamp": "2026-11-21"}


def test_usage_state_stops_before_a_month_that_failed(api: requests_mock.Mocker) -> None:
    def fail_in_october(request: dict[str, str]) -> list[JsonObject]:
        if request["period"] == "2026-10-01":
            raise ConnectionError("cut")
        return [{"timestamp": f"{request['period'][:8]}20T00:00:00.000Z"}]

    _, output = sync(api, USAGE[0], "2026-11-22T12:00:00Z", "2026-09-01", answer=fail_in_october)

    assert output.errors
    assert output.most_recent_state.stream_state.__dict__["timestamp"] < "2026-10-01"


def test_a_saved_state_that_is_not_a_date_says_what_to_do(api: requests_mock.Mocker) -> None:
    _, output = sync(api, USAGE[0], "2026-11-22T12:00:00Z", state={"timestamp": "last tuesday"})

    error = output.errors[0].trace.error
    assert error.failure_type is FailureType.config_error
    assert "is not a date in the format that this stream writes. Reset the stream." in error.message


def test_audit_windows_cover_the_retention_with_an_extra_second_on_both_sides(api: requests_mock.Mocker) -> None:
    requests, _ = sync(api, AUDIT, "2026-11-22T12:00:00Z", "2020-01-01")

    assert requests[0]["startTime"] == "2026-08-24T12:59:59Z"
    assert requests[-1]["endTime"] == "2026-11-22T11:58:59Z"
    for earlier, later in pairwise(requests):
        assert later["startTime"] < earlier["endTime"]


def test_audit_events_at_the_edge_of_two_windows_are_emitted_once(api: requests_mock.Mocker) -> None:
    times = [
        "2026-11-08T00:00:00Z",
        "2026-11-14T23:59:59Z",
        "2026-11-14T23:59:59.999Z",
        "2026-11-15T00:00:00Z",
        "2026-11-15T00:00:00.001Z",
        "2026-11-15T02:00:00.5+02:00",
    ]
    events = [{"id": str(index), "timestamp": time} for index, time in enumerate(times)]

    _, output = sync(api, AUDIT, "2026-11-22T12:00:00Z", "2026-11-08", answer=lambda _: events)

    assert sorted(record["id"] for record in rows(output)) == ["0", "1", "2", "3", "4", "5"]


def test_audit_events_resume_an_hour_before_the_saved_state(api: requests_mock.Mocker) -> None:
    requests, _ = sync(api, AUDIT, "2026-11-22T12:00:00Z", "2026-01-01", {"timestamp": "2026-11-22T09:30:00Z"})

    assert [request["startTime"] for request in requests] == ["2026-11-22T08:29:59Z"]


def test_delivery_metrics_request_contiguous_whole_days_within_segments_retention(
    api: requests_mock.Mocker,
) -> None:
    requests, output = sync(api, DELIVERY, "2026-11-22T12:00:00Z", "2020-01-01")

    windows = days(requests)
    assert windows[0] == ("2026-11-09T00:00:00Z", "2026-11-10T00:00:00Z")
    assert windows[-1] == ("2026-11-22T00:00:00Z", "2026-11-22T11:59:00Z")
    assert len(windows) == 14
    assert all(earlier[1] == later[0] for earlier, later in pairwise(windows))
    assert {request["granularity"] for request in requests} == {"DAY"}
    keys = {(row["sourceId"], row["destinationId"], row["granularity"], row["startTime"]) for row in rows(output)}
    assert len(keys) == 14


def test_delivery_metrics_resume_per_destination(api: requests_mock.Mocker) -> None:
    state = {
        "use_global_cursor": False,
        "states": [
            {
                "partition": {"destinationId": "d1", "parent_slice": {}},
                "cursor": {"startTime": "2026-11-21T00:00:00Z"},
            }
        ],
    }

    requests, output = sync(api, DELIVERY, "2026-11-22T12:00:00Z", "2020-01-01", state)

    assert sorted(request["startTime"][:10] for request in requests) == ["2026-11-20", "2026-11-21", "2026-11-22"]
    saved = output.most_recent_state.stream_state.__dict__["states"]
    assert saved[0]["partition"]["destinationId"] == "d1"
    assert saved[0]["cursor"] == {"startTime": "2026-11-22T00:00:00Z"}


def test_delivery_metrics_of_a_new_destination_have_whole_days(api: requests_mock.Mocker) -> None:
    state = {
        "use_global_cursor": False,
        "states": [
            {"partition": {"destinationId": "d0", "parent_slice": {}}, "cursor": {"startTime": "2026-11-21T00:00:00Z"}}
        ],
        "state": {"startTime": "2026-11-21T00:00:00Z"},
        "lookback_window": 2,
    }

    requests, _ = sync(api, DELIVERY, "2026-11-22T12:00:00Z", "2020-01-01", state)

    assert {request["startTime"][10:] for request in requests} == {"T00:00:00Z"}


@per_overview
@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2026-11-22T12:00:00Z", "2026-10-24", "2026-11-22T11:59:00Z"),
        ("2026-11-22T17:59:59Z", "2026-10-24", "2026-11-22T17:58:59Z"),
        ("2026-11-22T23:59:59Z", "2026-10-25", "2026-11-22T23:58:59Z"),
        ("2026-11-23T00:00:30Z", "2026-10-25", "2026-11-22T23:59:30Z"),
    ],
    ids=["noon", "afternoon", "before midnight", "after midnight"],
)
def test_the_delivery_overview_is_one_request_that_stays_within_segments_limit_for_hours(
    api: requests_mock.Mocker, contract: Contract, now: str, first: str, last: str
) -> None:
    requests, _ = sync(api, contract, now, "2020-01-01")

    assert days(requests) == [(f"{first}T00:00:00Z", last)]


@pytest.mark.parametrize(
    ("start_date", "first", "count"),
    [("2026-08-15", "2026-08-15", 4), (None, "2025-11-22", 13)],
    ids=["given", "a year"],
)
def test_event_volume_is_read_in_contiguous_windows(
    api: requests_mock.Mocker, start_date: str | None, first: str, count: int
) -> None:
    requests, _ = sync(api, VOLUME, "2026-11-22T12:00:00Z", start_date)

    windows = days(requests)
    assert windows[0][0] == f"{first}T00:00:00Z"
    assert windows[-1][1] == "2026-11-22T11:59:00Z"
    assert len(windows) == count
    assert all(earlier[1] == later[0] for earlier, later in pairwise(windows))


@per_series
@pytest.mark.parametrize("now", ["2026-11-22T12:00:00Z", "2026-11-22T23:59:58Z", "2026-11-30T23:59:58Z"])
def test_all_pages_request_the_same_window_however_long_they_take(
    api: requests_mock.Mocker, contract: Contract, now: str
) -> None:
    def respond(request: requests_mock.request._RequestObjectProxy, _: object) -> JsonObject:  # no public name
        clock.tick(30)
        page = request.qs.get("pagination[cursor]", ["0"])[0]
        return contract.page(contract.record, following="" if page == "4" else str(int(page) + 1))

    serve_parents(api)
    api.get(US + contract.path, json=respond)
    with freeze_time(now) as clock:
        output = read_streams(SourceSegment, {"api_token": "token", "start_date": now[:10]}, [contract.name])

    assert output.errors == []
    requests = requests_to(api, contract)
    assert [request.pop("pagination[cursor]", "0") for request in requests] == ["0", "1", "2", "3", "4"]
    assert all(request == requests[0] for request in requests)


@per_series
@pytest.mark.parametrize("times", [["2026-11-21T00:00:00.000Z"], []], ids=["counts", "no counts"])
def test_a_series_reads_the_previous_day_again_in_full(
    api: requests_mock.Mocker, contract: Contract, times: list[str]
) -> None:
    points = [{**contract.record, "time": time} for time in times]
    _, first = sync(api, contract, "2026-11-21T18:00:00Z", "2026-11-01", answer=lambda _: points)
    state = first.most_recent_state.stream_state.__dict__
    api.reset_mock()

    requests, _ = sync(api, contract, "2026-11-22T12:00:00Z", "2026-11-01", state)

    (window,) = days(requests)
    assert window[0] <= "2026-11-20T00:00:00Z"
    assert window[0].endswith("T00:00:00Z")
    assert window[1] == "2026-11-22T11:59:00Z"


@per_series
def test_each_point_of_a_series_is_a_row_with_its_own_key(api: requests_mock.Mocker, contract: Contract) -> None:
    names = ["a", None, "'b'", "3"]
    groups = [{**contract.record, "eventName": name} for name in names]

    _, output = sync(api, contract, "2026-11-22T12:00:00Z", "2026-11-22", answer=lambda _: groups)

    assert [row["eventName"] for row in rows(output)] == ["a", "", "'b'", "3"]
    assert all(row.get(name) is not None for row in rows(output) for name in contract.primary_key)
    assert not {"total", "totalRetryCount", "series"} & set(rows(output)[0])
