"""Metrics that cannot be dated, parents that cannot be read, and the state after a failed sync."""

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType

from unit_tests.helpers import JsonObject
from unit_tests.source_customerio.customerio_api import US, errors_by_stream, last_status
from unit_tests.source_customerio.metrics_api import (
    BY_DATE,
    BY_STEPS,
    LINK,
    PARENTS,
    STREAMS,
    rows_of,
    serve,
    states_of,
    sync,
)

DELETED = {"status_code": 404, "json": {"errors": [{"detail": "not found", "status": "404"}]}}
DOWN = {"status_code": 503, "json": {"errors": [{"detail": "unavailable", "status": "503"}]}}


@pytest.mark.parametrize("days", [1, 2, 4, 5])
def test_a_response_with_too_few_or_too_many_days_is_rejected(api: requests_mock.Mocker, days: int) -> None:
    serve(api, BY_DATE, lambda stream: {"json": stream.days(*[7] * days)})

    output = sync(BY_DATE)

    errors = errors_by_stream(output)
    assert output.records == []
    for stream in BY_DATE:
        [(failure_type, message)] = errors[stream.name]
        assert failure_type is FailureType.transient_error
        assert message.startswith("The metrics that Customer.io returned at /v1/campaigns/3/")
        assert f"cannot be dated: 3 days were requested, but {days} were returned. They were skipped" in message
        assert "state" not in states_of(output)[stream.name]


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        ({"sent": [1, 2, 3], "opened": [1, 2]}, "not every metric has the same number of periods"),
        ({"sent": 5}, "not every metric is a list"),
    ],
)
def test_inconsistent_numbers_are_rejected(api: requests_mock.Mocker, series: JsonObject, reason: str) -> None:
    serve(api, STREAMS, lambda stream: {"json": stream.body(series)})

    output = sync(STREAMS)

    errors = errors_by_stream(output)
    assert output.records == []
    assert set(errors) == {stream.name for stream in STREAMS}
    assert all(reason in found[0][1] for found in errors.values())


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ({"link": "https://shop.example.com/sale"}, "a link is not an object with an id"),
        ({"link": LINK, "metric": {"series": 7}}, "'series' is not an object"),
        ("https://shop.example.com/sale", "they are not an object"),
    ],
)
def test_malformed_links_are_rejected(api: requests_mock.Mocker, link: object, reason: str) -> None:
    links = [stream for stream in STREAMS if stream.envelope == "links"]
    serve(api, links, lambda _: {"json": {"links": [link]}})

    errors = errors_by_stream(sync(links))

    assert set(errors) == {stream.name for stream in links}
    assert all(reason in found[0][1] for found in errors.values())


def test_a_response_without_series_is_an_error_and_not_an_empty_table(api: requests_mock.Mocker) -> None:
    streams = [stream for stream in STREAMS if stream.envelope == "metric"]
    serve(api, streams, lambda _: {"json": {"metric": {"totals": {"sent": 5}}}})

    errors = errors_by_stream(sync(streams))

    assert set(errors) == {stream.name for stream in streams}
    assert all("'series' is missing" in found[0][1] for found in errors.values())


def test_a_response_without_its_envelope_is_an_error(api: requests_mock.Mocker) -> None:
    serve(api, STREAMS, lambda _: {"json": {"unexpected": []}})

    errors = errors_by_stream(sync(STREAMS))

    assert set(errors) == {stream.name for stream in STREAMS}
    assert all(" returned a response without the documented key '" in found[0][1] for found in errors.values())


def test_a_parent_that_was_deleted_during_the_sync_is_skipped(api: requests_mock.Mocker) -> None:
    serve(api, STREAMS, lambda _: DELETED)

    output = sync(STREAMS)

    assert (output.records, output.errors) == ([], [])
    logged = " ".join(message.log.message for message in output.logs)
    assert {f"{US}{stream.path} no longer exists" in logged for stream in STREAMS if stream.is_of_a_parent} == {True}
    for stream in STREAMS:
        assert last_status(output, stream.name) is AirbyteStreamStatus.COMPLETE


def test_a_workspace_without_parents_has_no_metrics(api: requests_mock.Mocker) -> None:
    for path, body in PARENTS.items():
        api.get(US + path, json={key: [] if isinstance(value, list) else value for key, value in body.items()})

    output = sync(STREAMS)

    assert (output.records, output.errors) == ([], [])


def test_the_state_is_one_day_however_many_parents_there_are(api: requests_mock.Mocker) -> None:
    streams = [stream for stream in STREAMS if list(stream.ids) == ["broadcast_id"]]
    serve(api, streams, lambda stream: {"json": stream.days(0, 7, 0)})
    api.get(US + "/broadcasts", json={"broadcasts": [{"id": number} for number in range(4, 54)]})
    for number in range(5, 54):
        api.get(f"{US}/broadcasts/{number}/metrics", json={"metric": {"series": {"sent": [number, 0, 0]}}})
        api.get(f"{US}/broadcasts/{number}/metrics/links", json={"links": []})

    states = states_of(sync(streams))

    for stream in streams:
        assert states[stream.name]["state"] == {"period_start": "2026-11-21" + stream.midnight}
        assert not states[stream.name].get("states")


def test_when_one_parent_fails_the_next_sync_reads_everything_again(api: requests_mock.Mocker) -> None:
    stream = BY_STEPS[0]
    serve(api, [stream], lambda stream: {"json": stream.days(5, 6, 7)})
    api.get(US + "/broadcasts", json={"broadcasts": [{"id": 4}, {"id": 44}]})
    api.get(f"{US}/broadcasts/44/metrics", [DOWN] * 6 + [{"json": {"metric": {"series": {"sent": [8, 0, 0]}}}}])

    failed = sync([stream])
    repeated = sync([stream], states_of(failed))

    assert last_status(failed, stream.name) is AirbyteStreamStatus.INCOMPLETE
    assert {**stream.row("2026-11-20", 8), "broadcast_id": 44} in rows_of(repeated, stream)
    assert stream.row("2026-11-20", 5) in rows_of(repeated, stream)


def test_when_the_list_of_parents_fails_midway_the_next_sync_reads_everything(api: requests_mock.Mocker) -> None:
    streams = [stream for stream in STREAMS if stream.list_of_parents == "/newsletters"]
    serve(api, streams, lambda stream: {"json": stream.days(5, 6, 7)})
    first = {"json": {**PARENTS["/newsletters"], "next": "MQ=="}}
    api.get(US + "/newsletters", [first, *[DOWN] * 50])

    failed = sync(streams)

    assert failed.records == []
    for stream in streams:
        assert last_status(failed, stream.name) is AirbyteStreamStatus.INCOMPLETE
        assert "state" not in states_of(failed)[stream.name]


@pytest.mark.parametrize("days", [0, 181, "30"])
def test_an_invalid_lookback_is_rejected(days: object) -> None:
    [error] = sync(BY_DATE[:1], metrics_lookback_days=days).errors

    assert error.trace.error.failure_type is FailureType.config_error
    assert str(days) in error.trace.error.message
