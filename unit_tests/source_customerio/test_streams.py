"""Every stream's contract: its catalog entry, its requests, its records and its status."""

import itertools
import json
import logging

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, SyncMode

from source_customerio import SourceCustomerio
from unit_tests.helpers import read_streams, rows
from unit_tests.source_customerio.contracts import BY_NAME, CONTRACTS
from unit_tests.source_customerio.customerio_api import (
    CONFIG,
    EU,
    PARENTS,
    Contract,
    last_status,
    requests_to,
    serve,
    serve_parent,
)

per_stream = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


def test_discovers_exactly_the_documented_streams() -> None:
    catalog = SourceCustomerio(config=CONFIG).discover(logging.getLogger(), CONFIG)

    discovered = {stream.name: stream for stream in catalog.streams}
    assert {name for name in discovered if not name.endswith("_metrics")} == set(BY_NAME)
    for contract in CONTRACTS:
        stream = discovered[contract.name]
        assert stream.source_defined_primary_key == [[key] for key in contract.primary_key]
        assert (stream.default_cursor_field or [None])[0] == contract.cursor
        assert (SyncMode.incremental in stream.supported_sync_modes) is bool(contract.cursor)
        declared = stream.json_schema["properties"]
        assert {*contract.primary_key, *contract.record, *contract.added} <= set(declared)


def test_streams_with_a_request_per_person_are_off_by_default() -> None:
    config = {name: value for name, value in CONFIG.items() if name != "people_detail"}

    offered = {stream.name for stream in SourceCustomerio(config=config).discover(logging.getLogger(), config).streams}

    assert set(BY_NAME) - offered == {
        "person_segments",
        "person_relationships",
        "person_subscription_preferences",
        "person_optouts",
    }


@per_stream
def test_the_request_is_as_documented_and_the_record_gains_the_keys(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    is_object = isinstance(contract.served(contract.record), dict) and "content" not in contract.record
    record = {**contract.record, **({"unknown_field": [1]} if is_object else {})}
    serve(api, contract, {"json": contract.page(record)})

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert rows(output) == [{**record, **contract.added}]
    assert last_status(output, contract.name) is AirbyteStreamStatus.COMPLETE
    first, *others = requests_to(api, contract)
    assert first == contract.parameters
    assert not others or contract.name.endswith("_folders")  # each folder is a list as well
    assert {request.headers["Authorization"] for request in api.request_history} == {"Bearer cio-S3cret"}


@pytest.mark.parametrize(
    ("contract", "nothing"),
    list(zip([each for each in CONTRACTS if each.is_list], itertools.cycle([None, []]), strict=False)),
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_an_empty_list_is_an_empty_table(api: requests_mock.Mocker, contract: Contract, nothing: object) -> None:
    answer = {contract.data_key: nothing, "next": ""} if contract.data_key else nothing
    serve(api, contract, {"text": json.dumps(answer)})

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert output.records == []
    assert last_status(output, contract.name) is AirbyteStreamStatus.COMPLETE


def test_every_stream_requests_the_host_of_the_region(api: requests_mock.Mocker) -> None:
    for contract in CONTRACTS:
        for name in contract.parents:
            serve_parent(api, name, EU)
        if contract.name not in PARENTS:
            api.request(contract.method, EU + contract.path, status_code=403, json={"errors": []})

    read_streams(SourceCustomerio, {**CONFIG, "region": "eu"}, list(BY_NAME))

    assert {request.url.startswith(EU) for request in api.request_history} == {True}
    assert {"/v1" + contract.path for contract in CONTRACTS} <= {request.path for request in api.request_history}


def test_the_api_url_replaces_the_host_of_the_region(api: requests_mock.Mocker) -> None:
    api.get("http://proxy.example.com/cio/v1/workspaces", json={"workspaces": [{"id": 1}]})
    config = {**CONFIG, "region": "eu", "api_url": " http://proxy.example.com/cio/ "}

    assert rows(read_streams(SourceCustomerio, config, ["workspaces"])) == [{"id": 1}]


def test_the_key_of_a_topic_is_an_integer_however_it_is_written(api: requests_mock.Mocker) -> None:
    serve(api, BY_NAME["topics"], {"json": {"topics": [{"id": 1}, {"id": "2"}]}})

    assert [row["id"] for row in rows(read_streams(SourceCustomerio, CONFIG, ["topics"]))] == [1, 2]


def test_unset_times_stay_zero(api: requests_mock.Mocker) -> None:
    campaign = {**BY_NAME["campaigns"].record, "first_started": 0, "scheduled_start": 0, "scheduled_stop": 0}
    serve(api, BY_NAME["campaigns"], {"json": {"campaigns": [campaign]}})

    assert rows(read_streams(SourceCustomerio, CONFIG, ["campaigns"])) == [campaign]


@pytest.mark.parametrize(
    ("endpoint", "kept"),
    [
        ("https://collector.example.com/cio", "https://collector.example.com/cio"),
        ("https://user:pass@collector.example.com:8443/cio", "https://collector.example.com:8443/cio"),
        ("https://token@collector.example.com/", "https://collector.example.com/"),
        (
            "https://collector.example.com/cio?team=data&api%20key=abc&empty=#part",
            "https://collector.example.com/cio?team=***&api%20key=***&empty=***",
        ),
        ("not a url", "not a url"),
        ("", ""),
    ],
)
def test_credentials_inside_a_webhook_endpoint_are_removed(api: requests_mock.Mocker, endpoint: str, kept: str) -> None:
    webhook = {"id": 1, "endpoint": endpoint, "events": ["email_sent"]}
    serve(api, BY_NAME["reporting_webhooks"], {"json": {"reporting_webhooks": [webhook]}})

    output = read_streams(SourceCustomerio, CONFIG, ["reporting_webhooks"])

    assert rows(output) == [{**webhook, "endpoint": kept}]
    assert "pass@" not in json.dumps(rows(output))
