"""Segment's documented rate limits: fully used, never exceeded, and without effect on other endpoints."""

import re
import threading
import time
from collections import Counter

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus

from source_segment import SourceSegment
from unit_tests.helpers import read_streams
from unit_tests.source_segment.contracts import BY_NAME, CONTRACTS
from unit_tests.source_segment.segment_api import CONFIG, PARENTS, US, Contract, requests_to

LIMITS = {
    "warehouse_syncs": 2,
    "warehouse_selective_syncs": 2,
    "warehouse_sync_schedules": 2,
    "warehouse_connection_states": 200,
    "tracking_plan_rules": 200,
    "space_events": 25,
    "space_traits": 25,
    "space_entity_paths": 25,
    "computed_traits": 25,
    "audiences": 60,
    "audience_references": 25,
    "audience_destination_connections": 50,
    "audience_activations": 60,
}
IDENTIFIERS = re.compile(r"(?<=/)(" + "|".join([*PARENTS, "m1"]) + r")(?=/|$)")


def serve_all(api: requests_mock.Mocker, count: int = 1, *, of: tuple[str | None, ...] = ()) -> None:
    """Serve every stream's requests, with `count` objects of the kinds in `of`, and one of each other kind."""
    for contract in CONTRACTS:
        path = IDENTIFIERS.sub("[^/?]+", contract.path)
        found = [] if contract.query else [contract.record]
        api.get(re.compile(f"^{US}{path}(\\?|$)"), json=contract.page(*found))
    for identifier, parent in PARENTS.items():
        names = [identifier, *(f"{identifier}-{number}" for number in range(1, count if identifier in of else 1))]
        api.get(f"{US}{parent.path}?{parent.query}", json=parent.page(*names))


def request_count(api: requests_mock.Mocker, contract: Contract) -> int:
    """The number of requests for the stream, for any parent."""
    path = re.compile(IDENTIFIERS.sub("[^/]+", contract.path) + "$")
    return sum(1 for request in api.request_history if path.match(request.path))


@pytest.mark.parametrize(("name", "limit"), LIMITS.items())
def test_a_documented_limit_is_used_up_before_anything_waits(
    api: requests_mock.Mocker, waits: list[float], name: str, limit: int
) -> None:
    serve_all(api, limit, of=(BY_NAME[name].parent,))
    assert read_streams(SourceSegment, CONFIG, [name]).errors == []
    assert request_count(api, BY_NAME[name]) == limit
    assert waits == []


@pytest.mark.parametrize(("name", "limit"), LIMITS.items())
def test_the_request_after_a_documented_limit_waits_for_the_next_minute(
    api: requests_mock.Mocker, waits: list[float], name: str, limit: int
) -> None:
    serve_all(api, limit + 1, of=(BY_NAME[name].parent,))
    assert read_streams(SourceSegment, CONFIG, [name]).errors == []
    assert request_count(api, BY_NAME[name]) == limit + 1
    assert 60 < max(waits) <= 61


@pytest.mark.parametrize(("share", "limit"), [(0.5, 12), (0.01, 1), (2, 50)])
def test_the_rate_limit_share_scales_the_limits(
    api: requests_mock.Mocker, waits: list[float], share: float, limit: int
) -> None:
    serve_all(api, limit + 1, of=("sp1",))
    config = {**CONFIG, "rate_limit_share": share}

    read_streams(SourceSegment, config, ["space_events"])

    assert request_count(api, BY_NAME["space_events"]) == limit + 1
    assert len([seconds for seconds in waits if seconds > 50]) == 1


def test_the_pages_of_events_volume_observe_its_limit(api: requests_mock.Mocker, waits: list[float]) -> None:
    volume = BY_NAME["events_volume"]
    pages = [{"json": volume.page(volume.record, following=str(number))} for number in range(60)]
    api.get(US + volume.path, [*pages, {"json": volume.page(volume.record)}])

    read_streams(SourceSegment, CONFIG, [volume.name])

    assert len(requests_to(api, volume)) == 61
    assert 60 < max(waits) <= 61


def test_while_slow_endpoints_wait_every_other_stream_is_read(
    api: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [contract for contract in CONTRACTS if contract.name not in LIMITS]
    others_read, pass_time = threading.Event(), time.sleep
    in_time = []
    serve_all(api, 40, of=("w1", "sp1", "a1", "cs1"))

    def watch(_: object) -> None:
        if all(request_count(api, contract) for contract in others):
            others_read.set()

    def sleep(seconds: float) -> None:
        if seconds > 1:
            in_time.append(others_read.wait(timeout=60))
        pass_time(seconds)

    api.add_matcher(watch)
    monkeypatch.setattr(time, "sleep", sleep)
    output = read_streams(SourceSegment, CONFIG, [contract.name for contract in CONTRACTS])

    assert in_time
    assert all(in_time)
    assert output.errors == []
    assert {output.get_stream_statuses(contract.name)[-1] for contract in CONTRACTS} == {AirbyteStreamStatus.COMPLETE}


def test_no_request_is_made_twice(api: requests_mock.Mocker) -> None:
    serve_all(api)

    read_streams(SourceSegment, CONFIG, [contract.name for contract in CONTRACTS])

    urls = [request.url for request in api.request_history]
    assert [url for url, times in Counter(urls).items() if times > 1] == []
