"""Values in calls: times with offsets, lenient reserved traits, constants and templates."""

from typing import ClassVar

import pytest
from requests_mock import Mocker

from cdp_connectors.json_types import Json, JsonObject
from unit_tests.destination_segment.segment_writes import catalog_of, config_of, record, sent_items, write

IDENTIFY: JsonObject = {"call_type": "identify", "user_id_field": "id"}
TIMESTAMP = {"type": ["null", "string"], "format": "date-time"}


def sent(api: Mocker, call: JsonObject, data: JsonObject, properties: JsonObject | None = None) -> JsonObject:
    config = config_of({"stream": "users", "call": call})
    written = write(config, catalog_of(properties=properties or {}), [record(data)])
    assert written.error is None
    [item] = sent_items(api)
    return item


class TestTimesWithoutOffset:
    @pytest.mark.parametrize(
        ("schema", "given", "expected"),
        [
            (TIMESTAMP, "2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
            (TIMESTAMP, "2026-01-02 03:04:05.123456", "2026-01-02T03:04:05.123456Z"),
            (TIMESTAMP, "2026-01-02T03:04", "2026-01-02T03:04Z"),
            (
                {**TIMESTAMP, "airbyte_type": "timestamp_without_timezone"},
                "2026-01-02T03:04:05",
                "2026-01-02T03:04:05Z",
            ),
            ({"oneOf": [{"type": "null"}, TIMESTAMP]}, "2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
            (TIMESTAMP, "2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05+02:00"),
            (TIMESTAMP, "2026-01-02", "2026-01-02"),
            (TIMESTAMP, "soon", "soon"),
            (TIMESTAMP, None, None),
            ({"type": "string"}, "2026-01-02T03:04:05", "2026-01-02T03:04:05"),
            ({}, "2026-01-02T03:04:05", "2026-01-02T03:04:05"),
            (
                {"type": "object", "properties": {"at": TIMESTAMP, "to": {"type": "string"}}},
                {"at": "2026-01-02T03:04:05", "to": "2026-01-02T03:04:05"},
                {"at": "2026-01-02T03:04:05Z", "to": "2026-01-02T03:04:05"},
            ),
            ({"type": "array", "items": TIMESTAMP}, ["2026-01-02T03:04:05"], ["2026-01-02T03:04:05Z"]),
        ],
    )
    def test_they_get_one_if_the_catalog_declares_timestamps(
        self, api: Mocker, schema: JsonObject, given: Json, expected: Json
    ) -> None:
        assert sent(api, IDENTIFY, {"id": 1, "seen": given}, {"id": {}, "seen": schema})["traits"]["seen"] == expected

    def test_under_another_name_and_within_an_object_too(self, api: Mocker) -> None:
        traits = {"selection": "mapping", "mapping": [{"name": "last", "field": "profile.seen"}]}
        properties = {"id": {}, "profile": {"type": "object", "properties": {"seen": TIMESTAMP}}}
        data = {"id": 1, "profile": {"seen": "2026-01-02T03:04:05"}}
        assert sent(api, {**IDENTIFY, "traits": traits}, data, properties)["traits"] == {"last": "2026-01-02T03:04:05Z"}

    @pytest.mark.parametrize(
        ("name", "given", "expected"),
        [
            ("created_at", "2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"),
            ("title", "2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
            ("birthday", None, None),
        ],
    )
    def test_under_a_reserved_name_too(self, api: Mocker, name: str, given: Json, expected: Json) -> None:
        properties = {"id": {}, name: TIMESTAMP}
        assert sent(api, IDENTIFY, {"id": 1, name: given}, properties)["traits"] == {name: expected}

    def test_in_properties_too(self, api: Mocker) -> None:
        track = {"call_type": "track", "user_id_field": "id", "event_name": "Seen"}
        item = sent(api, track, {"id": 1, "at": "2026-01-02T03:04:05"}, {"id": {}, "at": TIMESTAMP})
        assert item["properties"] == {"at": "2026-01-02T03:04:05Z"}


class TestLenientReservedTraits:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"company": "Initech"}, {"company": {"name": "Initech"}}),
            ({"address": "1 Main St"}, {"address": {"street": "1 Main St"}}),
            ({"age": ""}, {}),
            ({"birthday": " "}, {}),
            ({"company": ""}, {}),
            ({"address": ""}, {}),
            ({"company": {"name": "", "employee_count": ""}}, {"company": {"name": ""}}),
            ({"email": ""}, {"email": ""}),
            ({"age": None}, {"age": None}),
            ({"company": {"name": None}}, {"company": {"name": None}}),
        ],
    )
    def test_segment_accepts_more_than_it_documents(self, api: Mocker, given: JsonObject, expected: JsonObject) -> None:
        assert sent(api, IDENTIFY, {"id": 1, **given})["traits"] == expected

    @pytest.mark.parametrize("name", ["company", "address"])
    def test_a_string_field_in_the_catalog_is_accepted_too(self, api: Mocker, name: str) -> None:
        properties = {"id": {}, name: {"type": ["null", "string"]}}
        assert set(sent(api, IDENTIFY, {"id": 1, name: "x"}, properties)["traits"]) == {name}


class TestConstantsAndTemplates:
    def test_traits_properties_and_context_can_have_them(self, api: Mocker) -> None:
        call = {
            "call_type": "track",
            "user_id_field": "id",
            "event_name": "Seen",
            "context": [{"name": "app.name", "value": "Airbyte"}, {"name": "ip", "field": "ip"}],
            "properties": {
                "selection": "mapping",
                "mapping": [
                    {"name": "source", "value": "warehouse"},
                    {"name": "full_name", "value": "{{ record.first }} {{ record.last }}"},
                    {"name": "count", "value": "{{ record.count }}"},
                    {"name": "level", "value": "7", "type": "number"},
                    {"name": "gone", "value": "{{ record.gone }}"},
                    {"name": "plan", "field": "plan"},
                ],
            },
        }
        data = {"id": 1, "first": "Ada", "last": "L", "count": 3, "gone": None, "plan": "pro", "ip": "8.8.8.8"}
        item = sent(api, call, data)
        assert item["context"] == {"app": {"name": "Airbyte"}, "ip": "8.8.8.8"}
        assert item["properties"] == {
            "source": "warehouse",
            "full_name": "Ada L",
            "count": 3,
            "level": 7,
            "gone": None,
            "plan": "pro",
        }

    def test_reserved_names_have_their_type_whatever_the_source_of_the_value(self, api: Mocker) -> None:
        traits = {"selection": "mapping", "mapping": [{"name": "age", "value": "{{ record.born }}"}]}
        assert sent(api, {**IDENTIFY, "traits": traits}, {"id": 1, "born": "42"})["traits"] == {"age": 42}

    def test_a_record_with_a_null_in_the_middle_of_a_string_is_not_sent(self, api: Mocker) -> None:
        traits = {"selection": "mapping", "mapping": [{"name": "n", "value": "user {{ record.id }} {{ record.x }}"}]}
        config = config_of({"stream": "users", "call": {**IDENTIFY, "traits": traits}})
        written = write(config, catalog_of(), [record({"id": 1, "x": None})])
        assert "1 of stream 'users': a template would insert a null into a string." in str(written.error)
        assert not sent_items(api)

    def test_the_fields_of_templates_must_exist(self, api: Mocker) -> None:
        traits = {"selection": "mapping", "mapping": [{"name": "n", "value": "{{ record.naem }}"}]}
        config = config_of({"stream": "users", "call": {**IDENTIFY, "traits": traits}})
        written = write(config, catalog_of(properties=["id", "name"]), [record({"id": 1})])
        assert "refers to fields that the stream does not have: naem." in str(written.error)
        assert not api.request_history


class TestUnmappedStreams:
    CONFIG: ClassVar[JsonObject] = {"write_key": "sandbox-key", "unmapped_streams": "identify"}

    @pytest.mark.parametrize(
        ("properties", "primary_key", "data", "user"),
        [
            (["user_id", "userId", "id"], ["id"], {"user_id": "a", "userId": "b", "id": 1}, "a"),
            (["userId", "id"], ["id"], {"userId": "b", "id": 1}, "b"),
            (["id", "email"], ["id"], {"id": 1, "email": "e"}, "1"),
        ],
    )
    def test_they_are_identified_by_convention(
        self, api: Mocker, properties: list[str], primary_key: list[str], data: JsonObject, user: str
    ) -> None:
        written = write(
            self.CONFIG, catalog_of("people", properties, primary_key=primary_key), [record(data, "people")]
        )
        assert written.error is None
        [item] = sent_items(api)
        assert (item["type"], item["userId"]) == ("identify", user)
        assert item["traits"].keys() == data.keys() - {
            "user_id" if "user_id" in data else "userId" if "userId" in data else "id"
        }

    @pytest.mark.parametrize("primary_key", [[], ["a", "b"]])
    def test_without_a_user_id_they_need_a_mapping(self, api: Mocker, primary_key: list[str]) -> None:
        written = write(self.CONFIG, catalog_of("people", ["a", "b"], primary_key=primary_key), [])
        assert "has no mapping and no user id" in str(written.error)
        assert not api.request_history

    def test_a_stream_with_a_mapping_keeps_it(self, api: Mocker) -> None:
        track = {"call_type": "track", "user_id_field": "id", "event_name": "Seen"}
        config = {**self.CONFIG, "mappings": [{"stream": "users", "call": track}]}
        assert write(config, catalog_of(), [record({"id": 1})]).error is None
        assert [item["type"] for item in sent_items(api)] == ["track"]

    def test_by_default_they_fail_the_sync(self, api: Mocker) -> None:
        written = write({"write_key": "k"}, catalog_of(), [record({"id": 1})])
        assert str(written.error).startswith("Stream 'users' has no mapping (mapped streams: none).")
        assert not api.request_history
