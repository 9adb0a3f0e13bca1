"""States after acceptance, order, identity and records that cannot be sent."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from airbyte_cdk.models import FailureType
from requests_mock import Mocker

from unit_tests.destination_segment.segment_writes import (
    ACCEPTED,
    BATCH_URL,
    JsonObject,
    catalog_of,
    config_of,
    record,
    sent_batches,
    sent_items,
    state,
    write,
)

IDENTIFY = {"stream": "users", "call_type": "identify", "user_id_field": "id"}
CONFIG = config_of(IDENTIFY)


def numbers(states: list[JsonObject]) -> list[int]:
    return [state["stream"]["stream_state"]["number"] for state in states]


def test_states_are_returned_in_order_with_the_records_they_cover(api: Mocker) -> None:
    messages = [record({"id": 1}), record({"id": 2}), state(2), state(2), record({"id": 3}), state(3)]
    written = write(CONFIG, catalog_of(), messages)
    assert numbers(written.states) == [2, 2, 3]
    assert [state["destinationStats"]["recordCount"] for state in written.states] == [2, 0, 1]
    assert len(sent_items(api)) == 3


def test_a_state_waits_for_every_record_before_it(api: Mocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("destination_segment.delivery.writer._SECONDS_BETWEEN_FLUSHES", 0)
    allowed = threading.Event()
    accepted: list[str] = []

    def answer(*_: object) -> JsonObject:
        allowed.wait(10)
        accepted.append("batch")
        return {"success": True}

    api.post(BATCH_URL, json=answer)
    states_seen_before = []

    def messages() -> Iterator[JsonObject]:
        yield record({"id": 1})
        yield state(1)
        yield state(1)
        states_seen_before.append(len(accepted))
        allowed.set()
        yield record({"id": 2})

    written = write(CONFIG, catalog_of(), messages())
    assert states_seen_before == [0]
    assert numbers(written.states) == [1, 1]


def test_calls_that_states_wait_for_are_sent_at_most_once_per_second(
    api: Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=100.0, monotonic=lambda: clock.now)
    monkeypatch.setattr("destination_segment.delivery.writer.time", clock)

    def messages() -> Iterator[JsonObject]:
        for number, clock.now in enumerate((100.0, 100.9, 101.0, 101.9, 102.0)):
            yield record({"id": "u", "n": number})
            yield state(number)

    assert len(write(CONFIG, catalog_of(), messages()).states) == 5
    assert [[item["traits"]["n"] for item in batch["batch"]] for batch in sent_batches(api)] == [[0, 1, 2], [3, 4]]


def test_at_most_a_thousand_states_are_held(api: Mocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("destination_segment.delivery.writer.time", SimpleNamespace(monotonic=lambda: 100.0))
    sent_before = []

    def messages() -> Iterator[JsonObject]:
        yield record({"id": 1})
        yield from map(state, range(1_000))
        sent_before.append(len(sent_items(api)))
        yield state(1_000)
        sent_before.append(len(sent_items(api)))

    assert len(write(CONFIG, catalog_of(), messages()).states) == 1_001
    assert sent_before == [0, 1]


def test_a_rejected_credential_ends_the_sync_without_the_states_after_it(
    api: Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("destination_segment.delivery.batches.MAX_BATCH_CALLS", 1)
    api.post(BATCH_URL, [ACCEPTED, {"status_code": 401}])
    written = write(CONFIG, catalog_of(), [item for n in range(9) for item in (record({"id": "u", "n": n}), state(n))])
    assert numbers(written.states) == [0]
    assert written.error is not None
    assert written.error.failure_type is FailureType.config_error
    assert len(api.request_history) == 2


def test_calls_of_one_user_keep_their_order(api: Mocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("destination_segment.delivery.batches.MAX_BATCH_CALLS", 3)
    write(CONFIG, catalog_of(), [record({"id": n % 40, "n": n}) for n in range(2_000)])
    by_user = defaultdict(list)
    for item in sent_items(api):
        by_user[item["userId"]].append(item["traits"]["n"])
    assert len(by_user) == 40
    assert all(sent == list(range(int(user), 2_000, 40)) for user, sent in by_user.items())


def test_one_record_can_become_several_calls(api: Mocker) -> None:
    group = {"stream": "users", "call_type": "group", "user_id_field": "id", "group_id_field": "account"}
    write(config_of(IDENTIFY, group), catalog_of(), [record({"id": 1, "account": 2})])
    assert [item["type"] for item in sent_items(api)] == ["identify", "group"]


class TestMessageIds:
    def ids(
        self, api: Mocker, *records: JsonObject, mapping: JsonObject = IDENTIFY, cursor: str | None = None
    ) -> list[str]:
        api.reset_mock()
        write(config_of(mapping), catalog_of(cursor=cursor), [record(each) for each in records])
        ids = [item["messageId"] for item in sent_items(api)]
        assert all(len(each) < 100 for each in ids)
        return ids

    def test_the_same_record_always_has_the_same_id(self, api: Mocker) -> None:
        once = self.ids(api, {"id": 1, "name": "Ada", "plan": "a"})
        assert once == self.ids(api, {"plan": "a", "name": "Ada", "id": 1})

    def test_different_content_has_a_different_id(self, api: Mocker) -> None:
        assert len(set(self.ids(api, {"id": 1, "plan": "a"}, {"id": 1, "plan": "b"}))) == 2

    def test_a_different_key_has_a_different_id_even_for_the_same_call(self, api: Mocker) -> None:
        track = {
            "stream": "users",
            "call_type": "track",
            "user_id_field": "user",
            "event_name": "Seen",
            "properties": {"selection": "none"},
        }
        assert len(set(self.ids(api, {"id": 1, "user": 7}, {"id": 2, "user": 7}, mapping=track))) == 2

    def test_a_value_that_changes_back_is_a_new_message(self, api: Mocker) -> None:
        traits = {**IDENTIFY, "traits": {"selection": "list", "fields": ["plan"]}}
        versions = [{"id": 1, "plan": plan, "at": at} for at, plan in enumerate(["a", "b", "a"])]
        assert len(set(self.ids(api, *versions, mapping=traits, cursor="at"))) == 3

    def test_a_field_that_is_not_sent_does_not_change_the_id(self, api: Mocker) -> None:
        traits = {**IDENTIFY, "traits": {"selection": "list", "fields": ["plan"]}}
        assert len(set(self.ids(api, {"id": 1, "seen": 1}, {"id": 1, "seen": 2}, mapping=traits))) == 1


@pytest.mark.usefixtures("api")
class TestRecordsThatCannotBeSent:
    MESSAGES = (record({"id": 1}), state(1), record({"id": 2, "age": "secret"}), record({"id": 3}), state(3))

    def test_they_fail_the_sync_once_the_others_are_sent(self, api: Mocker) -> None:
        written = write(CONFIG, catalog_of(), self.MESSAGES)
        assert [item["userId"] for item in sorted(sent_items(api), key=lambda item: item["userId"])] == ["1", "3"]
        assert numbers(written.states) == [1]
        assert written.error is not None
        assert written.error.failure_type is FailureType.config_error
        assert str(written.error).startswith(
            "1 record(s) could not be sent; all others were. 1 of stream 'users': 'age' is not a number."
        )

    def test_they_are_logged_with_their_key_and_reason_but_not_their_content(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(CONFIG, catalog_of(), self.MESSAGES)
        assert "The record of stream 'users' with key [2] was not sent: 'age' is not a number." in caplog.messages
        assert "secret" not in caplog.text

    def test_without_a_key_they_are_logged_by_number(self, caplog: pytest.LogCaptureFixture) -> None:
        write(CONFIG, catalog_of(primary_key=[]), self.MESSAGES)
        assert "The record of stream 'users' number 2 was not sent: 'age' is not a number." in caplog.messages

    def test_they_can_be_skipped(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        written = write({**CONFIG, "on_invalid": "skip"}, catalog_of(), self.MESSAGES)
        assert written.error is None
        assert numbers(written.states) == [1, 3]
        assert written.counts == [(1, 0), (1, 1)]
        assert any(m.startswith("Stream 'users': 3 records read, 2 sent, 1 rejected") for m in caplog.messages)


@pytest.mark.usefixtures("api")
def test_a_record_of_a_stream_that_the_catalog_lacks_ends_the_sync() -> None:
    written = write(CONFIG, catalog_of(), [record({"id": 1}, stream="accounts")])
    assert str(written.error) == "Received records for stream 'accounts', which is not in the configured catalog."


@pytest.mark.usefixtures("api")
def test_a_state_counts_the_records_of_its_own_stream() -> None:
    order = {"stream": "orders", "call_type": "track", "user_id_field": "id", "event_name": "Bought"}
    catalog = {"streams": [*catalog_of()["streams"], *catalog_of("orders")["streams"]]}
    orders = [record({"id": number}, "orders") for number in (7, None, 8)]
    messages = [record({"id": 1}), *orders, state(1), state(3, "orders")]
    written = write(config_of(IDENTIFY, order, on_invalid="skip"), catalog, messages)
    assert (written.error, written.counts) == (None, [(1, 0), (2, 1)])


@pytest.mark.usefixtures("api")
def test_the_last_message_counts_every_record_that_could_not_be_sent() -> None:
    written = write(CONFIG, catalog_of(), [record({"id": number}) for number in (None, 1, None, None)])
    assert str(written.error).startswith("3 record(s) could not be sent; all others were.")


@pytest.mark.usefixtures("api")
def test_a_state_counts_its_own_stream_of_two_with_the_same_name() -> None:
    (plain,) = catalog_of()["streams"]
    catalog = {"streams": [plain, {**plain, "stream": {**plain["stream"], "namespace": "b"}}]}
    others = [record({"id": number}) for number in (2, 3)]
    for message in others:
        message["record"]["namespace"] = "b"
    other_state = state(2)
    other_state["state"]["stream"]["stream_descriptor"]["namespace"] = "b"
    written = write(CONFIG, catalog, [record({"id": 1}), *others, other_state, state(1)])
    assert (written.error, written.counts) == (None, [(2, 0), (1, 0)])
