"""Field selection, schema validation and mappers."""

import pytest

from sandbox.airbyte import (
    BulkCdkLike,
    DestinationNames,
    HashField,
    RowFilter,
    ScriptedSource,
    SilentLossError,
    configured,
    run_sync,
)
from unit_tests.sandbox.airbyte.conftest import catalog, ids, record, rows, state, stream

USERS = catalog(stream("users"))


def test_an_undeclared_field_is_dropped_and_reported(destination: BulkCdkLike) -> None:
    source = ScriptedSource([record("users", id=1, plan="pro", nested={"x": 1}), state("users", 1)])

    with pytest.raises(SilentLossError) as raised:
        run_sync(source, destination, USERS)

    assert "users: 1 records had the undeclared field 'plan', which Airbyte drops" in str(raised.value)
    assert destination.table("users") == [{"id": 1}]


@pytest.mark.parametrize("allow", [["users.plan"], ["users.*"]])
def test_a_field_on_the_allow_list_may_be_undeclared(destination: BulkCdkLike, allow: list[str]) -> None:
    source = ScriptedSource([record("users", id=1, plan="pro"), state("users", 1)])

    attempt = run_sync(source, destination, USERS, allow=allow)

    assert attempt.dropped_fields == {"users": {"plan": 1}}


def test_schema_names_with_a_dollar_match_fields_without(destination: BulkCdkLike) -> None:
    schema = {"type": "object", "properties": {"$id": {}, "$comment": {}, "updated": {}}}
    source = ScriptedSource([record("users", id=1, comment="x"), state("users", 1)])

    run_sync(source, destination, catalog(stream("users", json_schema=schema)))

    assert destination.table("users") == [{"id": 1, "comment": "x"}]


@pytest.mark.parametrize("data", [{"id": "one"}, {"id": 1, "updated": "yesterday"}])
def test_a_record_that_violates_its_schema_is_reported_and_delivered(
    destination: BulkCdkLike, data: dict[str, object]
) -> None:
    with pytest.raises(SilentLossError, match="users: a record violates its schema"):
        run_sync(ScriptedSource([record("users", **data), state("users", 1)]), destination, USERS)

    assert destination.table("users") == [data]


def test_ten_invalid_records_per_stream_are_examined(destination: BulkCdkLike) -> None:
    lines = [record("users", id=str(number)) for number in range(20)]

    attempt = run_sync(ScriptedSource([*lines, state("users", 1)]), destination, USERS, strict=False)

    assert len(attempt.schema_errors["users"]) == 10


def test_a_user_selects_fields_and_keeps_key_and_cursor() -> None:
    discovered = {
        "streams": [
            {
                **stream("users")["stream"],
                "default_cursor_field": ["updated"],
                "source_defined_primary_key": [["id"]],
            }
        ]
    }

    [selected] = configured(discovered, fields={"users": []})["streams"]

    assert selected["stream"]["json_schema"]["properties"].keys() == {"id", "updated"}
    assert (selected["sync_mode"], selected["destination_sync_mode"]) == ("incremental", "append_dedup")


def test_mappers_change_and_remove_records_and_the_counts_match(destination: BulkCdkLike) -> None:
    lines = [record("users", id=1, name="a"), record("users", id=2, name="b"), state("users", 1, 2)]
    mappers = [RowFilter("users", lambda row: row["id"] == 2), HashField("users", "name")]

    attempt = run_sync(ScriptedSource(lines), destination, USERS, mappers=mappers)

    [row] = destination.table("users")
    assert row == {"id": 2, "name_hashed": "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"}
    assert attempt.states["users"]["sourceStats"] == {"recordCount": 1}
    assert attempt.emitted == {"users": 2}


def test_namespace_and_prefix_are_applied_and_reverted(destination: BulkCdkLike) -> None:
    names = DestinationNames(namespace="crm", prefix="x_")

    attempt = run_sync(ScriptedSource([*rows("users", [1]), state("users", 7)]), destination, USERS, names=names)

    assert ids(destination.table("crm.x_users")) == [1]
    assert attempt.status == "succeeded"
    assert attempt.stream_state("users") == {"number": 7}
    assert attempt.states["users"]["stream"]["stream_descriptor"] == {"name": "users"}
