"""The simulated Segment Public API in each position of its switches."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any

import pytest

from integration_tests.sandbox.segment_client import Get, error
from sandbox.api.cursors import Cursors
from sandbox.api.endpoints import Listing
from sandbox.clock import Clock
from sandbox.segment.world import SegmentWorld
from sandbox.server import Sandbox

PAGED = {
    endpoint.path: endpoint.paging
    for endpoint in SegmentWorld(Clock(), seed=1, scale=0.01).endpoints
    if isinstance(endpoint, Listing) and isinstance(endpoint.paging, Cursors)
}
WINDOW = {"granularity": "DAY", "startTime": "2026-03-01T00:00:00Z"}


def first_request(world: SegmentWorld, path: str) -> tuple[str, dict[str, Any]]:
    """The path and required parameters for the parent with the most records."""
    endpoint = next(each for each in world.endpoints if isinstance(each, Listing) and each.path == path)
    now = world.clock.now
    arguments = max(endpoint.of(now), key=lambda each: len(endpoint.records(each, now)))
    return path.format(**arguments), {name: arguments[name] for name in endpoint.required}


def walked(get: Get, path: str, count: int, most: int = 50) -> list[dict[str, Any]]:
    """The `data` of up to `most` pages."""
    pages, cursor = [], {}
    while len(pages) < most:
        pages.append(get(path, **{"pagination.count": count}, **cursor).json()["data"])
        following = pages[-1]["pagination"].get("next")
        if not following:
            break
        cursor = {"pagination.cursor": following}
    return pages


@pytest.fixture
def still_world(still_sandbox: Sandbox) -> Iterator[SegmentWorld]:
    """A workspace of the usual size, whose switches are reset afterwards."""
    usual = still_sandbox.segment.switches()
    yield still_sandbox.segment
    still_sandbox.segment.change(usual)


@pytest.mark.parametrize("path", PAGED)
def test_pagination_is_required_where_the_documents_say_so(
    still_get: Get, still_world: SegmentWorld, path: str
) -> None:
    still_world.pagination_required = True
    url, parameters = first_request(still_world, path)
    counted = {"count" if PAGED[path].flat else "pagination.count": 5}

    without, paged = still_get(url, **parameters), still_get(url, **parameters, **counted)

    assert without.status_code == (422 if PAGED[path].required else 200)
    assert paged.status_code == 200


@pytest.mark.parametrize("path", PAGED)
def test_every_list_can_be_read_in_pages_of_one(still_get: Get, still_world: SegmentWorld, path: str) -> None:
    still_world.largest_page = 1
    endpoint = next(each for each in still_world.endpoints if isinstance(each, Listing) and each.path == path)
    url, parameters = first_request(still_world, path)
    name = "cursor" if PAGED[path].flat else "pagination.cursor"

    first = still_get(url, **parameters).json()["data"]
    second = still_get(url, **parameters, **{name: first["pagination"]["next"]}).json()["data"]

    assert [len(page[endpoint.key]) for page in (first, second)] == [1, 1]
    assert first["pagination"]["current"] != second["pagination"]["current"]


@pytest.mark.parametrize(("after", "count"), [("nothing", 2), ("empty", 3), ("own cursor", 7), ("endless", 7)])
def test_pages_after_the_last(still_get: Get, still_world: SegmentWorld, after: str, count: int) -> None:
    total = len(still_world.expected("groups"))
    still_world.change({"after_last_page": after})

    pages = walked(still_get, "/groups", total - 1, most=7)
    cursors = [page["pagination"]["current"] for page in pages]

    assert [len(page["userGroups"]) for page in pages] == [total - 1, 1] + [0] * (count - 2)
    assert len(set(cursors)) == (3 if after == "own cursor" else count)


def test_records_can_be_on_two_pages(still_get: Get, still_world: SegmentWorld) -> None:
    still_world.repeat_records = True
    pages = [page["users"] for page in walked(still_get, "/users", 50)]

    assert all(second[0] == first[-1] for first, second in pairwise(pages))
    assert {row["id"] for page in pages for row in page} == {row["id"] for row in still_world.expected("users")}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_missing_feature_has_one_of_three_statuses(still_get: Get, still_world: SegmentWorld, status: int) -> None:
    still_world.change({"gates": ["spaces"], "gate_status": status})

    assert still_get("/spaces").status_code == status
    assert still_get("/labels").status_code == 200


def test_a_validation_error_can_omit_the_parameter(still_get: Get, still_world: SegmentWorld) -> None:
    still_world.validation_errors = "documented"

    response = still_get("/functions")

    assert response.status_code == 422
    assert error(response) == {"type": "ValidationFailure", "message": "Validation failure"}


def test_a_type_of_functions_can_be_rejected(still_get: Get, still_world: SegmentWorld) -> None:
    still_world.change({"rejected_function_types": ["INSERT_SOURCE"]})

    statuses = [still_get("/functions", resourceType=kind).status_code for kind in ("INSERT_SOURCE", "SOURCE")]

    assert statuses == [422, 200]


@pytest.mark.parametrize(("form", "value"), [("word", "unlimited"), ("absent", None)])
def test_the_remaining_limit_is_not_always_a_number(
    still_get: Get, still_world: SegmentWorld, form: str, value: str | None
) -> None:
    still_world.change({"rate_limit_remaining": form})

    assert still_get("/labels").headers.get("X-RateLimit-Remaining") == value


@pytest.mark.parametrize("path", ["/events/volume", "/audit-events", "/delivery-overview/successfully-received"])
def test_the_future_can_be_rejected_by_a_clock_that_is_behind(
    still_get: Get, still_world: SegmentWorld, path: str
) -> None:
    still_world.change({"seconds_behind": 90, "reject_future": True})
    window = WINDOW if path != "/audit-events" else {"startTime": WINDOW["startTime"]}
    window |= {"sourceId": still_world.sources[0]["id"]} if "overview" in path else {}
    now = still_world.clock.now

    answers = {
        behind: still_get(path, **window, endTime=(now - timedelta(seconds=behind)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for behind in (0, 89, 90)
    }

    assert [answer.status_code for answer in answers.values()] == [422, 422, 200]
    assert error(answers[0])["field"] == "endTime"
    assert parsedate_to_datetime(answers[0].headers["Date"]) == now - timedelta(seconds=90)


def test_times_can_have_microseconds_and_an_offset(still_get: Get, still_world: SegmentWorld) -> None:
    path = "/regulations"
    usual = still_get(path).json()["data"]["regulations"][0]["createdAt"]
    still_world.times = "microseconds"

    written = still_get(path).json()["data"]["regulations"][0]["createdAt"]

    assert usual.endswith("Z")
    assert written == usual.removesuffix("Z") + "+00:00"


@pytest.mark.parametrize("groups", [(), ("subscriptionId",), ("activationId", "audienceId", "spaceId")])
@pytest.mark.parametrize("granularity", ["DAY", "HOUR"])
def test_delivery_overview_by_hour_and_by_sender(
    still_get: Get, still_world: SegmentWorld, granularity: str, groups: tuple[str, ...]
) -> None:
    stream = "delivery_overview_successful_delivery"
    rows = still_world.expected(stream, granularity=granularity, groups=groups)
    row = next((each for each in rows if all(each[name] for name in groups)), rows[0])
    names = ("eventName", "eventType", "discardReason", *groups)
    start = still_world.clock.now - timedelta(days=13)
    window = {
        "granularity": granularity,
        "startTime": start.strftime("%Y-%m-%dT00:00:00Z"),
        "endTime": still_world.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }

    dataset = still_get(
        "/delivery-overview/successful-delivery",
        **window,
        **{name: row[name] for name in ("sourceId", "destinationConfigId")},
        **{f"groupBy.{number}": name for number, name in enumerate(names)},
    ).json()["data"]["dataset"]

    served = {
        (*(group.get(name, "") for name in names), point["time"]): point["count"]
        for group in dataset
        for point in group["series"]
    }
    expected = {
        (*(each[name] for name in names), each["time"]): each["count"]
        for each in rows
        if each["destinationConfigId"] == row["destinationConfigId"] and each["time"] >= window["startTime"][:10]
    }
    assert served == expected
    assert served


def test_delivery_overview_can_omit_the_names_of_its_groups(still_get: Get, still_world: SegmentWorld) -> None:
    rows = still_world.expected("delivery_overview_successful_delivery", groups=("subscriptionId",))
    row = next(each for each in rows if each["subscriptionId"])
    still_world.unnamed_groups = True

    dataset = still_get(
        "/delivery-overview/successful-delivery",
        granularity="DAY",
        startTime=(still_world.clock.now - timedelta(days=13)).strftime("%Y-%m-%dT00:00:00Z"),
        endTime=still_world.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{name: row[name] for name in ("sourceId", "destinationConfigId")},
        **{"groupBy.0": "eventType", "groupBy.1": "subscriptionId"},
    ).json()["data"]["dataset"]

    assert dataset
    assert not any("subscriptionId" in group for group in dataset)


def test_senders_of_events_exist(still_world: SegmentWorld) -> None:
    groups = ("subscriptionId", "activationId", "audienceId", "spaceId")
    rows = still_world.expected("delivery_overview_successful_delivery", groups=groups)

    for field, stream in (
        ("subscriptionId", "destination_subscriptions"),
        ("activationId", "audience_activations"),
        ("audienceId", "audiences"),
        ("spaceId", "spaces"),
    ):
        named = {row[field] for row in rows} - {""}
        assert named
        assert named <= {row["id"] for row in still_world.expected(stream)}


def test_the_numbers_of_sources_and_destinations_can_be_set() -> None:
    world = SegmentWorld(Clock(), seed=1, scale=0.1, sources=300, destinations=40)

    assert (len(world.sources), len(world.destinations)) == (300, 40)
