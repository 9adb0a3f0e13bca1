"""Calls that Segment rejects: a single one is its record's fault, all of them are the configuration's."""

import gzip
from collections.abc import Callable

import orjson
import pytest
from airbyte_cdk.models import FailureType
from requests_mock import Mocker
from requests_mock.request import _RequestObjectProxy as Request

from cdp_connectors.json_types import Json, JsonObject
from unit_tests.destination_segment.segment_writes import (
    BATCH_URL,
    catalog_of,
    config_of,
    record,
    state,
    write,
)

IDENTIFY: JsonObject = {"stream": "users", "call_type": "identify", "user_id_field": "id"}
CONFIG = config_of(IDENTIFY)


class Picky:
    """A Tracking API that rejects an entire batch for some of its calls, as the real one does."""

    def __init__(self, rejects: Callable[[JsonObject], bool], status: int = 400, body: Json = None) -> None:
        self._rejects = rejects
        self._status = status
        self._body = body
        self.accepted: list[str] = []
        self.requests = 0

    def __call__(self, request: Request, context: Json) -> Json:
        self.requests += 1
        calls = orjson.loads(gzip.decompress(request.body))["batch"]
        if any(map(self._rejects, calls)):
            context.status_code = self._status
            return self._body
        self.accepted += [call["userId"] for call in calls]
        return {"success": True}


def of_user(*users: int) -> Callable[[JsonObject], bool]:
    return lambda call: call["userId"] in {str(user) for user in users}


@pytest.mark.parametrize("status", [400, 413])
def test_one_rejected_call_affects_only_its_record(api: Mocker, caplog: pytest.LogCaptureFixture, status: int) -> None:
    picky = Picky(of_user(700), status, {"success": False, "message": "malformed trait"})
    api.post(BATCH_URL, json=picky)
    messages = [record({"id": n}) for n in range(1_000)] + [
        state(1),
        record({"id": 1_000}),
        record({"id": 1_001}),
        state(2),
    ]
    written = write({**CONFIG, "on_invalid": "skip"}, catalog_of(), messages)
    assert written.error is None
    assert sorted(map(int, picky.accepted)) == [n for n in range(1_002) if n != 700]
    assert written.counts == [(999, 1), (2, 0)]
    assert picky.requests < 30
    assert (
        "The record of stream 'users' with key [700] was not sent: "
        f"Segment rejected the call (HTTP {status}: malformed trait)."
    ) in caplog.messages


def test_the_calls_of_a_user_keep_their_order_around_a_rejected_one(api: Mocker) -> None:
    picky = Picky(lambda call: call["traits"]["n"] == 5)
    seen: list[int] = []
    api.post(BATCH_URL, json=picky)
    write({**CONFIG, "on_invalid": "skip"}, catalog_of(), [record({"id": "u", "n": n}) for n in range(20)])
    for request in api.request_history:
        calls = orjson.loads(gzip.decompress(request.body))["batch"]
        if not any(call["traits"]["n"] == 5 for call in calls):
            seen += [call["traits"]["n"] for call in calls]
    assert seen == [n for n in range(20) if n != 5]


def test_with_fail_no_state_passes_a_rejected_record(api: Mocker) -> None:
    api.post(BATCH_URL, json=Picky(of_user(2)))
    messages = [item for n in range(5) for item in (record({"id": n}), state(n))]
    written = write(CONFIG, catalog_of(), messages)
    assert [each["stream"]["stream_state"]["number"] for each in written.states] == [0, 1]
    assert "1 of stream 'users': Segment rejected the call (HTTP 400)" in str(written.error)


@pytest.mark.parametrize("on_invalid", ["fail", "skip"])
@pytest.mark.parametrize("count", [1, 3, 2_000])
def test_if_segment_rejects_everything_the_message_points_to_the_write_key(
    api: Mocker, on_invalid: str, count: int
) -> None:
    picky = Picky(lambda _: True)
    api.post(BATCH_URL, json=picky)
    messages = [*(record({"id": n}) for n in range(count)), state(1)]
    written = write({**CONFIG, "on_invalid": on_invalid}, catalog_of(), messages)
    assert written.error is not None
    assert written.error.failure_type is FailureType.config_error
    assert str(written.error).startswith("Segment rejected every call (HTTP 400")
    assert "). The most likely cause is the write key" in str(written.error)
    assert written.states == []
    assert picky.requests < 400


def test_a_batch_rejected_for_its_write_key_is_not_split(api: Mocker) -> None:
    picky = Picky(lambda _: True, body={"success": False, "message": "Please provide a valid write key"})
    api.post(BATCH_URL, json=picky)
    written = write({**CONFIG, "on_invalid": "skip"}, catalog_of(), [record({"id": "u", "n": n}) for n in range(500)])
    assert "Check that the write key was copied completely" in str(written.error)
    assert picky.requests == 1


def test_many_rejected_calls_among_accepted_ones_are_rejected_records(api: Mocker) -> None:
    picky = Picky(lambda call: call["traits"]["n"] >= 200)
    api.post(BATCH_URL, json=picky)
    messages = [*(record({"id": "u", "n": n}) for n in range(400)), state(1)]
    written = write({**CONFIG, "on_invalid": "skip"}, catalog_of(), messages)
    assert (written.error, written.counts, len(picky.accepted)) == (None, [(200, 200)], 200)


def test_accepted_and_rejected_records_add_up_whatever_the_number_of_calls(api: Mocker) -> None:
    group = {"stream": "users", "call_type": "group", "user_id_field": "id", "group_id_field": "account"}
    api.post(BATCH_URL, json=Picky(of_user(3, 4)))
    messages: list[JsonObject] = []
    for n in range(10):
        messages += [record({"id": n, "account": None if n % 2 else "a"})]
        if n in (4, 9):
            messages += [state(n)]
    written = write(config_of(IDENTIFY, group, on_invalid="skip"), catalog_of(), messages)
    assert [accepted + rejected for accepted, rejected in written.counts] == [5, 5]
    assert written.counts == [(2, 3), (2, 3)]
