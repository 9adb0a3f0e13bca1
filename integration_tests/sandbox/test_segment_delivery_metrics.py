from datetime import datetime, timedelta

import pytest
import requests

from integration_tests.sandbox.segment_client import Get
from sandbox.api.timeline import Record
from sandbox.server import Sandbox


@pytest.fixture(scope="module")
def destinations(still_sandbox: Sandbox) -> dict[str, Record]:
    """A destination for each delivery mode."""
    world = still_sandbox.segment
    return {world.catalog.delivery_mode(record["metadata"]["id"]): record for record in world.destinations}


def ago(sandbox: Sandbox, **time: float) -> str:
    moment: datetime = sandbox.clock.now - timedelta(**time)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def metrics(get: Get, destination: Record, **parameters: str) -> requests.Response:
    return get(f"/destinations/{destination['id']}/delivery-metrics", **parameters)


def test_the_metrics_of_a_day_match_the_expected_rows(still_get: Get, still_sandbox: Sandbox) -> None:
    for row in still_sandbox.segment.expected("destination_delivery_metrics_summary")[:30]:
        names = ("sourceId", "startTime", "endTime", "granularity")
        response = metrics(still_get, {"id": row["destinationId"]}, **{name: row[name] for name in names})
        added = {name: row[name] for name in ("destinationId", *names)}
        assert {**response.json()["data"]["deliveryMetricsSummary"], **added} == row


@pytest.mark.parametrize("mode", ["device", "storage"])
def test_a_mode_without_event_delivery_is_rejected_without_a_field(
    still_get: Get, destinations: dict[str, Record], mode: str
) -> None:
    response = metrics(still_get, destinations[mode], sourceId=destinations[mode]["sourceId"])
    (error,) = response.json()["errors"]
    assert response.status_code == 422
    assert mode in error["message"]
    assert "field" not in error


@pytest.mark.parametrize("parameters", [{}, {"sourceId": "another"}])
def test_the_destinations_own_source_is_required(
    still_get: Get, destinations: dict[str, Record], parameters: dict[str, str]
) -> None:
    response = metrics(still_get, destinations["cloud"], **parameters)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "sourceId")


@pytest.mark.parametrize(
    ("granularity", "start", "length", "field"),
    [
        ("MINUTE", timedelta(hours=48), timedelta(hours=4), None),
        ("MINUTE", timedelta(hours=48, seconds=1), timedelta(hours=4), "startTime"),
        ("MINUTE", timedelta(hours=5), timedelta(hours=4, seconds=1), "endTime"),
        ("HOUR", timedelta(days=7), timedelta(days=7), None),
        ("HOUR", timedelta(days=7, seconds=1), timedelta(days=1), "startTime"),
        ("DAY", timedelta(days=14), timedelta(days=14), None),
        ("DAY", timedelta(days=14, seconds=1), timedelta(days=1), "startTime"),
        ("DAY", timedelta(days=13), timedelta(days=14, seconds=1), "endTime"),
        ("DAY", timedelta(days=1), -timedelta(days=1), "endTime"),
        ("WEEK", timedelta(days=1), timedelta(days=1), "granularity"),
    ],
)
def test_each_granularity_has_its_limits(
    still_get: Get,
    still_sandbox: Sandbox,
    destinations: dict[str, Record],
    granularity: str,
    start: timedelta,
    length: timedelta,
    field: str | None,
) -> None:
    response = metrics(
        still_get,
        destinations["actions"],
        sourceId=destinations["actions"]["sourceId"],
        granularity=granularity,
        startTime=ago(still_sandbox, seconds=start.total_seconds()),
        endTime=ago(still_sandbox, seconds=(start - length).total_seconds()),
    )
    assert response.status_code == (422 if field else 200)
    assert [error.get("field") for error in response.json().get("errors", [])] == ([field] if field else [])


@pytest.mark.parametrize(("granularity", "status"), [("MINUTE", 200), ("HOUR", 200), ("DAY", 422)])
def test_the_default_start_of_a_day_is_beyond_its_own_limit(
    still_get: Get, destinations: dict[str, Record], granularity: str, status: int
) -> None:
    destination = destinations["cloud"]
    response = metrics(still_get, destination, sourceId=destination["sourceId"], granularity=granularity)
    assert response.status_code == status
