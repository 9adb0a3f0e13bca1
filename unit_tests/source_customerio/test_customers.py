"""Customers: everybody is found, with or without an id, and requested a hundred at a time."""

import json

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_customerio.contracts import BY_NAME
from unit_tests.source_customerio.customerio_api import CONFIG, ONE_PERSON, US, last_status, only_error, serve

CUSTOMERS = BY_NAME["customers"]


def cio_id(number: int) -> str:
    return f"{number:03d}e00001"


def serve_people(api: requests_mock.Mocker, *pages: list[str], gone: frozenset[str] = frozenset()) -> None:
    """Let the search find these people page by page; those that are `gone` no longer have attributes."""
    answers = [
        {
            "identifiers": [{"cio_id": person, "email": f"{person}@example.com", "id": None} for person in page],
            "ids": [""] * len(page),
            "next": f"page{number}" if number < len(pages) else "",
        }
        for number, page in enumerate(pages, 1)
    ]
    api.post(US + "/customers", [{"json": answer} for answer in answers])
    api.post(
        US + "/customers/attributes",
        json=lambda request, _: {
            "customers": [{"identifiers": {"cio_id": person}} for person in request.json()["ids"] if person not in gone]
        },
    )


def requested_groups(api: requests_mock.Mocker) -> list[list[str]]:
    return [json.loads(request.body)["ids"] for request in api.request_history if request.path.endswith("attributes")]


def test_the_search_is_for_everybody_who_has_a_cio_id(api: requests_mock.Mocker) -> None:
    serve_people(api, [cio_id(1)], [cio_id(2)])

    read_streams(SourceCustomerio, CONFIG, ["customers"])

    searches = [request for request in api.request_history if request.path == "/v1/customers"]
    everybody = {"filter": {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}}
    assert [search.json() for search in searches] == [everybody] * 2
    assert [search.qs for search in searches] == [{"limit": ["1000"]}, {"limit": ["1000"], "start": ["page1"]}]


@pytest.mark.parametrize(("people", "groups"), [(1, [1]), (100, [100]), (101, [1, 100]), (250, [50, 100, 100])])
def test_attributes_are_requested_a_hundred_people_at_a_time(
    api: requests_mock.Mocker, people: int, groups: list[int]
) -> None:
    ids = [cio_id(number) for number in range(people)]
    serve_people(api, ids[: people // 2], ids[people // 2 :])

    output = read_streams(SourceCustomerio, CONFIG, ["customers"])

    requested = requested_groups(api)
    assert sorted(map(len, requested)) == groups
    assert sorted(person for group in requested for person in group) == ids
    assert sorted(row["cio_id"] for row in rows(output)) == ids


@pytest.mark.parametrize("person", ["30e00001", "1e5", "007", "0x1f", "a1b2c3", "None"])
def test_a_cio_id_stays_a_string(api: requests_mock.Mocker, person: str) -> None:
    serve_people(api, [person])

    output = read_streams(SourceCustomerio, CONFIG, ["customers"])

    assert requested_groups(api) == [[person]]
    assert rows(output) == [{"cio_id": person, "identifiers": {"cio_id": person}}]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_person_is_the_same_wrapped_or_not(api: requests_mock.Mocker, *, wrapped: bool) -> None:
    person: JsonObject = {
        "id": "",
        "identifiers": {"cio_id": "30e00001", "email": "reader@example.com", "id": None},
        "attributes": {"plan": "team", "Favourite Colour": "blue", "customer": "yes"},
        "timestamps": {"plan": 1},
        "unsubscribed": False,
        "devices": [{"id": "d", "platform": "ios", "last_used": 1, "attributes": {"app_version": "4"}}],
        "unknown_field": 1,
    }
    serve(api, CUSTOMERS, {"json": {"customers": [{"customer": person} if wrapped else person]}})

    assert rows(read_streams(SourceCustomerio, CONFIG, ["customers"])) == [{**person, "cio_id": "30e00001"}]


def test_a_person_deleted_between_the_two_steps_is_left_out(api: requests_mock.Mocker) -> None:
    serve_people(api, [cio_id(1), cio_id(2), cio_id(3)], gone=frozenset({cio_id(2)}))

    output = read_streams(SourceCustomerio, CONFIG, ["customers"])

    assert [row["cio_id"] for row in rows(output)] == [cio_id(1), cio_id(3)]
    assert last_status(output, "customers") is AirbyteStreamStatus.COMPLETE


def test_a_failing_search_fails_the_stream(api: requests_mock.Mocker) -> None:
    serve_people(api, [cio_id(1)], [cio_id(2)])
    api.post(US + "/customers", status_code=403, json={"errors": [{"detail": "forbidden", "status": "403"}]})

    output = read_streams(SourceCustomerio, CONFIG, ["customers"])

    assert "denied this App API key access" in only_error(output)[1]
    assert last_status(output, "customers") is AirbyteStreamStatus.INCOMPLETE


def test_customers_can_be_limited_to_one_segment(api: requests_mock.Mocker) -> None:
    api.post(US + "/customers", **ONE_PERSON)
    api.post(US + "/customers/attributes", json={"customers": []})
    api.get(US + "/customers/30e00001/segments", json={"segments": []})

    read_streams(SourceCustomerio, {**CONFIG, "customers_segment_id": 42}, ["customers", "person_segments"])

    searches = [request.json()["filter"]["and"] for request in api.request_history if request.path == "/v1/customers"]
    everybody = {"attribute": {"field": "cio_id", "operator": "exists"}}
    assert sorted(searches, key=len) == [[everybody], [everybody, {"segment": {"id": 42}}]]
