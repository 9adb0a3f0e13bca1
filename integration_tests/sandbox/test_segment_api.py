"""The simulated Segment Public API as a client sees it."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from integration_tests.sandbox.segment_client import Get, error, pages
from sandbox.segment.world import SegmentWorld
from sandbox.server import Sandbox

# stream, path, key of the list, what `next` is on the last page, whether pages have totalEntries
LISTS = [
    ("audit_events", "/audit-events", "events", "absent", False),
    ("catalog_destinations", "/catalog/destinations", "destinationsCatalog", "absent", True),
    ("catalog_sources", "/catalog/sources", "sourcesCatalog", "absent", False),
    ("catalog_warehouses", "/catalog/warehouses", "warehousesCatalog", None, True),
    ("destinations", "/destinations", "destinations", "absent", True),
    ("groups", "/groups", "userGroups", "", False),
    ("sources", "/sources", "sources", None, True),
    ("transformations", "/transformations", "transformations", "absent", True),
    ("users", "/users", "users", None, False),
    ("warehouses", "/warehouses", "warehouses", "absent", True),
]
USAGE = [
    ("usage_api_calls_per_source_daily", "/usage/api-calls/sources/daily", "dailyPerSourceAPICallsUsage"),
    ("usage_api_calls_workspace_daily", "/usage/api-calls/daily", "dailyWorkspaceAPICallsUsage"),
    ("usage_mtu_per_source_daily", "/usage/mtu/sources/daily", "dailyPerSourceMTUUsage"),
    ("usage_mtu_workspace_daily", "/usage/mtu/daily", "dailyWorkspaceMTUUsage"),
]
PATHS = [path for _, path, *_ in LISTS]


def test_the_root_is_the_workspace(still_get: Get, still_sandbox: Sandbox) -> None:
    assert still_get("/").json() == {"data": {"workspace": still_sandbox.segment.expected("workspace")[0]}}


@pytest.mark.parametrize(("stream", "path", "key", "last_next", "has_total"), LISTS)
def test_a_list_pages_to_its_end(
    still_get: Get, still_sandbox: Sandbox, stream: str, path: str, key: str, last_next: str | None, *, has_total: bool
) -> None:
    expected = still_sandbox.segment.expected(stream)
    count = min(1000, len(expected) // 4)
    walked = list(pages(still_get, path, **{"pagination[count]": count}))
    assert [row for page in walked for row in page[key]] == expected
    assert len(walked) >= 4
    assert walked[-1]["pagination"].get("next", "absent") == last_next
    assert all(("totalEntries" in page["pagination"]) is has_total for page in walked)
    assert "previous" not in walked[0]["pagination"]
    assert walked[2]["pagination"]["previous"] == walked[1]["pagination"]["current"]


@pytest.mark.parametrize("path", PATHS)
def test_both_spellings_of_the_paging_parameters_are_understood(still_get: Get, path: str) -> None:
    first = still_get(path, **{"pagination.count": 3}).json()["data"]
    cursor = first["pagination"]["next"]
    dotted, bracketed = (
        still_get(path, **{spelling.format("count"): 3, spelling.format("cursor"): cursor}).json()
        for spelling in ("pagination.{}", "pagination[{}]")
    )
    assert dotted == bracketed
    assert dotted["data"] != first


def test_a_page_has_200_records_unless_more_are_requested(still_get: Get) -> None:
    sizes = [
        len(still_get("/catalog/destinations", **parameters).json()["data"]["destinationsCatalog"])
        for parameters in ({}, {"pagination.count": 1000})
    ]
    assert sizes == [200, 1000]


@pytest.mark.parametrize(("stream", "path", "key"), USAGE)
def test_usage_of_a_period_is_served(still_get: Get, still_sandbox: Sandbox, stream: str, path: str, key: str) -> None:
    month = still_sandbox.clock.now.strftime("%Y-%m-01")
    rows = [row for page in pages(still_get, path, period=month) for row in page[key]]
    assert [{**row, "period": month} for row in rows] == [
        row for row in still_sandbox.segment.expected(stream) if row["period"] == month
    ]
    assert still_get(path, period=f"{month}T00:00:00.000Z").json()["data"][key] == rows[:200]
    assert still_get(path, period="2099-01-01").json()["data"][key] == []


def test_children_are_served_below_their_parents(still_get: Get, still_sandbox: Sandbox) -> None:
    world = still_sandbox.segment
    warehouses, destinations, subscriptions = [], [], []
    for source in world.sources:
        for page in pages(still_get, f"/sources/{source['id']}/connected-warehouses"):
            warehouses += [{**row, "sourceId": source["id"]} for row in page["warehouses"]]
        for page in pages(still_get, f"/sources/{source['id']}/connected-destinations"):
            destinations += page["destinations"]
    for destination in world.destinations:
        for page in pages(still_get, f"/destinations/{destination['id']}/subscriptions"):
            subscriptions += page["subscriptions"]
    assert warehouses == world.expected("source_connected_warehouses")
    assert destinations == world.expected("source_connected_destinations")
    assert subscriptions == world.expected("destination_subscriptions")


@pytest.mark.parametrize(
    "authorization",
    [None, "", "sandbox-token-us", "Bearer", "Bearer nonsense", "Bearer sandbox-token-eu", "Basic sandbox-token-us"],
)
def test_only_the_token_of_the_region_is_accepted(
    still_sandbox: Sandbox, session: requests.Session, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = session.get(f"{still_sandbox.url}/segment/us/sources", headers=headers, timeout=10)
    assert response.status_code == 401
    assert "token" in error(response)["message"]


def test_the_eu_has_its_own_token(still_sandbox: Sandbox, session: requests.Session) -> None:
    headers = {"Authorization": "Bearer sandbox-token-eu"}
    assert session.get(f"{still_sandbox.url}/segment/eu/", headers=headers, timeout=10).status_code == 200


@pytest.mark.parametrize(
    "path", ["/nope", "/sources/", "//sources", "/sources/x/connected-warehouses", "/destinations/x/subscriptions"]
)
def test_an_unknown_path_or_object_is_not_found(still_get: Get, path: str) -> None:
    response = still_get(path)
    assert response.status_code == 404
    assert error(response)["type"] == "NotFound"


def test_the_api_is_read_only(still_sandbox: Sandbox, session: requests.Session) -> None:
    headers = {"Authorization": "Bearer sandbox-token-us"}
    response = session.post(f"{still_sandbox.url}/segment/us/sources", json={}, headers=headers, timeout=10)
    assert response.status_code == 405
    assert error(response)["type"] == "MethodNotAllowed"


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/sources", "pagination.count=0", "pagination.count"),
        ("/sources", "pagination[count]=1001", "pagination.count"),
        ("/sources", "pagination[count]=ten", "pagination.count"),
        ("/sources", "pagination[count]=", "pagination.count"),
        ("/sources", "pagination[count]=5&pagination.count=5", "pagination.count"),
        ("/sources", "pagination[count]=5&pagination[count]=5", "pagination[count]"),
        ("/sources", "pagination[cursor]=", "pagination.cursor"),
        ("/sources", "pagination[cursor]=MA==", "pagination.cursor"),
        ("/sources", "pagination[cursor]=%C3%A9", "pagination.cursor"),
        ("/sources", "page=2", "page"),
        ("/", "pagination.count=5", "pagination.count"),
        ("/usage/mtu/daily", "", "period"),
        ("/usage/mtu/daily", "period=2026-02-02", "period"),
        ("/usage/mtu/daily", "period=2026-02-30", "period"),
        ("/usage/mtu/daily", "period=02/01/2026", "period"),
        ("/usage/mtu/daily", "period=2026-02-01T00:00:01Z", "period"),
        ("/usage/mtu/daily", "period=2026-02-01T00:00:00", "period"),
        ("/audit-events", "startTime=yesterday", "startTime"),
        ("/audit-events", "startTime=2026-02-01", "startTime"),
        ("/audit-events", "startTime=0001-01-01T00:00:00%2B14:00", "startTime"),
        ("/audit-events", "startTime=2020-01-01T00:00:00Z", "startTime"),
        ("/audit-events", "startTime=2099-01-02T00:00:00Z&endTime=2099-01-01T00:00:00Z", "endTime"),
        ("/audit-events", "updated_since=2026-02-01T00:00:00Z", "updated_since"),
    ],
)
def test_a_bad_parameter_is_rejected(still_get: Get, path: str, query: str, field: str) -> None:
    response = still_get(f"{path}?{query}")
    assert response.status_code == 422
    assert error(response)["type"] == "input-validation"
    assert error(response)["field"] == field


@pytest.mark.parametrize("path", ["/users", "/usage/mtu/daily?period=2026-02-01", "/audit-events"])
def test_a_cursor_of_another_list_is_rejected(still_get: Get, path: str) -> None:
    cursor = still_get("/catalog/sources").json()["data"]["pagination"]["next"]
    response = still_get(path, **{"pagination.cursor": cursor})
    assert (response.status_code, error(response)["field"]) == (422, "pagination.cursor")


def test_new_audit_events_do_not_shift_later_pages(sandbox: Sandbox, get: Get) -> None:
    start = sandbox.clock.now - timedelta(days=80)
    expected = sandbox.segment.expected("audit_events", start)
    walked = []
    for page in pages(get, "/audit-events", startTime=start.strftime("%Y-%m-%dT%H:%M:%SZ")):
        walked += page["events"]
        sandbox.clock.advance(timedelta(hours=1))
    assert walked == expected
    assert get("/audit-events").json()["data"]["events"][0] != expected[0]


def test_audit_events_are_filtered_by_both_times_inclusive_and_by_resource(
    still_get: Get, still_sandbox: Sandbox
) -> None:
    events = still_sandbox.segment.expected("audit_events")
    newest, oldest = events[100], events[150]
    window = {"startTime": oldest["timestamp"], "endTime": newest["timestamp"]}
    served = still_get("/audit-events", **window).json()["data"]["events"]
    assert served[0]["timestamp"] == newest["timestamp"]
    assert served[-1]["timestamp"] == oldest["timestamp"]
    assert newest in served
    assert oldest in served
    resource = {"resourceId": newest["resourceId"], "resourceType": newest["resourceType"]}
    assert still_get("/audit-events", **window, **resource).json()["data"]["events"] == [newest]


def test_successes_carry_the_rate_limit(get: Get, world: SegmentWorld) -> None:
    world.rate_limit = 10
    get("/")
    headers = get("/sources").headers
    assert (headers["X-RateLimit-Consumed"], headers["X-RateLimit-Remaining"]) == ("2", "8")
    assert headers["X-RateLimit-Reset"].endswith("GMT")
    assert parsedate_to_datetime(headers["X-RateLimit-Reset"])


@pytest.mark.parametrize("token_limited", [False, True])
def test_too_many_requests_get_the_time_to_retry(get: Get, world: SegmentWorld, *, token_limited: bool) -> None:
    world.rate_limit, world.token_limited = 2, token_limited
    assert [get("/").status_code for _ in range(3)] == [200, 200, 429]
    response = get("/")
    data = error(response)["data"]
    assert error(response)["type"] == "RequestError"
    assert (data["remainingPoints"], data["consumedPoints"]) == (0, 4)
    assert 0 < data["msBeforeNext"] <= 60_000
    assert ("Retry-After" in response.headers) is token_limited
    if token_limited:
        assert 0 < int(response.headers["Retry-After"]) <= 60


def test_children_of_a_deleted_parent_are_not_found(get: Get, world: SegmentWorld) -> None:
    source, destination = world.sources[0]["id"], world.destinations[0]["id"]
    world.removed_ids = {source, destination}
    assert source in {row["id"] for row in get("/sources").json()["data"]["sources"]}
    for path in (f"/sources/{source}/connected-warehouses", f"/sources/{source}/connected-destinations"):
        assert get(path).status_code == 404
    for path in (f"/destinations/{destination}/subscriptions", f"/destinations/{destination}/delivery-metrics"):
        assert get(path).status_code == 404


def test_an_endpoint_can_send_smaller_pages(get: Get, world: SegmentWorld) -> None:
    world.largest_count = 200
    assert get("/users", **{"pagination.count": 200}).status_code == 200
    response = get("/users", **{"pagination.count": 201})
    assert (response.status_code, error(response)["field"]) == (422, "pagination.count")
