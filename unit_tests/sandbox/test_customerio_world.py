"""The content of the simulated Customer.io workspace, and how it changes over time."""

from collections import Counter
from datetime import timedelta

import pytest

from sandbox.clock import Clock
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.world import CustomerioWorld
from unit_tests.sandbox.conftest import NOW

DAY = 24 * 3600
STREAMS = [
    "activities",
    "broadcasts",
    "campaigns",
    "collections",
    "customers",
    "eps_suppression",
    "exports",
    "ip_addresses",
    "messages",
    "newsletters",
    "reporting_webhooks",
    "segments",
    "sender_identities",
    "snippets",
    "topics",
    "transactional_messages",
    "types",
    "workspaces",
]


@pytest.fixture(scope="module")
def full_workspace() -> CustomerioWorld:
    """A workspace of the usual size that no test changes."""
    return CustomerioWorld(Clock(NOW), seed=7, scale=1)


@pytest.fixture
def workspace(clock: Clock) -> CustomerioWorld:
    """A smaller workspace; `clock` advances its time."""
    return CustomerioWorld(clock, seed=7, scale=0.05)


def test_the_workspace_has_the_volume_of_a_real_one(full_workspace: CustomerioWorld) -> None:
    counts = {stream: len(full_workspace.expected(stream)) for stream in STREAMS}

    assert counts["customers"] == 20_000
    assert counts["messages"] == pytest.approx(30_000, rel=0.01)
    assert counts["activities"] == 5_000
    assert counts["newsletters"] == 240
    assert counts["campaigns"] == 40
    assert counts["eps_suppression"] == 2 * 1_500  # each address, for the account and for its domain
    assert all(counts.values())


def test_people_have_every_combination_of_identifiers(full_workspace: CustomerioWorld) -> None:
    known = Counter(
        (person["identifiers"]["id"] is not None, person["identifiers"]["email"] is not None)
        for person in full_workspace.expected("customers")
    )

    assert set(known) == {(True, True), (True, False), (False, True), (False, False)}


def test_deliveries_span_eight_months(full_workspace: CustomerioWorld) -> None:
    created = [row["created"] for row in full_workspace.expected("messages")]

    assert full_workspace.now - min(created) == pytest.approx(240 * DAY, rel=0.01)
    assert max(created) <= full_workspace.now


def test_suppressions_cover_four_types_and_two_domains(full_workspace: CustomerioWorld) -> None:
    found = {(row["suppression_type"], row["domain"]) for row in full_workspace.expected("eps_suppression")}

    assert len(found) == 4 * 3


def test_senders_are_visible_and_hidden(full_workspace: CustomerioWorld) -> None:
    assert {row["hidden"] for row in full_workspace.expected("sender_identities")} == {True, False}


@pytest.mark.parametrize(
    "stream",
    ["activities", "customers", "eps_suppression", "messages", "newsletters", "sender_identities", "campaigns"],
)
def test_in_two_days_rows_appear(clock: Clock, workspace: CustomerioWorld, stream: str) -> None:
    before = keys(workspace, stream)
    clock.advance(timedelta(days=2))

    assert keys(workspace, stream) - before


@pytest.mark.parametrize("stream", ["customers", "eps_suppression"])
def test_in_two_days_rows_vanish(clock: Clock, workspace: CustomerioWorld, stream: str) -> None:
    before = keys(workspace, stream)
    clock.advance(timedelta(days=2))

    assert before - keys(workspace, stream)


@pytest.mark.parametrize(("stream", "stamp"), [("newsletters", "updated"), ("campaigns", "updated")])
def test_changed_rows_have_a_new_update_time(clock: Clock, workspace: CustomerioWorld, stream: str, stamp: str) -> None:
    before = {row["id"]: row for row in workspace.expected(stream)}
    start = workspace.now
    clock.advance(timedelta(days=2))

    for row in workspace.expected(stream):
        if row["id"] in before and row != before[row["id"]]:
            assert start < row[stamp] <= workspace.now
            assert row["deduplicate_id"] == f"{row['id']}:{row[stamp]}"


def test_metrics_of_deliveries_grow(clock: Clock, workspace: CustomerioWorld) -> None:
    before = {row["id"]: row["metrics"] for row in workspace.expected("messages")}
    clock.advance(timedelta(days=2))
    after = {row["id"]: row["metrics"] for row in workspace.expected("messages")}

    assert all(before[key].items() <= after[key].items() for key in before)
    assert any(before[key] != after[key] for key in before)


def test_a_bulk_import_lists_late_events_before_newer_ones(clock: Clock, workspace: CustomerioWorld) -> None:
    clock.advance(timedelta(days=1, hours=1))
    listed = [activity.timestamp for activity in workspace.activities.arrived(clock.now)]

    late = [place for place, moment in enumerate(listed) if moment < workspace.now - 10 * DAY][:250]
    assert late == list(range(late[0], late[0] + 250))
    assert max(listed[late[-1] + 1 :]) > workspace.now - 2 * DAY


def test_switches_change_one_by_one(workspace: CustomerioWorld) -> None:
    assert workspace.switches() == Behaviour().switches()

    for name, value in (("rate_limit_per_second", 10), ("daily_quota", 0), ("removed", ["campaigns/3"])):
        workspace.change({name: value})

    changed = {"rate_limit_per_second": 10, "daily_quota": 0, "removed": ["campaigns/3"]}
    assert workspace.switches() == Behaviour().switches() | changed
    assert workspace.removed == {"campaigns/3"}


@pytest.mark.parametrize(
    "changes",
    [
        {"rate_limit": 1},
        {"daily_quota": -1},
        {"daily_quota": True},
        {"largest_page": 0},
        {"segment_id_in_usage": None},
        {"removed": "campaigns/3"},
        {"metrics_zone": "Mars"},
    ],
)
def test_a_wrong_switch_changes_nothing(workspace: CustomerioWorld, changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        workspace.change({"rate_limit_per_second": 10, **changes})

    assert workspace.switches() == Behaviour().switches()


def keys(world: CustomerioWorld, stream: str) -> set[tuple[object, ...]]:
    names = next(endpoint.primary_key for endpoint in world.endpoints if endpoint.stream == stream)
    return {tuple(row[name] for name in names) for row in world.expected(stream)}
