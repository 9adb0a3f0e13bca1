from dataclasses import dataclass
from typing import Any

import pytest
from airbyte_cdk.sources.types import StreamSlice

from cdp_connectors.json_types import Json
from cdp_connectors.records import ParentKeys, RecordChange


def slice_of(partition: dict[str, Any], **extra_fields: Json) -> StreamSlice:
    return StreamSlice(partition=partition, cursor_slice={"start_time": "2026-01-01"}, extra_fields=extra_fields)


@pytest.mark.parametrize(
    ("stream_slice", "added"),
    [
        (slice_of({"sourceId": "s1"}), {"sourceId": "s1"}),
        (slice_of({"sourceId": "s1", "parent_slice": {}}), {"sourceId": "s1"}),
        (
            slice_of({"audienceId": "a", "parent_slice": {"spaceId": "x"}}, spaceId="y"),
            {"audienceId": "a", "spaceId": "y"},
        ),
        (slice_of({"object_type_id": "1"}), {"object_type_id": "1"}),
        (slice_of({"campaign_id": 7}, child_response={"large": []}), {"campaign_id": 7}),
        (slice_of({}), {}),
        (None, {}),
    ],
    ids=[
        "a parent",
        "the CDK's entry",
        "a grandparent",
        "digits stay a string",
        "numbers stay numbers",
        "none",
        "no slice",
    ],
)
def test_a_record_gets_the_keys_of_its_parents(stream_slice: StreamSlice | None, added: dict[str, Any]) -> None:
    record = {"id": "r"}
    ParentKeys().transform(record, stream_slice=stream_slice)
    assert record == {"id": "r", **added}


def test_the_requested_parent_wins_over_the_records_own_field() -> None:
    record = {"id": "r", "sourceId": None}
    ParentKeys().transform(record, stream_slice=slice_of({"sourceId": "s1"}))
    assert record == {"id": "r", "sourceId": "s1"}


def test_a_vendors_field_with_the_name_of_the_cdks_entry_stays() -> None:
    record = {"parent_slice": "the vendor's own"}
    ParentKeys().transform(record, stream_slice=slice_of({"sourceId": "s1", "parent_slice": {"spaceId": "x"}}))
    assert record == {"parent_slice": "the vendor's own", "sourceId": "s1"}


def test_a_change_sees_the_record_and_alters_it_in_place() -> None:
    @dataclass
    class Upper(RecordChange):
        def change(self, record: dict[str, Any]) -> None:
            record["name"] = record["name"].upper()

    record = {"name": "ada"}
    Upper().transform(record, config={}, stream_state={}, stream_slice=slice_of({"sourceId": "s1"}))
    assert record == {"name": "ADA"}


def test_a_key_can_have_another_name_in_the_record() -> None:
    record: dict[str, Any] = {"id": "r"}
    ParentKeys(names={"destinationId": "destinationConfigId"}).transform(
        record, stream_slice=slice_of({"destinationId": "d1"}, sourceId="s1")
    )
    assert record == {"id": "r", "destinationConfigId": "d1", "sourceId": "s1"}
