"""Lists with a time of change: most are read in full and filtered here, those of Design Studio by the API."""

import pytest
import requests_mock

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_customerio.contracts import CLIENT_SIDE, SERVER_SIDE
from unit_tests.source_customerio.customerio_api import DAY, HOUR, NOW_TS, Contract, requests_to, serve

per_stream = pytest.mark.parametrize("contract", CLIENT_SIDE, ids=lambda contract: contract.name)
STATE_TS = NOW_TS - DAY
CONFIG = {"access_token": "key"}


def sync(
    api: requests_mock.Mocker,
    contract: Contract,
    moments: list[int | None],
    state: int | None = None,
    config: JsonObject = CONFIG,
) -> tuple[list[int | None], str]:
    """Serve rows that changed at these times; returns the times of the records, and the state."""
    records = [
        {contract.primary_key[0]: number, **({str(contract.cursor): moment} if moment != -1 else {})}
        for number, moment in enumerate(moments)
    ]
    serve(api, contract, {"json": contract.page(*records, following="")})
    saved = {contract.name: {str(contract.cursor): str(state)}} if state else None
    output = read_streams(SourceCustomerio, config, [contract.name], saved)
    found = [row.get(contract.cursor, -1) for row in rows(output)]
    return found, vars(output.most_recent_state.stream_state)[str(contract.cursor)]


@per_stream
def test_a_first_sync_keeps_everything(api: requests_mock.Mocker, contract: Contract) -> None:
    moments = [1, NOW_TS - DAY, NOW_TS]

    assert sync(api, contract, moments) == (moments, str(NOW_TS))


@per_stream
def test_a_later_sync_keeps_what_changed_since_an_hour_before_the_state(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    edge = STATE_TS - HOUR

    found, state = sync(api, contract, [edge - 1, edge, STATE_TS, NOW_TS - 1], STATE_TS)

    assert found == [edge, STATE_TS, NOW_TS - 1]
    assert state == str(NOW_TS - 1)


@per_stream
def test_the_start_date_keeps_what_changed_since(api: requests_mock.Mocker, contract: Contract) -> None:
    start = NOW_TS - NOW_TS % DAY

    found, _ = sync(api, contract, [start - 1, start], config={**CONFIG, "start_date": "2026-11-22"})

    assert found == [start]


@per_stream
@pytest.mark.parametrize("unset", [-1, None, 0], ids=["absent", "null", "zero"])
def test_a_row_without_a_time_of_change_is_never_dropped(
    api: requests_mock.Mocker, contract: Contract, unset: int | None
) -> None:
    found, state = sync(api, contract, [unset, STATE_TS + 1], STATE_TS)

    assert found == [-1 if unset is None else unset, STATE_TS + 1]
    assert state == str(STATE_TS + 1)


@per_stream
def test_when_nothing_changed_the_state_stays(api: requests_mock.Mocker, contract: Contract) -> None:
    assert sync(api, contract, [1, 2], STATE_TS) == ([], str(STATE_TS))


@per_stream
def test_a_state_in_the_future_is_discarded(api: requests_mock.Mocker, contract: Contract) -> None:
    found, state = sync(api, contract, [1, NOW_TS - 5], NOW_TS + DAY)

    assert found == [1, NOW_TS - 5]
    assert state == str(NOW_TS - 5)


@pytest.mark.parametrize("contract", SERVER_SIDE, ids=lambda contract: contract.name)
@pytest.mark.parametrize(
    ("config", "state", "updated_after"),
    [
        ({}, None, 0),
        ({"start_date": "2026-11-22"}, None, NOW_TS - NOW_TS % DAY - 1),
        ({}, STATE_TS, STATE_TS - HOUR - 1),
        ({}, NOW_TS + DAY, 0),
    ],
    ids=["first sync", "start date", "later sync", "state in the future"],
)
def test_requests_to_the_design_studio_start_a_second_early(
    api: requests_mock.Mocker, contract: Contract, config: JsonObject, state: int | None, updated_after: int
) -> None:
    found, saved = sync(api, contract, [NOW_TS - 5], state, {**CONFIG, **config})

    queries = [query for query in requests_to(api, contract) if "updated_after" in query]
    assert int(queries[0]["updated_after"]) == updated_after
    assert found == [NOW_TS - 5]
    assert saved == str(NOW_TS - 5)
