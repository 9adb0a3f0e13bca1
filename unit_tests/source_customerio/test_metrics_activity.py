"""Metrics are requested only where something can have been counted."""

from collections import Counter

import pytest
import requests_mock
from airbyte_cdk.models import SyncMode
from airbyte_cdk.test.entrypoint_wrapper import read

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, catalog_of
from unit_tests.source_customerio.customerio_api import CONFIG, DAY, NOW_TS, US
from unit_tests.source_customerio.metrics_api import STREAMS, rows_of, serve, sync

BELOW = [stream for stream in STREAMS if not stream.is_of_a_parent]
STATE = {"use_global_cursor": True, "state": {"period_start": "2026-11-20T05:00:00Z"}, "lookback_window": 0}
QUIET = {"json": {"metric": {"series": {"sent": []}}}}
PARENTS = ["/campaigns/3", "/broadcasts/4", "/newsletters/5", "/transactional/6"]


def requested(api: requests_mock.Mocker) -> Counter[str]:
    return Counter(request.path.removeprefix("/v1") for request in api.request_history if "metrics" in request.path)


def states() -> dict[str, JsonObject]:
    return {stream.name: STATE for stream in STREAMS}


def test_nothing_below_a_parent_that_counted_nothing_is_requested(api: requests_mock.Mocker) -> None:
    serve(api, BELOW, lambda stream: {"json": stream.days(7)})
    for path in PARENTS:
        api.get(f"{US}{path}/metrics", **QUIET)

    output = sync(BELOW, states())

    assert (output.records, output.errors) == ([], [])
    assert requested(api) == {f"{path}/metrics": 1 for path in PARENTS}


def test_a_quiet_parent_is_requested_once_for_all_streams(api: requests_mock.Mocker) -> None:
    serve(api, STREAMS, lambda stream: {"json": stream.days(7) if stream.envelope != "metric" else QUIET["json"]})

    sync(STREAMS, states())

    journeys = {"/campaigns/3/journey_metrics": 1}
    assert requested(api) == {f"{path}/metrics": 1 for path in PARENTS} | journeys


def test_everything_below_an_active_parent_is_read(api: requests_mock.Mocker) -> None:
    serve(api, BELOW, lambda stream: {"json": stream.days(7, 7, 7)})

    output = sync(BELOW, states())

    assert all(rows_of(output, stream) for stream in BELOW)


def test_numbers_before_the_window_do_not_count(api: requests_mock.Mocker) -> None:
    links = [stream for stream in STREAMS if stream.name == "broadcast_link_metrics"]
    serve(api, links, lambda stream: {"json": stream.days(7)})
    api.get(f"{US}/broadcasts/4/metrics", json={"metric": {"series": {"sent": [9] * 4 + [0] * 41}}})

    assert sync(links, states()).records == []


def test_a_day_of_the_parent_that_begins_before_the_window_counts(api: requests_mock.Mocker) -> None:
    links = [stream for stream in STREAMS if stream.name == "campaign_link_metrics"]
    serve(api, links, lambda stream: {"json": stream.days(*[7] * 45)})
    beginning = "2026-11-20T05:00:00Z"  # of a day in EST, most of which is in the campaign's day from 00:00 UTC
    api.get(f"{US}/campaigns/3/metrics", json={"metric": {"series": {"sent": [9, 0, 0]}}})
    state = {"use_global_cursor": True, "state": {"period_start": "2026-11-21T05:00:00Z"}, "lookback_window": 0}

    output = sync(links, {links[0].name: state}, metrics_lookback_days=1)

    assert output.errors == []
    assert beginning in [row["period_start"] for row in rows_of(output, links[0])]


def test_a_parent_is_requested_once_although_its_streams_were_read_up_to_different_days(
    api: requests_mock.Mocker,
) -> None:
    serve(api, STREAMS, lambda stream: {"json": stream.days(*[0] * stream.requested_days(30))})
    for path in PARENTS:
        api.get(f"{US}{path}/metrics", json=QUIET["json"])
    later = [
        {"use_global_cursor": True, "state": {"period_start": f"2026-11-{day}T05:00:00Z"}, "lookback_window": 0}
        for day in range(21, 10, -1)
    ]

    sync(
        [stream for stream in STREAMS if stream.envelope != "journey_metric"],
        {stream.name: later[number % 10] for number, stream in enumerate(STREAMS)},
        start_date=None,
    )

    assert requested(api) == {f"{path}/metrics": 1 for path in PARENTS}


def test_links_of_actions_are_requested_only_where_links_of_the_parent_were_clicked(api: requests_mock.Mocker) -> None:
    streams = [stream for stream in BELOW if stream.envelope == "links"]
    serve(api, streams, lambda stream: {"json": stream.days(7) if len(stream.ids) > 1 else {"links": None}})

    output = sync(streams, states())

    parents = {f"{path}/metrics": 1 for path in PARENTS}
    assert (output.records, output.errors) == ([], [])
    assert requested(api) == parents | {f"{path}/metrics/links": 1 for path in PARENTS}


@pytest.mark.parametrize(
    ("campaign", "is_requested"),
    [
        ({"state": "running", "updated": 1}, True),
        ({"state": "stopped", "updated": NOW_TS - 40 * DAY}, False),
        ({"state": "stopped", "updated": NOW_TS - 33 * DAY}, True),
        ({"state": "draft", "updated": NOW_TS - 40 * DAY}, False),
        ({"state": "stopped", "updated": 0}, True),
        ({"state": "stopped"}, True),
        ({"updated": 1}, True),
    ],
    ids=str,
)
def test_journeys_are_requested_for_campaigns_that_ran_in_the_window(
    api: requests_mock.Mocker, campaign: JsonObject, *, is_requested: bool
) -> None:
    [journeys] = [stream for stream in STREAMS if stream.envelope == "journey_metric"]
    serve(api, [journeys], lambda stream: {"json": stream.days(*[7] * 33)})
    api.get(US + "/campaigns", json={"campaigns": [{"id": 3, "actions": [], **campaign}]})

    output = sync([journeys], states(), start_date=None)

    assert output.errors == []
    assert bool(requested(api)) is is_requested


@pytest.mark.parametrize(
    ("sent_at", "is_requested"),
    [(None, False), (0, False), (NOW_TS - 250 * DAY, False), (NOW_TS - 150 * DAY, True), (NOW_TS, True)],
)
def test_newsletters_are_requested_while_they_can_change(
    api: requests_mock.Mocker, sent_at: int | None, *, is_requested: bool
) -> None:
    streams = [stream for stream in STREAMS if stream.name.startswith("newsletter")]
    serve(api, streams, lambda stream: {"json": stream.days(7)})
    newsletter = {"id": 5, "content_ids": [51], **({"sent_at": sent_at} if sent_at is not None else {})}
    api.get(US + "/newsletters", json={"newsletters": [newsletter], "next": ""})

    output = sync(streams, states(), start_date=None)

    assert output.errors == []
    assert bool(requested(api)) is is_requested
    assert all(bool(rows_of(output, stream)) is is_requested for stream in streams)


def test_a_second_sync_in_the_same_process_remembers_nothing_of_the_first(api: requests_mock.Mocker) -> None:
    streams = [stream for stream in STREAMS if stream.name == "broadcast_metrics"]
    serve(api, streams, lambda _: QUIET)

    for _ in range(2):
        sync(streams, states())

    assert requested(api) == {"/broadcasts/4/metrics": 2}


def test_two_sources_in_one_process_share_nothing(api: requests_mock.Mocker) -> None:
    streams = [stream for stream in STREAMS if stream.name == "broadcast_metrics"]
    serve(api, streams, lambda _: QUIET)
    catalog = catalog_of([stream.name for stream in streams], SyncMode.incremental)

    for source in [SourceCustomerio(catalog=catalog, config=CONFIG, state=[]) for _ in range(2)]:
        read(source, CONFIG, catalog)

    assert requested(api) == {"/broadcasts/4/metrics": 2}
