"""Every stream's contract: what it promises, what it asks for, and how it ends."""

import json
import logging

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, SyncMode

from source_segment import SourceSegment
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_segment.segment_api import CHILDREN, CONFIG, CONTRACTS, LISTS, US, Contract, requests_to, serve

per_stream = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
per_list = pytest.mark.parametrize("contract", LISTS, ids=lambda contract: contract.name)
per_child = pytest.mark.parametrize("contract", CHILDREN, ids=lambda contract: contract.name)


def test_discovers_exactly_the_documented_streams() -> None:
    catalog = SourceSegment(config=CONFIG).discover(logging.getLogger(), CONFIG)

    discovered = {stream.name: stream for stream in catalog.streams}
    assert set(discovered) == {contract.name for contract in CONTRACTS}
    for contract in CONTRACTS:
        stream = discovered[contract.name]
        assert stream.source_defined_primary_key == [[key] for key in contract.primary_key]
        assert (stream.default_cursor_field or [None])[0] == contract.cursor
        assert (SyncMode.incremental in stream.supported_sync_modes) is bool(contract.cursor)
        declared = stream.json_schema["properties"]
        assert {*contract.primary_key, *contract.added} <= set(declared)


@per_stream
def test_asks_as_documented_and_emits_the_record_with_the_added_keys(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    serve(api, contract, {"json": contract.page({**contract.record, "unknownField": [1]})})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert rows(output) == [{**contract.record, "unknownField": [1], **contract.added}]
    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.COMPLETE
    first = requests_to(api, contract)[0]
    assert first == contract.parameters | ({"pagination[count]": "1000"} if contract.is_list else {})
    assert {request.headers["Authorization"] for request in api.request_history} == {"Bearer token"}


@per_list
@pytest.mark.parametrize("end", [..., None, ""], ids=["absent", "null", "empty"])
def test_follows_next_until_it_is_absent_null_or_empty(
    api: requests_mock.Mocker, contract: Contract, end: object
) -> None:
    first, second = (
        contract.record,
        {**contract.record, contract.primary_key[-1]: contract.record.get("timestamp", "2")},
    )
    serve(
        api,
        contract,
        {"json": contract.page(first, following="bmV4dA==")},
        {"json": contract.page(second, following=end)},
    )

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert len(output.records) == 2
    cursors = [request.get("pagination[cursor]") for request in requests_to(api, contract)]
    assert cursors == [None, "bmV4dA=="]


@per_list
@pytest.mark.parametrize("nothing", [[], None], ids=["empty", "null"])
def test_an_empty_list_is_an_empty_table(api: requests_mock.Mocker, contract: Contract, nothing: object) -> None:
    serve(api, contract, {"json": {"data": {contract.data_key: nothing, "pagination": {"current": "c"}}}})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert output.records == []
    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.COMPLETE


@per_list
def test_a_repeating_cursor_is_an_error_instead_of_an_endless_loop(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    pages = [{"json": contract.page(contract.record, following=cursor)} for cursor in "abcabcabcabcabcabc"]
    serve(api, contract, *pages)

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.INCOMPLETE
    assert "a page cursor that it had already given" in output.errors[0].trace.error.message
    assert len(requests_to(api, contract)) < len(pages)


@per_child
def test_a_parent_deleted_meanwhile_skips_only_its_children(api: requests_mock.Mocker, contract: Contract) -> None:
    gone = contract.path.replace("s1", "s0").replace("d1", "d0")
    parents = {
        "/sources": {"data": {"sources": [{"id": "s0"}, {"id": "s1"}]}},
        "/destinations": {"data": {"destinations": [{"id": "d0", "sourceId": "s1"}, {"id": "d1", "sourceId": "s1"}]}},
    }
    serve(api, contract, {"json": contract.page(contract.record)})
    for path, answer in parents.items():
        api.get(US + path, json=answer)
    api.get(US + gone, status_code=404, json={"errors": [{"type": "not-found", "message": "Not found"}]})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert rows(output) == [{**contract.record, **contract.added}]
    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.COMPLETE
    assert any("it was deleted while this sync ran" in json.dumps(log.log.message) for log in output.logs)


def test_write_keys_are_left_out_unless_asked_for(api: requests_mock.Mocker) -> None:
    sources = next(contract for contract in CONTRACTS if contract.name == "sources")
    record: JsonObject = {"id": "s1", "writeKeys": ["w1"]}
    serve(api, sources, {"json": sources.page(record)})

    assert rows(read_streams(SourceSegment, CONFIG, ["sources"])) == [{"id": "s1"}]
    with_keys = {**CONFIG, "include_write_keys": True}
    assert rows(read_streams(SourceSegment, with_keys, ["sources"])) == [record]


def test_an_endpoint_that_refuses_the_page_size_gets_the_smaller_one(api: requests_mock.Mocker) -> None:
    users = next(contract for contract in CONTRACTS if contract.name == "users")
    refusal = {"errors": [{"type": "input-validation", "message": "pagination.count must be at most 200"}]}
    serve(api, users, {"status_code": 422, "json": refusal}, {"json": users.page({"id": "u1"})})

    output = read_streams(SourceSegment, CONFIG, ["users"])

    assert rows(output) == [{"id": "u1"}]
    assert [request["pagination[count]"] for request in requests_to(api, users)] == ["1000", "200"]
