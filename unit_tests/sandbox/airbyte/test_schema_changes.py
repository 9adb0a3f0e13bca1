"""Daily discovery, and the effect of schema changes on a connection."""

from datetime import datetime, timedelta, timezone

import pytest

from sandbox.airbyte import BreakingChangeError, BulkCdkLike, CommandError, Connection, SchemaChange, schema_changes
from sandbox.airbyte.schema_changes import Preference, apply
from unit_tests.sandbox.airbyte.conftest import JsonObject, catalog, stream

NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)


def discovered(name: str = "users", /, **properties: object) -> JsonObject:
    described: JsonObject = stream(name)["stream"]
    known = described["json_schema"]["properties"]
    present = {key: value for key, value in {**known, **properties}.items() if value is not None}
    return {**described, "json_schema": {"type": "object", "properties": present}}


class Discoveries:
    """A source that discovers one catalog after another; an exception makes discovery fail."""

    def __init__(self, *catalogs: JsonObject | CommandError) -> None:
        self._catalogs = list(catalogs)

    def discover(self) -> JsonObject:
        found = self._catalogs.pop(0)
        if isinstance(found, CommandError):
            raise found
        return found


def connection_of(source: Discoveries, preference: Preference = "propagate_columns") -> Connection:
    return Connection(source, BulkCdkLike(), catalog(stream("users")), preference=preference)  # type: ignore[arg-type] # a scripted source


def fields_of(connection: Connection) -> dict[str, set[str]]:
    return {
        each["stream"]["name"]: set(each["stream"]["json_schema"]["properties"])
        for each in connection.catalog["streams"]
    }


def test_one_discovery_per_utc_day() -> None:
    grown = {"streams": [discovered(plan={})]}
    connection = connection_of(Discoveries(grown, grown))

    assert connection.discover_once_a_day(NOON) == [SchemaChange("add_field", "users", "plan")]
    assert connection.discover_once_a_day(NOON + timedelta(hours=11)) == []
    assert connection.discover_once_a_day(NOON + timedelta(hours=12)) == []
    assert fields_of(connection) == {"users": {"id", "name", "updated", "plan"}}


def test_a_failed_discovery_does_not_stop_the_sync() -> None:
    connection = connection_of(Discoveries(CommandError("no network")))

    assert connection.discover_once_a_day(NOON) == []
    assert connection.failed_discoveries == ["no network"]


@pytest.mark.parametrize(
    ("preference", "streams", "has_plan"),
    [("ignore", {"users"}, False), ("propagate_columns", {"users"}, True), ("propagate_fully", {"users", "new"}, True)],
)
def test_the_users_preference_decides(preference: Preference, streams: set[str], *, has_plan: bool) -> None:
    connection = connection_of(Discoveries({"streams": [discovered(plan={}), discovered("new")]}), preference)

    connection.discover_once_a_day(NOON)

    fields = fields_of(connection)
    assert fields.keys() == streams
    assert ("plan" in fields["users"]) is has_plan


@pytest.mark.parametrize(
    "found",
    [
        discovered(id=None),
        discovered(updated=None),
        {**discovered(), "source_defined_primary_key": [["name"]]},
    ],
    ids=["key gone", "cursor gone", "key changed"],
)
def test_a_breaking_change_disables_the_connection(found: JsonObject) -> None:
    connection = connection_of(Discoveries({"streams": [found]}))

    with pytest.raises(BreakingChangeError):
        connection.discover_once_a_day(NOON)

    assert connection.disabled


def test_fields_are_compared_at_all_depths_but_not_below_one_without_a_type() -> None:
    before = catalog(
        {
            **stream("users"),
            "stream": discovered(
                address={"type": "object", "properties": {"city": {"type": "string"}}},
                open={"properties": {"x": {"type": "string"}}},
            ),
        }
    )
    after = discovered(
        open={"properties": {"x": {"type": "string"}, "y": {"type": "string"}}},
        address={"properties": {"city": {"type": "string"}, "street": {"type": "string"}}, "type": "object"},
        name=None,
    )

    assert schema_changes(before, {"streams": [after]}) == [
        SchemaChange("change_field", "users", "address"),
        SchemaChange("add_field", "users", "address.street"),
        SchemaChange("remove_field", "users", "name"),
        SchemaChange("change_field", "users", "open"),
    ]


def test_a_removed_stream_is_deselected_only_with_full_propagation() -> None:
    before = catalog(stream("users"), stream("orders"))
    after = {"streams": [discovered()]}

    assert [change.kind for change in schema_changes(before, after)] == ["remove_stream"]
    assert len(apply(before, after, "propagate_columns")["streams"]) == 2
    assert len(apply(before, after, "propagate_fully")["streams"]) == 1
