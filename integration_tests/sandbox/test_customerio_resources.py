"""Children of campaigns, segments, objects and people in the simulated Customer.io API."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integration_tests.sandbox.conftest import NOW, asker
from integration_tests.sandbox.customerio_client import Ask
from sandbox.api.endpoints import OfParents
from sandbox.api.present import Arguments
from sandbox.clock import Clock
from sandbox.customerio.world import CustomerioWorld
from sandbox.server import Sandbox

CHILDREN = {
    endpoint.stream: endpoint
    for endpoint in CustomerioWorld(Clock(NOW), seed=1, scale=0.01).endpoints
    if isinstance(endpoint, OfParents) and "_id}" in endpoint.path
}
EVERY_OBJECT = {
    "or": [
        {"object_attribute": {"field": "name", "operator": "exists", "type_id": "1"}},
        {"not": {"object_attribute": {"field": "name", "operator": "exists", "type_id": "1"}}},
    ]
}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Sandbox]:
    """A workspace that tests leave as they found it."""
    with Sandbox(Clock(NOW), scale=0.3) as running:
        yield running


@pytest.fixture
def ask(workspace: Sandbox, session: requests.Session) -> Iterator[Ask]:
    yield asker(workspace, session)
    workspace.customerio.largest_page = None
    workspace.customerio.removed = set()
    workspace.customerio.segment_id_in_usage = False


def walked(ask: Ask, path: str, key: str, json: object = None, **parameters: str | int) -> list[list[Any]]:
    """The pages of a list."""
    pages = []
    while True:
        body = ask(path, json, **parameters).json()
        pages.append(body[key] or [])
        if not body.get("next"):
            return pages
        parameters["start"] = body["next"]


def requested(stream: str, arguments: Arguments) -> tuple[str, dict[str, str | int]]:
    """The path and query of a request that is valid except for its ids."""
    path = CHILDREN[stream].path.format(**arguments).removeprefix("/")
    query = {"id_type": "cio_object_id" if stream.startswith("object") else "cio_id"}
    days = {"version": 2, "res": "days", "start": 1_772_000_000, "end": 1_773_000_000}
    return path, {**query, **(days if path.startswith("campaigns") and "metrics" in path else {})}


@pytest.mark.parametrize("stream", CHILDREN)
def test_children_of_a_deleted_object_are_not_found(ask: Ask, workspace: Sandbox, stream: str) -> None:
    world, endpoint = workspace.customerio, CHILDREN[stream]
    arguments = next(iter(endpoint_of(world, stream).of(workspace.clock.now)))
    path, query = requested(stream, arguments)
    there = ask(path, **query)

    ids = list(map(str, arguments.values()))[: 2 if stream.startswith("object") else 1]
    world.removed = {"/".join([endpoint.kind or path.split("/")[0], *ids])}
    gone = ask(path, **query)

    assert there.status_code == 200
    assert (gone.status_code, gone.json()) == (404, {"errors": [{"detail": "not found", "status": "404"}]})


def endpoint_of(world: CustomerioWorld, stream: str) -> OfParents:
    return next(each for each in world.endpoints if isinstance(each, OfParents) and each.stream == stream)


@pytest.mark.parametrize("stream", [stream for stream in CHILDREN if not stream.startswith(("object", "person"))])
def test_an_identifier_that_is_not_a_number_is_malformed(ask: Ask, stream: str) -> None:
    path, query = requested(stream, dict.fromkeys(re.findall("{(.+?)}", CHILDREN[stream].path), "x"))
    assert ask(path, **query).status_code == 400


def test_actions_come_in_pages_of_ten_with_strings_as_ids(ask: Ask) -> None:
    first, second = walked(ask, "campaigns/20/actions", "actions", limit=100)
    named = next(row for row in ask("campaigns").json()["campaigns"] if row["id"] == 20)["actions"]

    assert (len(first), len(second)) == (10, 3)
    assert [row["id"] for row in first + second] == [str(action["id"]) for action in named]
    assert not any("broadcast_id" in row for row in first)


def test_a_token_of_another_campaign_is_rejected(ask: Ask) -> None:
    token = ask("campaigns/20/actions").json()["next"]

    assert ask("campaigns/40/actions", start=token).status_code == 400
    assert ask("broadcasts/5/actions", start=token).status_code == 400


def test_the_last_page_of_a_broadcasts_actions_and_of_optouts_has_no_next(ask: Ask) -> None:
    assert ask("broadcasts/1/actions").json().keys() == {"actions"}
    assert ask("optouts", limit=1000).json().keys() == {"optouts"}
    assert [len(page) for page in walked(ask, "broadcasts/5/actions", "actions")] == [10, 2]


def test_lists_without_elements_are_null(ask: Ask) -> None:
    assert ask("segments/9/membership").json() == {"segment_id": 9, "ids": None, "identifiers": None, "next": ""}
    assert ask("newsletters/1/test_groups").json() == {"test_groups": None}
    assert ask("objects", json={"object_type_id": "3", "filter": {"and": []}}).json()["identifiers"] is None


def test_errors_of_a_trigger_are_strings_below_campaigns(ask: Ask) -> None:
    pages = walked(ask, "campaigns/3/triggers/1/errors", "errors", limit=50)

    assert [len(page) for page in pages] == [50, 50, 20]
    assert pages[1][0] == "line 51: could not find person"
    assert ask("campaigns/3/triggers/99/errors").status_code == 404
    assert ask("broadcasts/3/triggers/1/errors").text == "404 page not found\n"


def test_members_are_listed_twice_and_paged_as_requested(ask: Ask, workspace: Sandbox) -> None:
    count = ask("segments/1/customer_count").json()["count"]
    workspace.customerio.largest_page = 100
    members = [row for page in walked(ask, "segments/1/membership", "identifiers", limit=30_000) for row in page]

    assert len({row["cio_id"] for row in members}) == len(members) == count
    assert {len(page) for page in walked(ask, "segments/1/membership", "ids")[:-1]} == {100}
    assert ask("segments/1/membership", limit=30_001).status_code == 400


def test_the_usage_of_a_segment_has_two_forms(ask: Ask, workspace: Sandbox) -> None:
    documented = ask("segments/1/used_by").json()
    workspace.customerio.segment_id_in_usage = True
    observed = ask("segments/1/used_by").json()

    assert observed == {"used_by": {"segment_id": 1, **documented["used_by"]}}
    assert ask("sender_identities/1/used_by").json().keys() == documented["used_by"].keys()


def test_an_object_can_be_on_two_pages(ask: Ask, workspace: Sandbox) -> None:
    workspace.customerio.largest_page = 10
    body = {"object_type_id": "1", "filter": EVERY_OBJECT}
    first, second, *_ = pages = walked(ask, "objects", "identifiers", json=body)
    expected = [row for row in workspace.customerio.expected("objects") if row["object_type_id"] == "1"]

    assert second[0] == first[-1]
    assert {row["cio_object_id"] for page in pages for row in page} == {row["cio_object_id"] for row in expected}


@pytest.mark.parametrize(
    "body",
    [
        {"filter": EVERY_OBJECT},
        {"object_type_id": "1"},
        {"object_type_id": 1, "filter": EVERY_OBJECT},
        {"object_type_id": "2", "filter": EVERY_OBJECT},
        {"object_type_id": "1", "filter": {"attribute": {"field": "name", "operator": "exists"}}},
    ],
)
def test_a_search_for_objects_that_is_not_as_documented_is_rejected(ask: Ask, body: object) -> None:
    assert ask("objects", json=body).status_code == 400


def test_a_search_by_name_omits_objects_without_one(ask: Ask) -> None:
    def found(condition: object) -> set[str]:
        pages = walked(ask, "objects", "ids", json={"object_type_id": "1", "filter": condition})
        return {object_id for page in pages for object_id in page}

    assert found(EVERY_OBJECT["or"][0]) < found(EVERY_OBJECT)


def test_relationships_of_some_objects_have_an_extra_level_of_nesting(ask: Ask) -> None:
    def relationships(object_: str) -> list[Any]:
        found = ask(f"objects/1/{object_}/relationships", id_type="cio_object_id").json()["cio_relationships"]
        assert isinstance(found, list)
        return found

    assert isinstance(relationships("ob010002")[0], list)
    assert {type(row) for number in range(5, 12, 2) for row in relationships(f"ob01{number:04d}")} == {dict}


@pytest.mark.parametrize("path", ["objects/1/ob010002/attributes", "customers/30e00001/segments"])
def test_ids_without_a_supported_id_type_are_rejected(ask: Ask, path: str) -> None:
    assert ask(path).status_code == 400


def test_designs_are_filtered_by_an_exclusive_time(ask: Ask) -> None:
    emails = ask("design_studio/emails").json()["emails"]
    moment = sorted(row["updated"] for row in emails)[len(emails) // 2]

    found = ask("design_studio/emails", updated_after=moment).json()["emails"]

    assert {row["id"] for row in found} == {row["id"] for row in emails if row["updated"] > moment}


@pytest.mark.parametrize(
    ("path", "key"), [("design_studio/emails", "emails"), ("assets", "assets"), ("assets/folders", "folders")]
)
def test_numbered_pages_have_the_total_and_are_empty_past_the_end(ask: Ask, path: str, key: str) -> None:
    total = ask(path).json()["meta"]["pagination"]["total"]
    sizes = [len(ask(path, page=number, limit=100).json()[key]) for number in range(1, total // 100 + 3)]

    assert sum(sizes) == total
    assert sizes[-1] == 0


def test_the_content_of_a_collection_is_an_array_or_an_object(ask: Ask) -> None:
    assert isinstance(ask("collections/1/content").json(), list)
    assert isinstance(ask("collections/3/content").json(), dict)


def test_optouts_can_be_filtered_by_sender(ask: Ask) -> None:
    found = ask("optouts", **{"from": "+15550101"}).json()["optouts"]

    assert found
    assert all({"channel": "whatsapp", "from": "+15550101"} in row["optouts"] for row in found)


def test_a_topic_has_a_string_id_in_preferences(ask: Ask) -> None:
    answer = ask("customers/30e00001/subscription_preferences", id_type="cio_id").json()

    assert {type(topic["id"]) for topic in answer["customer"]["topics"]} == {str}
