"""The metrics of the simulated Customer.io workspace: consistent with its deliveries, and growing."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from sandbox.clock import Clock
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.metrics import Metrics
from sandbox.customerio.periods import http_date
from sandbox.customerio.world import CustomerioWorld
from unit_tests.sandbox.conftest import NOW

ENDPOINTS = {
    endpoint.stream: endpoint
    for endpoint in CustomerioWorld(Clock(NOW), seed=7, scale=0.01).endpoints
    if isinstance(endpoint, Metrics)
}
STREAMS = list(ENDPOINTS)
per_stream = pytest.mark.parametrize("stream", STREAMS)


@pytest.fixture(scope="module")
def still() -> CustomerioWorld:
    """A workspace that no test changes."""
    return CustomerioWorld(Clock(NOW), seed=7, scale=1)


@pytest.fixture(scope="module")
def later() -> CustomerioWorld:
    """The same workspace two days later."""
    clock = Clock(NOW)
    world = CustomerioWorld(clock, seed=7, scale=1)
    clock.advance(timedelta(days=2))
    return world


def key_of(stream: str, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ENDPOINTS[stream].primary_key)


def totals(rows: list[dict[str, Any]], metric: str, *keys: str) -> Counter[Any]:
    """The sum of a metric for each value of the keys."""
    found: Counter[Any] = Counter()
    for row in rows:
        found[row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys)] += row[metric]
    return +found


def test_every_metric_of_the_api_is_present() -> None:
    senders = ["campaign", "campaign_action", "broadcast", "broadcast_action", "newsletter", "newsletter_variant"]
    kinds = [f"{sender}{kind}" for sender in [*senders, "transactional"] for kind in ("_metrics", "_link_metrics")]
    assert sorted(STREAMS) == sorted([*kinds, "campaign_journey_metrics"])


@per_stream
def test_every_day_with_counts_has_one_row(still: CustomerioWorld, stream: str) -> None:
    rows, by_date = still.expected(stream), "campaign" in stream and "link" not in stream

    assert rows
    assert max(Counter(key_of(stream, row) for row in rows).values()) == 1
    for row in rows:
        assert row["period_start"].endswith("T00:00:00Z" if by_date else "T05:00:00Z")
        assert any(value for name, value in row.items() if isinstance(value, int) and not name.endswith("_id"))


def test_the_metrics_of_a_campaign_are_those_of_its_deliveries(still: CustomerioWorld) -> None:
    created = {campaign["id"]: campaign["created"] for campaign in still.expected("campaigns")}
    sent = Counter(
        delivery.origin["campaign_id"]
        for delivery in still.messages.between(0, still.now)
        if delivery.created >= created.get(delivery.origin.get("campaign_id"), still.now + 1)
        and delivery.metrics.get("sent", still.now + 1) <= still.now
    )

    assert totals(still.expected("campaign_metrics"), "sent", "campaign_id") == sent


@pytest.mark.parametrize("kind", ["campaign", "broadcast"])
def test_the_metrics_of_the_actions_add_up_to_those_of_their_campaign(still: CustomerioWorld, kind: str) -> None:
    by_day = ("delivered", f"{kind}_id", "period_start")

    assert totals(still.expected(f"{kind}_action_metrics"), *by_day) == totals(
        still.expected(f"{kind}_metrics"), *by_day
    )


@per_stream
def test_counts_grow_after_their_day_and_are_final_after_a_month(
    still: CustomerioWorld, later: CustomerioWorld, stream: str
) -> None:
    before, after = ({key_of(stream, row): row for row in world.expected(stream)} for world in (still, later))

    month_ago = (NOW - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    changed = {row["period_start"] for key, row in after.items() if before.get(key) != row}
    assert changed
    assert all(day > month_ago for day in changed)
    for key in before.keys() & after.keys():
        assert all(after[key][name] >= value for name, value in before[key].items() if isinstance(value, int))


def test_responses_have_the_sandboxs_date_but_never_one_right_after_midnight_est() -> None:
    assert http_date(1795348800, Behaviour()) == "Sun, 22 Nov 2026 12:00:00 GMT"
    assert http_date(1795323599, Behaviour()) == "Sun, 22 Nov 2026 04:59:59 GMT"
    assert http_date(1795323600, Behaviour()) == "Sun, 22 Nov 2026 05:02:00 GMT"
    assert http_date(1795323700, Behaviour()) == "Sun, 22 Nov 2026 05:02:00 GMT"
    assert http_date(1795323721, Behaviour()) == "Sun, 22 Nov 2026 05:02:01 GMT"
