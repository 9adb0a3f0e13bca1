"""The records that a mapping sends: deleted rows, fields that are present or have a value."""

import pytest
from requests_mock import Mocker

from cdp_connectors.json_types import Json, JsonObject
from unit_tests.destination_segment.segment_writes import catalog_of, config_of, record, sent_items, state, write

IDENTIFY: JsonObject = {"call_type": "identify", "user_id_field": "id"}
EXITED: JsonObject = {"call_type": "track", "user_id_field": "id", "event_name": "Segment Exited"}


def mapping(call: JsonObject = IDENTIFY, **send_when: Json) -> JsonObject:
    return {"stream": "users", "call": call} | ({"send_when": send_when} if send_when else {})


def sent_users(api: Mocker, mapped: list[JsonObject], rows: list[JsonObject]) -> list[tuple[str, str]]:
    written = write(config_of(*mapped), catalog_of(), [*map(record, rows), state(1)])
    assert written.error is None
    assert written.counts == [(len(rows), 0)]
    return sorted((item["type"], item["userId"]) for item in sent_items(api))


ROWS: list[JsonObject] = [
    {"id": 1, "_ab_cdc_deleted_at": None, "plan": "pro"},
    {"id": 2, "_ab_cdc_deleted_at": "2026-01-01T00:00:00Z", "plan": "pro"},
    {"id": 3, "plan": ""},
    {"id": 4, "plan": None},
    {"id": 5, "plan": 5},
    {"id": 6, "plan": True},
]


@pytest.mark.parametrize(
    ("send_when", "users"),
    [
        ({}, [1, 3, 4, 5, 6]),
        ({"condition": "not_deleted"}, [1, 3, 4, 5, 6]),
        ({"condition": "always"}, [1, 2, 3, 4, 5, 6]),
        ({"condition": "deleted"}, [2]),
        ({"condition": "field_present", "field": "plan"}, [1, 5, 6]),
        ({"condition": "field_equals", "field": "plan", "value": "pro"}, [1]),
        ({"condition": "field_equals", "field": "plan", "value": "5"}, [5]),
        ({"condition": "field_equals", "field": "plan", "value": "true"}, [6]),
        ({"condition": "field_equals", "field": "absent", "value": "None"}, []),
    ],
)
def test_a_condition_decides_which_records_are_sent(api: Mocker, send_when: JsonObject, users: list[int]) -> None:
    assert sent_users(api, [mapping(**send_when)], ROWS) == [("identify", str(user)) for user in users]


@pytest.mark.parametrize(
    ("written", "value", "is_sent"),
    [
        (b"5.0", "5", True),
        (b"5.5", "5.5", True),
        (b"1180591620717411303425", "1180591620717411303425", True),
        (b"1180591620717411303425", "1180591620717411303424", False),
    ],
)
def test_a_number_equals_its_digits(api: Mocker, written: bytes, value: str, *, is_sent: bool) -> None:
    config = config_of(mapping(condition="field_equals", field="n", value=value))
    line = b'{"type":"RECORD","record":{"stream":"users","data":{"id":1,"n":%b}}}' % written
    assert write(config, catalog_of(), [line]).error is None
    assert bool(sent_items(api)) is is_sent


def test_existing_rows_are_identified_and_deleted_ones_become_events(api: Mocker) -> None:
    mapped = [mapping(), mapping(EXITED, condition="deleted")]
    assert sent_users(api, mapped, ROWS[:3]) == [("identify", "1"), ("identify", "3"), ("track", "2")]


def test_a_stream_can_have_its_own_field_for_deletions(api: Mocker) -> None:
    mapped = [mapping(), mapping(EXITED, condition="deleted", field="removed.at")]
    rows: list[JsonObject] = [{"id": 1, "removed": {"at": None}}, {"id": 2, "removed": {"at": 5}}, {"id": 3}]
    assert sent_users(api, mapped, rows) == [("identify", "1"), ("identify", "3"), ("track", "2")]


def test_deleted_rows_are_counted_in_the_log(api: Mocker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    sent_users(api, [mapping(condition="field_present", field="plan")], [*ROWS, ROWS[1]])
    assert (
        "Stream 'users': 7 records read, 3 sent, 0 rejected, 2 deleted rows not sent, 2 matched by no mapping."
        in caplog.messages
    )


def test_the_field_for_deletions_is_not_a_trait(api: Mocker) -> None:
    sent_users(api, [mapping()], ROWS[:1])
    assert sent_items(api)[0]["traits"] == {"plan": "pro"}


def test_two_mappings_apply_independently(api: Mocker) -> None:
    group = {"call_type": "group", "user_id_field": "id", "group_id_field": "company"}
    config = config_of(mapping(), mapping(group), on_invalid="skip")
    written = write(
        config, catalog_of(), [record({"id": 1, "company": None}), record({"id": 2, "company": "c"}), state(1)]
    )
    assert written.error is None
    assert sorted((item["type"], item["userId"]) for item in sent_items(api)) == [
        ("group", "2"),
        ("identify", "1"),
        ("identify", "2"),
    ]


def test_a_condition_names_fields_that_the_stream_must_have(api: Mocker) -> None:
    mapped = mapping(condition="field_present", field="plan")
    written = write(config_of(mapped), catalog_of(properties=["id"]), [record({"id": 1})])
    assert "refers to fields that the stream does not have: plan." in str(written.error)
    assert not api.request_history
