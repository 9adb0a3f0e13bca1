"""Consistency of the children of campaigns, segments, objects and people, and their changes over time."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from sandbox.api.endpoints import OfParents
from sandbox.clock import Clock
from sandbox.customerio.metrics import Metrics
from sandbox.customerio.world import CustomerioWorld
from unit_tests.sandbox.conftest import NOW

ENDPOINTS = {endpoint.stream: endpoint for endpoint in CustomerioWorld(Clock(NOW), seed=7, scale=0.01).endpoints}
BELOW = {
    stream: endpoint
    for stream, endpoint in ENDPOINTS.items()
    if isinstance(endpoint, OfParents) and re.search("{.+_id}", endpoint.path)
}
CHANGING = [stream for stream, endpoint in BELOW.items() if not isinstance(endpoint, Metrics)]
STILL = {"newsletter_test_groups", "segment_usage", "sender_usage", "broadcast_trigger_errors"}
"""Streams that may be unchanged after two days."""


@pytest.fixture(scope="module")
def world() -> CustomerioWorld:
    """A workspace of the usual size that no test changes."""
    return CustomerioWorld(Clock(NOW), seed=7, scale=1)


@pytest.fixture(scope="module")
def twins() -> tuple[CustomerioWorld, CustomerioWorld]:
    """Two workspaces with the same seed, two days apart."""
    clock = Clock(NOW)
    later = CustomerioWorld(clock, seed=7, scale=0.1)
    clock.advance(timedelta(days=2))
    return CustomerioWorld(Clock(NOW), seed=7, scale=0.1), later


def column(world: CustomerioWorld, stream: str, *names: str) -> set[Any]:
    rows = world.expected(stream)
    return {row[names[0]] for row in rows} if len(names) == 1 else {tuple(row[name] for name in names) for row in rows}


@pytest.mark.parametrize("stream", ENDPOINTS)
def test_primary_keys_are_unique_and_never_null(world: CustomerioWorld, stream: str) -> None:
    rows, key = world.expected(stream), ENDPOINTS[stream].primary_key

    assert rows
    assert len({tuple(row[name] for name in key) for row in rows}) == len(rows)
    assert all(row[name] is not None for row in rows for name in key)


@pytest.mark.parametrize("stream", ENDPOINTS)
def test_the_same_seed_and_clock_give_the_same_rows(twins: tuple[CustomerioWorld, ...], stream: str) -> None:
    assert CustomerioWorld(Clock(NOW), seed=7, scale=0.1).expected(stream) == twins[0].expected(stream)


@pytest.mark.parametrize("stream", sorted({*CHANGING, "objects", "optouts", "assets", "draft_messages"} - STILL))
def test_every_stream_changes_within_two_days(twins: tuple[CustomerioWorld, ...], stream: str) -> None:
    before, after = (world.expected(stream) for world in twins)

    assert before != after


def test_a_full_sync_stays_cheap(world: CustomerioWorld) -> None:
    assert len(world.expected("objects")) <= 150
    assert 1_000 < len(world.expected("segment_memberships")) < 10_000
    assert sum(len(world.expected(kind)) for kind in ("campaigns", "broadcasts", "segments", "collections")) < 100


@pytest.mark.parametrize(
    ("parents", "stream", "key"),
    [
        ("campaigns", "campaign_actions", "campaign_id"),
        ("broadcasts", "broadcast_actions", "broadcast_id"),
    ],
)
def test_actions_are_those_that_their_parent_lists(world: CustomerioWorld, parents: str, stream: str, key: str) -> None:
    named = {(row["id"], action["id"], action["type"]) for row in world.expected(parents) for action in row["actions"]}

    assert column(world, stream, key, "id", "type") == named


def test_variants_and_test_groups_are_those_that_their_newsletter_lists(world: CustomerioWorld) -> None:
    named = {(row["id"], content) for row in world.expected("newsletters") for content in row["content_ids"]}
    tested = {
        (row["newsletter_id"], content)
        for row in world.expected("newsletter_test_groups")
        for content in row["content_ids"]
    }

    assert column(world, "newsletter_variants", "newsletter_id", "id") == named
    assert tested < named
    assert 0 in column(world, "newsletter_test_groups", "id")


def test_actions_change_when_their_campaign_does_not(twins: tuple[CustomerioWorld, ...]) -> None:
    campaigns = {row["id"]: row["updated"] for row in twins[1].expected("campaigns")}

    newer = [row for row in twins[1].expected("campaign_actions") if row["updated"] > campaigns[row["campaign_id"]]]

    assert any(row["updated"] > twins[0].now for row in newer)


def test_deliveries_come_from_senders_that_exist(twins: tuple[CustomerioWorld, ...]) -> None:
    world = twins[0]
    for stream in ("messages", "draft_messages"):
        rows = world.expected(stream)
        actions = column(world, "campaign_actions", "id") | column(world, "broadcast_actions", "id")
        assert {row["action_id"] for row in rows if row["action_id"]} <= actions
        assert {row["content_id"] for row in rows if row["content_id"]} <= column(world, "newsletter_variants", "id")


def test_segment_members_are_people_and_match_the_count(world: CustomerioWorld) -> None:
    members = column(world, "segment_memberships", "cio_id", "segment_id")

    assert {cio_id for cio_id, _ in members} <= column(world, "customers", "cio_id")
    assert members == column(world, "person_segments", "cio_id", "id")
    assert sum(row["count"] for row in world.expected("segment_counts")) == len(members)
    assert any(row["count"] == 0 for row in world.expected("segment_counts"))


@pytest.mark.parametrize("stream", ["segment_usage", "sender_usage"])
def test_usage_refers_to_existing_campaigns_and_newsletters(world: CustomerioWorld, stream: str) -> None:
    newsletters = world.expected("newsletters")
    existing = {
        "campaigns": column(world, "campaigns", "id"),
        "sent_newsletters": {row["id"] for row in newsletters if "sent_at" in row},
        "draft_newsletters": {row["id"] for row in newsletters if "sent_at" not in row},
    }
    for name, ids in existing.items():
        used = {each for row in world.expected(stream) for each in row[name]}
        assert used
        assert used <= ids


def test_relationships_are_the_same_from_both_sides(world: CustomerioWorld) -> None:
    from_objects = column(world, "object_relationships", "object_type_id", "cio_object_id", "cio_id")
    from_people = column(world, "person_relationships", "object_type_id", "cio_object_id", "cio_id")

    assert from_objects == {(str(kind), object_, person) for kind, object_, person in from_people}
    assert {person for _, _, person in from_objects} <= column(world, "customers", "cio_id")


def test_objects_are_of_the_object_types_and_one_type_has_none(world: CustomerioWorld) -> None:
    assert column(world, "objects", "object_type_id") < column(world, "types", "id")
    assert world.expected("workspaces")[0]["objects"] == len(world.expected("objects"))


def test_optouts_are_the_same_from_both_sides(world: CustomerioWorld) -> None:
    listed = {
        (row["cio_id"], each["channel"], each["from"]) for row in world.expected("optouts") for each in row["optouts"]
    }

    assert listed == column(world, "person_optouts", "cio_id", "channel", "from")


def test_webhook_parts_that_may_contain_credentials_are_not_expected(world: CustomerioWorld) -> None:
    webhooks = [row for row in world.expected("campaign_actions") if row["type"] == "webhook"]

    assert webhooks
    for row in webhooks:
        assert "relay" not in row["url"] + row["headers"]
        assert {header["value"] for header in json.loads(row["headers"])} == {"***"}


@pytest.mark.parametrize("stream", BELOW)
def test_no_rows_are_expected_below_removed_objects(world: CustomerioWorld, stream: str) -> None:
    endpoint = BELOW[stream]
    before = world.expected(stream)
    fields = [field for field in endpoint.adds if field in endpoint.primary_key] or list(endpoint.primary_key[:1])
    first = before[0]
    kind = endpoint.kind or endpoint.path.split("/")[1]
    ids = [first["object_type_id"], first["cio_object_id"]] if kind == "objects" else [first[fields[0]]]

    world.removed = {"/".join([kind, *map(str, ids)])}
    rows = world.expected(stream)
    world.removed = set()

    assert rows == [row for row in before if row[fields[0]] != first[fields[0]]]
