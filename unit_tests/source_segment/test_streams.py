"""Every stream's contract: its catalog entry, its requests, its records and its status."""

import json
import logging

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType, SyncMode

from source_segment import SourceSegment
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_segment.contracts import BY_NAME, CHILDREN, CONTRACTS, LISTS, PAGED
from unit_tests.source_segment.segment_api import CONFIG, PARENTS, US, Contract, requests_to, serve
from unit_tests.source_segment.test_schemas import anonymous, documented_operations
from unit_tests.vendor_documents import needs_documents

per_stream = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
per_list = pytest.mark.parametrize("contract", LISTS, ids=lambda contract: contract.name)
per_paged_list = pytest.mark.parametrize("contract", PAGED, ids=lambda contract: contract.name)
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
def test_requests_as_documented_and_emits_the_record_with_the_added_keys(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    unknown = {} if contract.shape == "strings" else {"unknownField": [1]}
    removed = dict.fromkeys(contract.removed, "a secret")
    serve(api, contract, {"json": contract.page({**contract.record, **unknown, **removed})})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert rows(output) == [{**contract.record, **unknown, **contract.added}]
    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.COMPLETE
    first = requests_to(api, contract)[0]
    assert first == contract.parameters | contract.paging
    assert {request.headers["Authorization"] for request in api.request_history} == {"Bearer sgp_S3cret"}


@per_paged_list
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
    cursors = [request.get(contract.cursor_parameter) for request in requests_to(api, contract)]
    assert cursors == [None, "bmV4dA=="]


@per_list
@pytest.mark.parametrize("nothing", [[], None], ids=["empty", "null"])
def test_an_empty_list_is_an_empty_table(api: requests_mock.Mocker, contract: Contract, nothing: object) -> None:
    serve(api, contract, {"json": {"data": {contract.data_key: nothing, "pagination": {"current": "c"}}}})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert output.records == []
    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.COMPLETE


@pytest.mark.parametrize("name", ["users", "sources", "suppressions", "events_volume", "invites", "workspace"])
@pytest.mark.parametrize(
    "body", [{"data": None}, {"data": {}}, {"data": {"key": 7}}, {"data": {"key": [1]}}, [], 3, {"data": []}], ids=str
)
def test_a_response_without_the_documented_list_is_retried_and_not_an_empty_table(
    api: requests_mock.Mocker, name: str, body: JsonObject
) -> None:
    contract = BY_NAME[name]
    if isinstance(body, dict) and isinstance(body["data"], dict):
        body = {"data": dict.fromkeys([contract.data_key] * len(body["data"]), body["data"].get("key"))}
    serve(api, contract, {"json": body}, {"json": contract.page(contract.record)})

    output = read_streams(SourceSegment, CONFIG, [name])

    assert rows(output) == [{**contract.record, **contract.added}]
    assert len(requests_to(api, contract)) == 2


def test_a_space_without_filters_needs_no_list_of_them(api: requests_mock.Mocker) -> None:
    serve(api, BY_NAME["space_filters"], {"json": {"data": {"pagination": {"current": "c"}}}})

    output = read_streams(SourceSegment, CONFIG, ["space_filters"])

    assert output.records == []
    assert output.errors == []


def test_an_unreadable_list_of_parents_is_requested_again_for_parent_and_child(api: requests_mock.Mocker) -> None:
    child = BY_NAME["source_connected_warehouses"]
    serve(api, child, {"json": child.page(child.record)})
    api.get(US + "/sources", [{"json": {"data": None}}, {"json": PARENTS["s1"].page("s1")}])

    output = read_streams(SourceSegment, CONFIG, ["sources", child.name])

    assert output.errors == []
    assert sorted(record.record.stream for record in output.records) == [child.name, "sources"]


@needs_documents
@per_stream
def test_pagination_is_sent_wherever_segment_documents_it(contract: Contract) -> None:
    documented = documented_operations()[anonymous(contract.path)]["query_params"]

    assert bool(contract.paging) is bool({"pagination", "count"} & set(documented))


@per_paged_list
def test_a_repeating_cursor_is_an_error_instead_of_an_endless_loop(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    pages = [{"json": contract.page(contract.record, following=cursor)} for cursor in "abcabcabcabcabcabc"]
    serve(api, contract, *pages)

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.INCOMPLETE
    assert "that it had returned before" in output.errors[0].trace.error.message
    assert len(requests_to(api, contract)) < len(pages)


@per_child
def test_a_parent_deleted_during_the_sync_loses_only_its_own_rows(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    parent = PARENTS[contract.parent or ""]
    serve(api, contract, {"json": contract.page(contract.record)})
    api.get(f"{US}{parent.path}?{parent.query}", json=parent.page("gone", contract.parent))
    named = [f"{name}=gone" for name, value in contract.parameters.items() if value == contract.parent]
    gone = f"{contract.path}?{named[-1]}" if named else contract.path.replace(f"/{contract.parent}", "/gone")
    api.get(US + gone, status_code=404, json={"errors": [{"type": "not-found", "message": "Not found"}]})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert rows(output) == [{**contract.record, **contract.added}]
    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.COMPLETE
    assert any(contract.absent in json.dumps(log.log.message) for log in output.logs)


@pytest.mark.parametrize(
    ("name", "field", "option"),
    [("sources", "writeKeys", "include_write_keys"), ("function_versions", "code", "include_function_code")],
)
def test_possible_secrets_are_removed_unless_configured(
    api: requests_mock.Mocker, name: str, field: str, option: str
) -> None:
    contract = BY_NAME[name]
    secret: JsonObject = {**contract.record, field: "secret"}
    serve(api, contract, {"json": contract.page(secret)})

    assert rows(read_streams(SourceSegment, CONFIG, [name])) == [{**contract.record, **contract.added}]
    assert rows(read_streams(SourceSegment, {**CONFIG, option: True}, [name])) == [{**secret, **contract.added}]


def test_an_endpoint_that_rejects_the_page_size_gets_the_smaller_one(api: requests_mock.Mocker) -> None:
    users = BY_NAME["users"]
    rejection = {"errors": [{"type": "input-validation", "message": "pagination.count must be at most 200"}]}
    serve(api, users, {"status_code": 422, "json": rejection}, {"json": users.page({"id": "u1"})})

    output = read_streams(SourceSegment, CONFIG, ["users"])

    assert rows(output) == [{"id": "u1"}]
    assert [request["pagination[count]"] for request in requests_to(api, users)] == ["1000", "200"]


@pytest.mark.parametrize("grouping", ["subscription", "audience", "activation"])
def test_the_overview_of_destinations_is_grouped_as_configured(api: requests_mock.Mocker, grouping: str) -> None:
    contract = BY_NAME["delivery_overview_failed_delivery"]
    group = f"{grouping}Id"
    serve(api, contract, {"json": contract.page({**contract.record, group: "x"}, {**contract.record, group: "y"})})

    output = read_streams(SourceSegment, {**CONFIG, "delivery_grouping": grouping}, [contract.name])

    others = dict.fromkeys({"subscriptionId", "audienceId", "activationId"} - {group}, "")
    assert [row[group] for row in rows(output)] == ["x", "y"]
    assert all(others.items() <= row.items() for row in rows(output))
    assert [request["groupBy.3"] for request in requests_to(api, contract)] == [group]


def test_groups_that_the_response_does_not_name_are_an_error(api: requests_mock.Mocker) -> None:
    contract = BY_NAME["delivery_overview_failed_delivery"]
    serve(api, contract, {"json": contract.page(contract.record, contract.record)})

    output = read_streams(SourceSegment, {**CONFIG, "delivery_grouping": "subscription"}, [contract.name])

    (error,) = [each.trace.error for each in output.errors if each.trace.error.stream_descriptor]
    assert error.failure_type is FailureType.config_error
    assert "Set Delivery Grouping to none" in error.message
