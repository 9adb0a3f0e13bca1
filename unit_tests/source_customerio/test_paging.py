"""Pagination: the parameters of each page, and where a list ends."""

import itertools

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus

from source_customerio import SourceCustomerio
from unit_tests.helpers import read_streams
from unit_tests.source_customerio.contracts import BY_NAME, NUMBERED, PAGED
from unit_tests.source_customerio.customerio_api import (
    CONFIG,
    US,
    Contract,
    last_status,
    only_error,
    requests_to,
    serve,
)

per_list = pytest.mark.parametrize("contract", PAGED, ids=lambda contract: contract.name)


def tokens(api: requests_mock.Mocker, contract: Contract) -> list[str | None]:
    return [request.get("start") for request in requests_to(api, contract)]


@pytest.mark.parametrize(
    ("contract", "end"),
    list(zip(PAGED, itertools.cycle([..., None, ""]), strict=False)),
    ids=lambda value: getattr(value, "name", None),
)
def test_follows_next_until_it_is_absent_null_or_empty(
    api: requests_mock.Mocker, contract: Contract, end: object
) -> None:
    second = {**contract.record, contract.primary_key[0]: 2}
    serve(
        api,
        contract,
        {"json": contract.page(contract.record, following="bmV4dA==")},
        {"json": contract.page(second, following=end)},
    )

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert len(output.records) == 2
    assert tokens(api, contract) == [None, "bmV4dA=="]


@per_list
def test_a_last_page_with_a_next_costs_one_empty_page(api: requests_mock.Mocker, contract: Contract) -> None:
    serve(
        api,
        contract,
        {"json": contract.page(contract.record, following="MQ==")},
        {"json": contract.page(following="")},
    )

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert len(output.records) == 1
    assert tokens(api, contract) == [None, "MQ=="]
    assert last_status(output, contract.name) is AirbyteStreamStatus.COMPLETE


@per_list
def test_an_empty_page_in_the_middle_does_not_end_the_list(api: requests_mock.Mocker, contract: Contract) -> None:
    serve(
        api,
        contract,
        {"json": contract.page(following="a")},
        {"json": contract.page(contract.record, following="")},
    )

    assert len(read_streams(SourceCustomerio, CONFIG, [contract.name]).records) == 1


@per_list
def test_a_token_that_repeats_is_an_error_instead_of_an_endless_loop(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    pages = [{"json": contract.page(contract.record, following=token)} for token in "abcabcabcabcabcabc"]
    serve(api, contract, *pages)

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert "that it had returned before" in only_error(output)[1]
    assert len(requests_to(api, contract)) < len(pages)


@pytest.mark.parametrize(
    ("contract", "token"),
    list(zip(PAGED, itertools.cycle(["30e00001", "0", "007", "1e5", "None", "True", "[1]"]), strict=False)),
    ids=lambda value: getattr(value, "name", value),
)
def test_a_token_that_looks_like_a_value_stays_a_string(
    api: requests_mock.Mocker, contract: Contract, token: str
) -> None:
    serve(
        api,
        contract,
        {"json": contract.page(contract.record, following=token)},
        {"json": contract.page(following="")},
    )

    read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert tokens(api, contract) == [None, token]


@pytest.mark.parametrize("contract", NUMBERED, ids=lambda contract: contract.name)
def test_numbered_pages_are_requested_until_one_is_not_full(api: requests_mock.Mocker, contract: Contract) -> None:
    full = [{**contract.record, "id": str(number)} for number in range(1000)]
    serve(api, contract, {"json": contract.page(*full)}, {"json": contract.page(contract.record)})

    output = read_streams(SourceCustomerio, CONFIG, [contract.name])

    assert len(output.records) == 1001
    assert [request.get("page") for request in requests_to(api, contract)][:2] == [None, "2"]


def test_unpaged_lists_are_requested_without_parameters(api: requests_mock.Mocker) -> None:
    names = ["campaigns", "segments", "transactional_messages", "exports", "snippets", "collections", "types"]
    names += ["subscription_channels"]
    for name in names:
        serve(api, BY_NAME[name], {"json": BY_NAME[name].page(following="ignored")})

    read_streams(SourceCustomerio, CONFIG, names)

    assert sorted(request.url for request in api.request_history) == sorted(US + BY_NAME[name].path for name in names)
