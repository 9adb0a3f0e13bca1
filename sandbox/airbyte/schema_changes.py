"""Schema changes between two discoveries, and their effect on a connection.

Follows CatalogDiffHelpers and ApplySchemaChangeHelper of airbyte-platform. Fields are compared by name and JSON schema
at all depths, but not below a field without a type; their order does not matter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.airbyte.catalog import configured
from sandbox.airbyte.protocol import JsonObject

Preference = Literal["ignore", "propagate_columns", "propagate_fully"]
"""`propagate_columns` is the default of the user interface, `ignore` that of the API and of Terraform."""


@dataclass(frozen=True)
class SchemaChange:
    """One difference between a configured catalog and a discovery."""

    kind: Literal["add_stream", "remove_stream", "add_field", "remove_field", "change_field", "change_key"]
    stream: str
    field: str = ""
    """The field's path, joined by dots."""
    breaking: bool = False
    """True if the platform disables the connection: a cursor or key field was removed, or the key changed."""


def schema_changes(catalog: Mapping[str, Any], discovered: Mapping[str, Any]) -> list[SchemaChange]:
    """The differences between a discovery and a configured catalog; only fields of configured streams are compared."""
    before = {each["stream"]["name"]: each for each in catalog["streams"]}
    after = {stream["name"]: stream for stream in discovered["streams"]}
    changes = [SchemaChange("add_stream", name) for name in after.keys() - before.keys()]
    changes += [SchemaChange("remove_stream", name) for name in before.keys() - after.keys()]
    for name in before.keys() & after.keys():
        changes += _changes_within(before[name], after[name])
    return sorted(changes, key=lambda change: (change.stream, change.field, change.kind))


def apply(catalog: Mapping[str, Any], discovered: Mapping[str, Any], preference: Preference) -> JsonObject:
    """The configured catalog after changes that are not breaking.

    Args:
        catalog: the configured catalog.
        discovered: the newest discovery.
        preference: the user's setting for the connection.
    """
    if preference == "ignore":
        return dict(catalog)
    after = {stream["name"]: stream for stream in discovered["streams"]}
    streams = [
        {**each, "stream": after.get(each["stream"]["name"], each["stream"])}
        for each in catalog["streams"]
        if preference == "propagate_columns" or each["stream"]["name"] in after
    ]
    if preference == "propagate_fully":
        new = after.keys() - {each["stream"]["name"] for each in catalog["streams"]}
        streams += configured(discovered, new)["streams"]
    return {**catalog, "streams": streams}


def _changes_within(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[SchemaChange]:
    name, old_stream = after["name"], before["stream"]
    old, new = (dict(_fields(stream["json_schema"])) for stream in (old_stream, after))
    vital = {".".join(before.get("cursor_field") or ())}
    if before["destination_sync_mode"].endswith("dedup"):
        vital |= {".".join(path) for path in before.get("primary_key") or ()}
    for field in new.keys() - old.keys():
        yield SchemaChange("add_field", name, field)
    for field in old.keys() - new.keys():
        yield SchemaChange("remove_field", name, field, breaking=field in vital)
    for field in old.keys() & new.keys():
        if old[field] != new[field]:
            yield SchemaChange("change_field", name, field)
    keys = [sorted(stream.get("source_defined_primary_key") or []) for stream in (old_stream, after)]
    if keys[0] != keys[1]:
        yield SchemaChange("change_key", name, breaking=True)


def _fields(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in (schema.get("properties") or {}).items():
        path = f"{prefix}{name}"
        yield path, field
        if isinstance(field, Mapping) and "type" in field:
            yield from _fields(field, f"{path}.")
