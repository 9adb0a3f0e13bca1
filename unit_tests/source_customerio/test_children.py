"""Child streams: the parents that they read, deleted parents, and the forms of their rows."""

import json
from collections import Counter

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType

from source_customerio import SourceCustomerio
from unit_tests.helpers import read_streams, rows
from unit_tests.source_customerio.contracts import BY_NAME, CHILDREN
from unit_tests.source_customerio.customerio_api import CONFIG, PARENTS, US, Contract, last_status, only_error, serve

PARENTED = [contract for contract in CHILDREN if contract.name != "eps_suppression"]
per_child = pytest.mark.parametrize("contract", PARENTED, ids=lambda contract: contract.name)
GONE = {"status_code": 404, "json": {"errors": [{"detail": "not found (reference 0)", "status": "404"}]}}


@per_child
def test_a_deleted_parent_is_skipped(api: requests_mock.Mocker, contract: Contract) -> None:
    serve(api, contract, GONE)
    other_form = contract.path.replace("30e00001", "cio_30e00001")
    api.get(US + other_form, **GONE)

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert output.records == []
    assert last_status(output, contract.name) is AirbyteStreamStatus.COMPLETE
    logs = [message.log.message for message in output.logs]
    reason = ": the collection is not loaded from files" if "collection_sync" in contract.name else " no longer exists"
    assert any(f"{other_form}{reason}" in log for log in logs)


@per_child
def test_an_unknown_path_is_not_a_deleted_parent(api: requests_mock.Mocker, contract: Contract) -> None:
    serve(api, contract, {"status_code": 404, "text": "404 page not found\n"})

    failure_type, message = only_error(read_streams(SourceCustomerio, CONFIG, [contract.name]))

    assert failure_type is FailureType.config_error
    assert f"{contract.path} does not exist" in message


@per_child
def test_an_undocumented_response_is_an_error(api: requests_mock.Mocker, contract: Contract) -> None:
    serve(api, contract, {"text": '{"cut'})

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    failure_type, message = only_error(output)
    assert failure_type is FailureType.transient_error
    assert " returned a response without the documented key '" in message or "something other than JSON" in message
    assert output.records == []


@pytest.mark.parametrize("parent", ["campaigns", "broadcasts", "newsletters", "segments", "types", "sender_identities"])
def test_a_truncated_list_of_parents_is_requested_again(api: requests_mock.Mocker, parent: str) -> None:
    contract = next(contract for contract in PARENTED if contract.requested_first == parent)
    serve(api, contract, {"json": contract.page(contract.record)})
    path, body = PARENTS[parent]
    api.get(US + path.removeprefix("GET "), [{"text": '{"cut'}, {"json": body}])

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert rows(output) == [{**contract.record, **contract.added}]


def test_the_list_of_parents_is_requested_once_by_each_stream_and_without_the_start_date(
    api: requests_mock.Mocker,
) -> None:
    streams = [contract for contract in PARENTED if contract.requested_first == "segments"]
    for contract in streams:
        serve(api, contract, {"json": contract.page(contract.record)})

    output = read_streams(SourceCustomerio, CONFIG, ["segments", *[contract.name for contract in streams]])

    found = Counter(message.record.stream for message in output.records)
    assert found == {contract.name: 1 for contract in streams}, "the segment itself is older than the start date"
    assert len([request for request in api.request_history if request.path == "/v1/segments"]) == len(streams) + 1


@pytest.mark.parametrize("row", [[], "text", None, {}, 0, {"content": 1}, [{"nested": True}]])
def test_a_row_of_a_collection_can_be_anything(api: requests_mock.Mocker, row: object) -> None:
    serve(api, BY_NAME["collection_contents"], {"json": [row, {"city": "Bergen"}]})

    found = rows(read_streams(SourceCustomerio, CONFIG, ["collection_contents"]))

    assert [(each["index"], each.get("content")) for each in found] == [(0, row), (1, {"city": "Bergen"})]


@pytest.mark.parametrize(("answer", "found"), [({"city": "Bergen"}, 1), ({}, 0), ([], 0), (None, 0)])
def test_a_collection_that_is_not_a_list_is_one_row_or_none(
    api: requests_mock.Mocker, answer: object, found: int
) -> None:
    serve(api, BY_NAME["collection_contents"], {"text": json.dumps(answer)})

    assert len(read_streams(SourceCustomerio, CONFIG, ["collection_contents"]).records) == found


def test_errors_of_a_trigger_are_counted_over_all_pages(api: requests_mock.Mocker) -> None:
    contract = BY_NAME["broadcast_trigger_errors"]
    serve(
        api,
        contract,
        {"json": {"errors": ["first", "second"], "next": "a"}},
        {"json": {"errors": None, "next": "b"}},
        {"json": {"errors": ["third"], "next": ""}},
    )

    found = rows(read_streams(SourceCustomerio, CONFIG, [contract.name]))

    assert [(row["index"], row["error"]) for row in found] == [(0, "first"), (1, "second"), (2, "third")]


@pytest.mark.parametrize(
    "nested",
    [{"segment_id": 4, "used_by": {"campaigns": [7]}}, {"used_by": {"segment_id": 4, "campaigns": [7]}}],
    ids=["next to it", "inside"],
)
def test_the_usage_of_a_segment_is_the_same_however_it_is_nested(
    api: requests_mock.Mocker, nested: dict[str, object]
) -> None:
    serve(api, BY_NAME["segment_usage"], {"json": nested})

    assert rows(read_streams(SourceCustomerio, CONFIG, ["segment_usage"])) == [{"segment_id": 4, "campaigns": [7]}]


@pytest.mark.parametrize("name", ["object_relationships", "person_relationships"])
def test_relationships_are_the_same_however_they_are_nested(api: requests_mock.Mocker, name: str) -> None:
    contract = BY_NAME[name]
    serve(api, contract, {"json": {"cio_relationships": [[contract.record, contract.record]], "next": ""}})

    assert rows(read_streams(SourceCustomerio, CONFIG, [name])) == [{**contract.record, **contract.added}] * 2


@pytest.mark.parametrize("object_type", ["1", "007", "1e5"])
def test_objects_are_searched_by_a_condition_that_every_object_meets(
    api: requests_mock.Mocker, object_type: str
) -> None:
    contract = BY_NAME["objects"]
    serve(api, contract, {"json": contract.page(contract.record)})
    api.get(US + "/object_types", json={"types": [{"id": object_type}]})

    output = read_streams(SourceCustomerio, CONFIG, ["objects"])

    [body] = [request.json() for request in api.request_history if request.method == "POST"]
    condition = {"object_attribute": {"field": "name", "operator": "exists", "type_id": object_type}}
    assert body == {"object_type_id": object_type, "filter": {"or": [condition, {"not": condition}]}}
    assert [row["object_type_id"] for row in rows(output)] == [object_type]


@pytest.mark.parametrize("name", ["campaign_actions", "broadcast_actions", "newsletter_variants"])
def test_credentials_of_webhooks_are_removed(api: requests_mock.Mocker, name: str) -> None:
    sent = {"id": 1, "type": "webhook", "url": "https://user:pass@example.com/a?key=abc", "body": "{}"}
    headers = [{"name": "Authorization", "value": "Bearer abc"}, {"name": "X-Team", "value": "abc"}]
    serve(api, BY_NAME[name], {"json": BY_NAME[name].page({**sent, "headers": json.dumps(headers)})})

    [row] = rows(read_streams(SourceCustomerio, CONFIG, [name]))

    assert row["url"] == "https://example.com/a?key=***"
    assert json.loads(row["headers"]) == [{**header, "value": "***"} for header in headers]
    assert row["body"] == "{}"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"type": "webhook", "url": "https://{{ event.hosts[0] }}/a", "headers": "Bearer abc"}, ("***", "***")),
        ({"type": "webhook", "url": "https://example.com", "headers": "[]"}, ("https://example.com", "[]")),
        ({"type": "webhook", "url": "https://example.com", "headers": ""}, ("https://example.com", "")),
        ({"type": "webhook", "url": None, "headers": "Bearer abc"}, (None, "***")),
        ({"type": "email", "url": "https://u:p@example.com", "headers": "[1]"}, ("https://u:p@example.com", "[1]")),
    ],
    ids=["unreadable", "no headers", "empty", "no URL", "no webhook"],
)
def test_unreadable_headers_are_hidden_and_other_messages_stay(
    api: requests_mock.Mocker, sent: dict[str, object], kept: tuple[str | None, str]
) -> None:
    serve(api, BY_NAME["campaign_actions"], {"json": BY_NAME["campaign_actions"].page({"id": 1, **sent})})

    [row] = rows(read_streams(SourceCustomerio, CONFIG, ["campaign_actions"]))

    assert (row.get("url"), row["headers"]) == kept


@pytest.mark.parametrize(
    ("identifiers", "path", "id_type"),
    [
        ({"cio_id": "30e00001", "id": "17"}, "17", "id"),
        ({"cio_id": "30e00001", "id": "a/b c"}, "a%2Fb%20c", "id"),
        ({"cio_id": "30e00001", "id": None}, "30e00001", "cio_id"),
        ({"cio_id": "30e00001", "id": ""}, "30e00001", "cio_id"),
    ],
    ids=["id", "id with a slash", "no id", "empty id"],
)
def test_relationships_are_requested_by_the_id_that_is_documented(
    api: requests_mock.Mocker, identifiers: dict[str, object], path: str, id_type: str
) -> None:
    contract = BY_NAME["person_relationships"]
    api.post(US + "/customers", json={"identifiers": [identifiers], "next": ""})
    api.get(f"{US}/customers/{path}/relationships", json=contract.page(contract.record, following=""))

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert rows(output) == [{**contract.record, **contract.added}]
    assert api.request_history[-1].qs["id_type"] == [id_type]


def test_a_row_of_a_collection_has_the_collections_own_key(api: requests_mock.Mocker) -> None:
    api.get(US + "/collections", json={"collections": [{"id": 6, "key_field": "sku"}]})
    content = [{"sku": "a"}, {"sku": 7}, {"price": 1}, "text", None]
    api.get(US + "/collections/6/content", json=content)

    found = rows(read_streams(SourceCustomerio, CONFIG, ["collection_contents"]))

    assert [row["row_key"] for row in found] == ["a", "7", "2", "3", "4"]
    assert {row["collection_id"] for row in found} == {6}
    assert "key_field" not in found[0]


def test_rejected_rows_are_read_to_the_last_page(api: requests_mock.Mocker) -> None:
    api.get(US + "/collections", json={"collections": [{"id": 6}]})
    pages = [{"rejects": [{"row": 1}], "next_cursor": "x"}, {"rejects": [{"row": 2}], "next_cursor": ""}]
    api.get(US + "/collections/6/sync/rejects", [{"json": page} for page in pages])

    assert [row["row"] for row in rows(read_streams(SourceCustomerio, CONFIG, ["collection_sync_rejects"]))] == [1, 2]
    assert [request.qs.get("cursor") for request in api.request_history[1:]] == [None, ["x"]]
