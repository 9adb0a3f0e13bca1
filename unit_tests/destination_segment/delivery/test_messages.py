"""Messages as the platform sends them: unknown content is passed on unchanged, or ignored."""

import json
import os
import threading
import time
from collections.abc import Iterator

import orjson
import pytest
from airbyte_cdk.models import AirbyteMessageSerializer, ConfiguredAirbyteCatalogSerializer
from requests_mock import Mocker

from destination_segment import DestinationSegment
from destination_segment.delivery.messages import lines_of
from unit_tests.destination_segment.segment_writes import (
    JsonObject,
    catalog_of,
    config_of,
    record,
    sent_batches,
    sent_items,
    state,
    write,
)

CONFIG = config_of({"stream": "users", "call_type": "identify", "user_id_field": "id"})


@pytest.mark.usefixtures("api")
class TestStates:
    def test_a_state_is_returned_unchanged_except_for_the_counts(self) -> None:
        platform_state = {
            "type": "STATE",
            "state": {
                "type": "STREAM",
                "stream": {
                    "stream_descriptor": {"name": "users", "namespace": None, "shard": 4},
                    "stream_state": {"at": 1.5, "id": 2**70, "text": "å\ud800"},
                },
                "sourceStats": {"recordCount": 1.0, "filtered": 0},
                "data": {"legacy": True},
                "partition": [None],
            },
            "id": 17,
            "checkpoint": {"key": "p1"},
        }
        written = write(CONFIG, catalog_of(), [record({"id": 1}), json.dumps(platform_state).encode()])
        [message] = written.messages
        assert message["state"].pop("destinationStats") == {"recordCount": 1, "rejectedRecordCount": 0}
        assert message == platform_state

    def test_every_state_has_its_own_id_and_its_own_counts(self) -> None:
        messages = [record({"id": 1}), {**state(1), "id": 1}, {**state(2), "id": 2}, record({"id": 2}), state(3)]
        written = write(CONFIG, catalog_of(), messages)
        assert [message.get("id") for message in written.messages] == [1, 2, None]
        assert written.counts == [(1, 0), (0, 0), (1, 0)]

    def test_a_global_state_counts_the_records_of_all_streams(self) -> None:
        global_state = {"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": []}}, "id": 1}
        written = write(CONFIG, catalog_of(), [record({"id": 1}), record({"id": 2}), global_state])
        assert written.counts == [(2, 0)]


@pytest.mark.parametrize(
    "line",
    [
        {"type": "TRACE", "trace": {"type": "HEARTBEAT", "emitted_at": 1.5, "heartbeat": {}}},
        {"type": "TRACE"},
        {"type": "LOG", "log": {"level": "VERBOSE", "message": "x"}},
        {"type": "CONTROL", "control": {"type": "NEW"}},
        {"type": "SOMETHING_NEW", "something": 1},
        b"",
        b"  ",
    ],
)
def test_other_messages_are_ignored(api: Mocker, line: JsonObject | bytes) -> None:
    written = write(CONFIG, catalog_of(), [line, record({"id": 1}), state(1)])
    assert (written.error, len(written.states), len(sent_items(api))) == (None, 1, 1)


def test_a_record_may_have_unknown_fields(api: Mocker) -> None:
    message = record({"id": 1})
    message["record"] |= {
        "emitted_at": 1767225600000.25,
        "meta": {"changes": [{"field": "a", "change": "SHORTENED", "reason": "A_NEW_REASON"}]},
        "file": {"bytes": 1},
    }
    assert write(CONFIG, catalog_of(), [message]).error is None
    assert len(sent_items(api)) == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "RECORD", "record": {"stream": "users", "data": {"id": "sec',
        b"[1]",
        b'{"record": {}}',
        b'{"type": "RECORD"}',
        b'{"type": "RECORD", "record": {"stream": "users", "data": []}}',
        b'{"type": "STATE"}',
        b'{"type": "RECORD", "record": {"stream": ["users"], "data": {}}}',
        b'{"type": "RECORD", "record": {"stream": "users", "namespace": {}, "data": {}}}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_not_a_message_ends_the_sync(api: Mocker, line: bytes) -> None:
    written = write(CONFIG, catalog_of(), [record({"id": 1}), state(1), line, record({"id": 2})])
    assert str(written.error) == (
        "Line 3 of the input is not an Airbyte message. Check whether the source was interrupted."
    )
    assert [item["userId"] for item in sent_items(api)] in ([], ["1"])


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'"a\\ud800"', "the call contains a string that is not valid Unicode"),
        (b'"a\xff"', "the call contains a string that is not valid Unicode"),
        (b"NaN", "the call contains a value that JSON cannot represent"),
        (nested(300), "the call is nested too deeply"),
        (nested(5_000), "the record is nested too deeply"),
        (b"[" * 2_000 + b'"}]"' + b"]" * 2_000, "the record is nested too deeply"),
    ],
    ids=["lone surrogate", "not UTF-8", "NaN", "deep", "very deep", "very deep list"],
)
def test_a_record_that_cannot_be_encoded_is_named_by_key(
    api: Mocker, caplog: pytest.LogCaptureFixture, value: bytes, reason: str
) -> None:
    line = b'{"type":"RECORD","record":{"stream":"users","emitted_at":1,"data":{"id":7,"x":%b}}}' % value
    written = write({**CONFIG, "on_invalid": "skip"}, catalog_of(), [line, record({"id": 8}), state(2)])
    assert written.error is None
    assert written.counts == [(1, 1)]
    assert f"The record of stream 'users' with key [7] was not sent: {reason}." in caplog.messages
    assert [item["userId"] for item in sent_items(api)] == ["8"]


def test_a_field_that_cannot_be_encoded_is_harmless_if_it_is_not_sent(api: Mocker) -> None:
    config = config_of(
        {
            "stream": "users",
            "call_type": "identify",
            "user_id_field": "id",
            "traits": {"selection": "all", "exclude": ["x"]},
        }
    )
    line = b'{"type":"RECORD","record":{"stream":"users","emitted_at":1,"data":{"id":7,"x":"\\ud800","y":NaN}}}'
    written = write(config, catalog_of(), [line.replace(b"NaN", b"1")])
    assert written.error is None
    assert sent_items(api)[0]["traits"] == {"y": 1}


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (b"18446744073709551615", "18446744073709551615"),
        (b"18446744073709551616", "18446744073709551616"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"-9223372036854775809", "-9223372036854775809"),
        (b"1e3", "1000"),
        (b"1e25", "10000000000000000905969664"),
    ],
)
def test_an_id_keeps_every_digit(api: Mocker, written: bytes, sent: str) -> None:
    line = b'{"type":"RECORD","record":{"stream":"users","emitted_at":1,"data":{"id":%b,"n":%b}}}' % (written, written)
    assert write(CONFIG, catalog_of(), [line]).error is None
    [item] = sent_items(api)
    assert item["userId"] == sent
    assert float(item["traits"]["n"]) == float(written)


@pytest.mark.parametrize("selection", [{"selection": "none"}, {"selection": "all", "exclude": ["id"]}])
def test_records_whose_keys_differ_beyond_64_bits_are_distinct(api: Mocker, selection: JsonObject) -> None:
    call = {"call_type": "track", "user_id_field": "user", "event_name": "Seen", "properties": selection}
    lines = [
        b'{"type":"RECORD","record":{"stream":"users","data":{"id":%d,"user":"u"}}}' % (2**70 + n) for n in range(3)
    ]
    assert write(config_of({"stream": "users", "call": call}), catalog_of(), lines).error is None
    assert len({item["messageId"] for item in sent_items(api)}) == 3


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b'"\\ud800"'], ids=["NaN", "infinity", "lone surrogate"])
def test_the_message_id_is_the_same_again_even_if_the_key_and_cursor_cannot_be_sent(api: Mocker, value: bytes) -> None:
    call = {"call_type": "track", "user_id_field": "user", "event_name": "Seen", "properties": {"selection": "none"}}
    line = b'{"type":"RECORD","record":{"stream":"users","data":{"id":%b,"at":%b,"user":"u"}}}' % (value, value)
    other = line.replace(value, b"1")
    written = write(config_of({"stream": "users", "call": call}), catalog_of(cursor="at"), [line, line, other])
    assert written.error is None
    first, again, different = [item["messageId"] for item in sent_items(api)]
    assert first == again != different


def test_a_template_writes_every_digit(api: Mocker) -> None:
    url = "https://api.segment.io/v1/users/1180591620717411303425"
    api.put(url, json={"success": True})
    body = {"source": "template", "template": '{"userId": "{{ record.id | string }}", "n": "{{ record.id }}"}'}
    call = {"call_type": "api_call", "method": "PUT", "path": "/users/{{ record.id }}", "body": body}
    line = b'{"type":"RECORD","record":{"stream":"users","data":{"id":1180591620717411303425}}}'
    assert write(config_of({"stream": "users", "call": call}), catalog_of(), [line]).error is None
    sent = api.request_history[-1].json()
    assert (sent["userId"], sent["n"]) == ("1180591620717411303425", 1180591620717411303425)


def test_the_log_names_a_hundred_records_of_a_reason_and_counts_the_others(
    api: Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    del api
    messages = [record({"id": n, "age": "old"}) for n in range(250)]
    written = write(CONFIG, catalog_of(), messages)
    assert sum("was not sent" in message for message in caplog.messages) == 100
    assert sum("are only counted" in message for message in caplog.messages) == 1
    assert "250 of stream 'users': 'age' is not a number" in str(written.error)


def test_reasons_that_differ_for_every_record_are_counted_together_after_a_hundred(
    api: Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    api.post(
        "https://api.segment.io/v1/group",
        status_code=400,
        json=lambda request, _: {"message": f"no group for {request.json()['id']}"},
    )
    mapping = {"stream": "users", "call_type": "api_call", "path": "/group"}
    written = write(config_of(mapping), catalog_of(), [record({"id": n}) for n in range(103)])
    assert "103 record(s) could not be sent; all others were. 3 of stream 'users': other reasons; " in str(
        written.error
    )
    assert "; and 91 more reasons." in str(written.error)
    assert "The record of stream 'users' with key [102] was not sent: other reasons." in caplog.messages


class TestLines:
    def test_lines_are_complete_however_they_arrive(self) -> None:
        read_end, write_end = os.pipe()
        chunks = [b"a", b"b\nc", b"\n\n", b"d" * 300_000, b"\nlast"]

        def feed() -> None:
            with open(write_end, "wb", buffering=0) as pipe:  # noqa: PTH123 # a descriptor has no path
                pipe.writelines(chunks)

        threading.Thread(target=feed).start()
        with open(read_end, "rb") as pipe:  # noqa: PTH123 # as above
            lines = [line for line in lines_of(pipe) if line is not None]
        assert lines == [b"ab", b"c", b"", b"d" * 300_000, b"last"]

    def test_none_is_yielded_while_no_line_arrives(self) -> None:
        read_end, write_end = os.pipe()
        with open(read_end, "rb") as pipe, open(write_end, "wb") as input_pipe:  # noqa: PTH123 # as above
            assert next(lines_of(pipe)) is None
            input_pipe.close()


def test_states_are_returned_while_the_input_is_idle(api: Mocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("destination_segment.delivery.writer._SECONDS_BETWEEN_FLUSHES", 0)

    def lines() -> Iterator[bytes | None]:
        yield orjson.dumps(record({"id": 1}))
        yield orjson.dumps(state(1))
        deadline = time.monotonic() + 10
        while not left and time.monotonic() < deadline:
            yield None
        yield orjson.dumps(record({"id": 2}))

    left: list[str] = []
    for line in DestinationSegment().write_lines(CONFIG, catalog_of(), lines()):
        left.append(line)
        assert len(sent_items(api)) == 1
    assert len(left) == 1


def test_while_records_arrive_only_calls_that_a_state_waits_for_are_sent_early(
    api: Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("destination_segment.delivery.writer._SECONDS_BETWEEN_FLUSHES", 0)
    lines: list[JsonObject | None] = []
    for number in range(5):
        lines += [record({"id": "u", "n": number}), None]
    write(CONFIG, catalog_of(), lines)
    assert len(sent_batches(api)) == 1

    api.reset_mock()
    write(CONFIG, catalog_of(), [record({"id": "u", "n": 1}), None, None, record({"id": "u", "n": 2})])
    assert len(sent_batches(api)) == 2


def test_parsed_messages_can_be_written_too(api: Mocker) -> None:
    catalog = ConfiguredAirbyteCatalogSerializer.load(catalog_of())
    messages = [AirbyteMessageSerializer.load(message) for message in (record({"id": 1}), state(1))]
    [message] = DestinationSegment().write(CONFIG, catalog, messages)
    assert message.state
    assert message.state.destinationStats
    assert message.state.destinationStats.recordCount == 1
    assert len(sent_items(api)) == 1
