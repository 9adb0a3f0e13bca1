"""Every endpoint of the simulated Segment Public API as a client sees it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from integration_tests.sandbox.segment_client import Get, error, pages
from sandbox.api.endpoints import Endpoint, Listing, OfParents
from sandbox.api.present import Arguments
from sandbox.clock import Clock
from sandbox.segment.access import GATES
from sandbox.segment.world import SegmentWorld
from sandbox.server import Sandbox

ENDPOINTS = SegmentWorld(Clock(), seed=1, scale=0.01).endpoints
LISTINGS = [endpoint.path for endpoint in ENDPOINTS if isinstance(endpoint, Listing) and endpoint.paging]
WHOLE = [
    ("/labels", 0),
    ("/spaces/{spaceId}/audiences/{audienceId}/schedules", 2),
]
DAY = {"granularity": "DAY", "startTime": "2026-03-01T00:00:00Z", "endTime": "2026-03-09T00:00:00Z"}


def listing(world: SegmentWorld, path: str) -> Listing:
    (found,) = [each for each in world.endpoints if each.path == path and isinstance(each, Listing)]
    return found


def longest(world: SegmentWorld, path: str) -> tuple[Arguments, list[Any]]:
    """The parent with the most records, and its records."""
    endpoint, now = listing(world, path), world.clock.now
    answers = [(arguments, endpoint.records(arguments, now)) for arguments in endpoint.of(now)]
    return max(answers, key=lambda answer: len(answer[1]))


def asked_by(endpoint: OfParents, arguments: Arguments) -> tuple[str, dict[str, Any]]:
    """The path and parameters of a request."""
    return endpoint.path.format(**arguments), {
        name: arguments[name] for name in (*endpoint.required, *endpoint.choices) if name in arguments
    }


def pages_of(get: Get, endpoint: Listing, arguments: Arguments, count: int) -> Iterator[dict[str, Any]]:
    path, parameters = asked_by(endpoint, arguments)
    parameter = "{}" if endpoint.paging and endpoint.paging.flat else "pagination.{}"
    return pages(get, path, cursor=parameter.format("cursor"), **{**parameters, parameter.format("count"): count})


def of_first_parents(world: SegmentWorld, endpoint: Endpoint) -> tuple[str, dict[str, Any]]:
    if isinstance(endpoint, OfParents):
        return asked_by(endpoint, next(iter(endpoint.of(world.clock.now))))
    return endpoint.path, {}


@pytest.mark.parametrize("path", [path for path in LISTINGS if path not in dict(WHOLE)])
def test_a_list_pages_to_its_end(still_get: Get, still_sandbox: Sandbox, path: str) -> None:
    arguments, records = longest(still_sandbox.segment, path)
    endpoint = listing(still_sandbox.segment, path)
    assert endpoint.paging
    count = min(endpoint.paging.largest, len(records) // 3 + 1)
    walked = list(pages_of(still_get, endpoint, arguments, count))
    assert [record for page in walked for record in page[endpoint.key]] == records
    assert len(walked) == -(-len(records) // count)
    assert all(len(page[endpoint.key]) == count for page in walked[:-1])


@pytest.mark.parametrize(("path", "parents"), WHOLE)
def test_some_lists_are_never_paged(still_get: Get, still_sandbox: Sandbox, path: str, parents: int) -> None:
    arguments, records = longest(still_sandbox.segment, path)
    data = still_get(path.format(**arguments)).json()["data"]
    assert data == {listing(still_sandbox.segment, path).key: records}
    assert len(records) >= max(1, parents)


@pytest.mark.parametrize(
    ("path", "parameter", "largest"),
    [
        ("/spaces/{spaceId}/audiences", "pagination.count", 200),
        ("/filters", "pagination.count", 10),
        ("/reverse-etl-models/{modelId}/subscriptionId/{subscriptionId}/syncs", "count", 100),
    ],
)
def test_some_endpoints_have_their_own_largest_page(
    still_get: Get, still_sandbox: Sandbox, path: str, parameter: str, largest: int
) -> None:
    endpoint = listing(still_sandbox.segment, path)
    arguments, _ = longest(still_sandbox.segment, path)
    url, parameters = asked_by(endpoint, arguments)
    granted = still_get(url, **parameters, **{parameter: largest})
    assert len(granted.json()["data"][endpoint.key]) == largest
    rejected = still_get(url, **parameters, **{parameter: largest + 1})
    assert (rejected.status_code, error(rejected)["field"]) == (422, parameter)


def test_space_filters_count_their_records_and_are_null_where_there_are_none(
    still_get: Get, still_sandbox: Sandbox
) -> None:
    answers = [
        still_get("/filters", integrationId=space["id"]).json()["data"]
        for space in still_sandbox.segment.expected("spaces")
    ]
    assert answers[0]["pagination"]["next"] == 10
    assert len(answers[0]["filters"]) == 10
    assert answers[1] == {"filters": None, "pagination": {"current": 0, "totalEntries": 0}}


def test_traits_only_go_forward_and_are_those_of_users(still_get: Get, still_sandbox: Sandbox) -> None:
    endpoint = listing(still_sandbox.segment, "/spaces/{spaceId}/traits")
    space = still_sandbox.segment.expected("spaces")[0]["id"]
    walked = list(pages_of(still_get, endpoint, {"spaceId": space}, 10))
    assert not any("previous" in page["pagination"] for page in walked)
    served = {trait["trait"] for page in walked for trait in page["traits"]}
    rows = [row for row in still_sandbox.segment.expected("space_traits") if row["spaceId"] == space]
    assert served == {row["trait"] for row in rows}
    assert {row["collection"] for row in rows} == {"users"}
    assert still_get(f"/spaces/{space}/traits", collection="orders").status_code == 422


def test_schedules_are_part_of_an_audience_only_on_request(still_get: Get, still_sandbox: Sandbox) -> None:
    space = still_sandbox.segment.expected("spaces")[0]["id"]
    bare, full = (
        still_get(f"/spaces/{space}/audiences", **parameters).json()["data"]["audiences"]
        for parameters in ({}, {"include": "schedules"})
    )
    assert not any("schedules" in audience for audience in bare)
    assert any(audience.get("schedules") for audience in full)


def test_a_source_without_live_plugin_answers_404_or_null(still_get: Get, still_sandbox: Sandbox) -> None:
    having = {row["sourceId"] for row in still_sandbox.segment.expected("source_live_plugins")}
    answers = [
        still_get(f"/sources/{source['id']}/live-plugins/latest")
        for source in still_sandbox.segment.sources
        if source["id"] not in having
    ]
    assert {answer.status_code for answer in answers} == {200, 404}
    assert all(answer.json()["data"] == {"livePlugin": None} for answer in answers if answer.status_code == 200)


@pytest.mark.parametrize(
    "spelling",
    [
        "groupBy.0=source&groupBy.1=eventName",
        "groupBy=source&groupBy=eventName",
    ],
)
def test_volume_is_grouped_in_both_spellings_of_an_array(still_get: Get, spelling: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in DAY.items())
    result = still_get(f"/events/volume?{query}&{spelling}").json()["data"]["result"]
    assert result
    assert all("source" in group and "eventType" not in group for group in result)
    whole = still_get("/events/volume", **DAY).json()["data"]["result"]
    assert [group["total"] for group in whole] == [sum(group["total"] for group in result)]


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("events_volume", "/events/volume"),
        ("delivery_overview_failed_delivery", "/delivery-overview/failed-delivery"),
    ],
)
def test_series_match_the_expected_rows(still_get: Get, still_sandbox: Sandbox, stream: str, path: str) -> None:
    row = still_sandbox.segment.expected(stream)[0]
    names = [name for name in ("sourceId", "destinationConfigId") if name in row]
    groups = {"groupBy.0": "eventName", "groupBy.1": "eventType"}
    if "discardReason" in row:
        groups["groupBy.2"] = "discardReason"
    window = {**DAY, "startTime": "2026-02-10T00:00:00Z", "endTime": "2026-03-11T00:00:00Z"}
    data = still_get(path, **window, **groups, **{name: row[name] for name in names}).json()["data"]
    served = {
        (group.get("eventName", ""), group["eventType"], group.get("discardReason"), point["time"]): point["count"]
        for group in data.get("result", data.get("dataset"))
        for point in group["series"]
    }
    expected = {
        (each["eventName"], each["eventType"], each.get("discardReason"), each["time"]): each["count"]
        for each in still_sandbox.segment.expected(stream)
        if all(each[name] == row[name] for name in names) and each["time"] >= "2026-02-10"
    }
    assert served == expected


@pytest.mark.parametrize(
    ("granularity", "back", "length", "field"),
    [
        ("MINUTE", timedelta(hours=48), timedelta(hours=4), None),
        ("MINUTE", timedelta(hours=48, seconds=1), timedelta(hours=4), "startTime"),
        ("MINUTE", timedelta(hours=5), timedelta(hours=4, seconds=1), "endTime"),
        ("HOUR", timedelta(days=30), timedelta(days=14), None),
        ("HOUR", timedelta(days=30, seconds=1), timedelta(days=14), "startTime"),
        ("HOUR", timedelta(days=20), timedelta(days=14, seconds=1), "endTime"),
        ("DAY", timedelta(days=30), timedelta(days=30), None),
        ("DAY", timedelta(days=30, seconds=1), timedelta(days=30), "startTime"),
        ("DAY", timedelta(days=29), timedelta(days=30, seconds=1), "endTime"),
    ],
)
def test_delivery_overview_has_time_limits(
    still_get: Get, still_sandbox: Sandbox, granularity: str, back: timedelta, length: timedelta, field: str | None
) -> None:
    start = still_sandbox.clock.now - back
    response = still_get(
        "/delivery-overview/successfully-received",
        sourceId=still_sandbox.segment.sources[0]["id"],
        granularity=granularity,
        startTime=start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        endTime=(start + length).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    assert response.status_code == (422 if field else 200)
    assert [each.get("field") for each in response.json().get("errors", [])] == ([field] if field else [])


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/functions", "", "resourceType"),
        ("/functions", "resourceType=TRANSFORMATION", "resourceType"),
        ("/insert-function-instances", "", "functionId"),
        ("/filters", "pagination.count=5", "integrationId"),
        ("/tracking-plans", "type=DEAD", "type"),
        ("/regulations", "status=DONE", "status"),
        ("/regulations", "regulationTypes.0=DELETE", "regulationTypes"),
        ("/labels", "pagination.count=5", "pagination.count"),
        ("/events/volume", "startTime=2026-03-01T00:00:00Z&endTime=2026-03-02T00:00:00Z", "granularity"),
        ("/events/volume", "granularity=WEEK", "granularity"),
        ("/events/volume", "granularity=DAY&endTime=2026-03-02T00:00:00Z", "startTime"),
        ("/events/volume", "granularity=DAY&startTime=2026-03-02T00:00:00Z", "endTime"),
        ("/events/volume", "groupBy.0=discardReason", "groupBy"),
        ("/events/volume", "groupBy.1=source", "groupBy"),
        ("/events/volume", "groupBy[]=source", "groupBy[]"),
        ("/events/volume", "groupBy=source,eventName", "groupBy"),
        ("/delivery-overview/failed-delivery", "granularity=DAY", "sourceId"),
        ("/delivery-overview/failed-delivery", "sourceId=x", "destinationConfigId"),
        ("/delivery-overview/successfully-received", "destinationConfigId=x", "destinationConfigId"),
    ],
)
def test_a_missing_or_invalid_parameter_is_named(still_get: Get, path: str, query: str, field: str) -> None:
    response = still_get(f"{path}?{query}")
    assert (response.status_code, error(response)["field"]) == (422, field)


def test_received_events_have_no_discard_reason(still_get: Get, still_sandbox: Sandbox) -> None:
    parameters = {**DAY, "sourceId": still_sandbox.segment.sources[0]["id"], "groupBy": "discardReason"}
    rejected = still_get("/delivery-overview/successfully-received", **parameters)
    assert (rejected.status_code, error(rejected)["field"]) == (422, "groupBy")
    assert still_get("/delivery-overview/failed-on-ingest", **parameters).status_code == 200


@pytest.mark.parametrize("gate", GATES)
def test_a_feature_that_the_plan_lacks_is_forbidden(still_get: Get, still_sandbox: Sandbox, gate: str) -> None:
    world = still_sandbox.segment
    world.gates = {gate}
    try:
        for endpoint in world.endpoints:
            path, parameters = of_first_parents(world, endpoint)
            response = still_get(path, **parameters)
            assert (response.status_code == 403) is (endpoint.gate == gate), path
            if endpoint.gate == gate:
                assert "is not part of this workspace's plan" in error(response)["message"]
    finally:
        world.gates = set()


def test_an_endpoint_can_enforce_its_own_limit(get: Get, world: SegmentWorld) -> None:
    warehouse, other = world.warehouses[0]["id"], world.warehouses[-1]["id"]
    assert get(f"/warehouses/{warehouse}/syncs").status_code == 200
    world.endpoint_limits = True
    statuses = [get(f"/warehouses/{each}/syncs").status_code for each in (warehouse, other, warehouse)]
    assert statuses == [200, 200, 429]
    rejected = get(f"/warehouses/{warehouse}/syncs")
    data = error(rejected)["data"]
    assert (data["remainingPoints"], data["consumedPoints"]) == (0, 4)
    assert 0 < data["msBeforeNext"] <= 60_000
    assert "Retry-After" not in rejected.headers
    assert get(f"/warehouses/{warehouse}/connected-sources").status_code == 200


def test_children_of_a_removed_object_are_not_found(get: Get, world: SegmentWorld) -> None:
    for endpoint in world.endpoints:
        path, parameters = of_first_parents(world, endpoint)
        if isinstance(endpoint, OfParents) and "{" in endpoint.path:
            world.removed_ids = set(next(iter(endpoint.of(world.clock.now))).values())
            assert get(path, **parameters).status_code == 404, path
