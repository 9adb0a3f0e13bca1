"""Metrics of the simulated Customer.io API as a client sees them."""

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest

from integration_tests.sandbox.customerio_client import Ask, rejected
from sandbox.server import Sandbox

DAY = 24 * 3600


@pytest.mark.parametrize(("steps", "days"), [({}, 45), ({"steps": 0}, 45), ({"steps": 1}, 2), ({"steps": 7}, 7)])
@pytest.mark.parametrize(
    "path", ["broadcasts/1/metrics", "newsletters/1/contents/2/metrics", "transactional/1/metrics"]
)
def test_steps_are_at_least_two_and_45_by_default(ask: Ask, path: str, steps: dict[str, int], days: int) -> None:
    series = ask(path, **steps).json()["metric"]["series"]

    assert {len(numbers) for numbers in series.values()} == {days}
    assert ("2xx" in series) is not path.startswith("transactional")


def test_more_steps_add_older_days(ask: Ask) -> None:
    few, many = (ask("newsletters/2/metrics", steps=steps).json()["metric"]["series"] for steps in (5, 40))

    assert {name: numbers[-5:] for name, numbers in many.items()} == few


@pytest.mark.parametrize(
    ("path", "parameters", "detail"),
    [
        ("campaigns/1/metrics", {}, "version must be 1 or 2"),
        ("campaigns/1/metrics", {"version": 2}, "res must be days"),
        ("campaigns/1/metrics", {"version": 2, "res": "days"}, "start and end are required"),
        ("campaigns/1/metrics", {"version": 2, "res": "days", "start": 5, "end": 4}, "end must lie within ten years"),
        (
            "campaigns/1/metrics",
            {"version": 2, "res": "days", "start": 0, "end": 3654 * DAY},
            "end must lie within ten years",
        ),
        ("campaigns/1/journey_metrics", {"res": "days", "start": 0}, "start and end are required"),
        ("campaigns/1/journey_metrics", {"start": 0, "end": 5}, "res must be days"),
        ("broadcasts/1/metrics", {"steps": 46}, "steps must not exceed 45"),
        ("broadcasts/1/metrics", {"steps": "x"}, "steps must be an integer"),
        ("broadcasts/1/metrics/links", {"period": "day"}, "period must be days"),
        ("broadcasts/x/metrics", {}, "x is not an id"),
        ("campaigns/1/actions/x/metrics/links", {}, "x is not an id"),
    ],
)
def test_invalid_parameters_are_rejected(ask: Ask, path: str, parameters: dict[str, str | int], detail: str) -> None:
    assert rejected(ask(path, **parameters), 400).startswith(detail)


@pytest.mark.parametrize(
    "path",
    ["broadcasts/999/metrics", "campaigns/1/actions/201/metrics/links", "newsletters/1/contents/4/metrics"],
)
def test_metrics_of_missing_objects_are_not_found(ask: Ask, path: str) -> None:
    rejected(ask(path), 404)


def test_the_days_of_the_two_versions_are_five_hours_apart(ask: Ask, sandbox: Sandbox) -> None:
    now = sandbox.customerio.now
    start = now // DAY * DAY - 9 * DAY
    by_date = {"version": 2, "res": "days", "start": start, "end": now}

    in_utc, in_est = (
        ask("campaigns/1/metrics", **by_date, tz=zone).json()["metric"]["series"]["sent"] for zone in ("UTC", "EST")
    )

    assert len(in_utc) == 10
    assert len(in_est) == 10 + (now % DAY >= 5 * 3600)


def test_links_that_nobody_clicked_are_not_listed(ask: Ask) -> None:
    links = ask("newsletters/1/metrics/links").json()["links"]

    assert links is None or all(len(link["metric"]["series"]["clicked"]) == 45 for link in links)


def test_responses_have_the_sandboxs_date(ask: Ask, sandbox: Sandbox) -> None:
    before = parsedate_to_datetime(ask("workspaces").headers["Date"])
    sandbox.clock.advance(timedelta(days=1))
    after = parsedate_to_datetime(ask("workspaces").headers["Date"])

    assert abs(before - sandbox.clock.now + timedelta(days=1)) <= timedelta(minutes=2)
    assert timedelta(hours=23) < after - before < timedelta(hours=25)
    assert after < datetime.now(timezone.utc)
