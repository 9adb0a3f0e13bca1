"""A catalog, checked against the configuration before anything is sent."""

from collections.abc import Iterator
from typing import Any

from airbyte_cdk.models import ConfiguredAirbyteCatalog, ConfiguredAirbyteStream, FailureType
from airbyte_cdk.utils import AirbyteTracedException

from destination_segment.calls.api_call import template_fields
from destination_segment.configuration.api_call_settings import ApiCallSettings
from destination_segment.configuration.call_settings import UserCall
from destination_segment.configuration.config import Config, Mapping
from destination_segment.configuration.form import AllFields, ListedFields, MappedFields
from destination_segment.spec.paths import declared_types
from destination_segment.spec.reserved import kind_of

_FIELDS_NAMED = 25


def require_mappings(config: Config, catalog: ConfiguredAirbyteCatalog) -> None:
    """Let a catalog pass whose streams all have mappings that fit their schemas.

    Raises:
        AirbyteTracedException: a `config_error` that names every stream without a mapping, every field that a stream
            does not have, and every field whose type a reserved name cannot take.
    """
    faults = [fault for stream in catalog.streams for fault in _faults(config, stream)]
    if faults:
        message = " ".join(faults)
        raise AirbyteTracedException(message=message, internal_message=message, failure_type=FailureType.config_error)


def _faults(config: Config, configured: ConfiguredAirbyteStream) -> Iterator[str]:
    name = configured.stream.name
    properties = (configured.stream.json_schema or {}).get("properties") or {}
    mappings = [(number, mapping) for number, mapping in enumerate(config.mappings, 1) if mapping.stream == name]
    if not mappings:
        mapped = ", ".join(sorted({f"'{mapping.stream}'" for mapping in config.mappings}))
        yield (
            f"Stream '{name}' has no mapping (there are mappings of {mapped}). Add one, or take the stream out of the "
            "connection."
        )
    for number, mapping in mappings:
        subject = f"Mapping {number} (stream '{name}')"
        try:
            missing = sorted(path for path in _fields(mapping) if declared_types(path, properties) is None)
        except ValueError as error:
            yield f"{subject}: {error}."
            continue
        if properties and missing:
            known = sorted(properties)
            listed = ", ".join(known[:_FIELDS_NAMED]) + (", …" if len(known) > _FIELDS_NAMED else "")
            yield f"{subject} names what the stream does not have: {', '.join(missing)}. Its fields are {listed}."
        yield from (f"{subject} {fault}" for fault in _misfits(mapping, properties))


def _fields(mapping: Mapping) -> set[str]:
    fields = set(mapping.used_fields)
    if isinstance(mapping, ApiCallSettings):
        return fields | set(template_fields(mapping))
    if isinstance(mapping, UserCall):
        match mapping.selection:
            case AllFields(object_field=str(path)):
                fields.add(path)
            case AllFields(exclude=paths) | ListedFields(fields=paths):
                fields |= set(paths)
            case MappedFields(mapping=entries):
                fields |= {entry.field for entry in entries}
    return fields


def _misfits(mapping: Mapping, properties: dict[str, Any]) -> Iterator[str]:
    if not isinstance(mapping, UserCall):
        return
    for name, path in _named_fields(mapping, properties):
        kind, types = kind_of(name, mapping.reserved), declared_types(path, properties)
        if kind and types and types <= kind.impossible:
            yield (
                f"sends the field '{path}' ({', '.join(sorted(types))}) as '{name}', which Segment reserves for "
                f"{kind.noun}. Map it under another name, or leave it out."
            )


def _named_fields(mapping: UserCall, properties: dict[str, Any]) -> list[tuple[str, str]]:
    match mapping.selection:
        case AllFields(exclude=exclude, object_field=path):
            left_out = set(exclude) | (set() if path else mapping.used_fields)
            inside = _inside(properties.get(path)) if path else properties
            return [(name, f"{path}.{name}" if path else name) for name in inside if name not in left_out]
        case ListedFields(fields=paths):
            return [(path, path) for path in paths]
        case MappedFields(mapping=entries):
            return [(entry.name, entry.field) for entry in entries if entry.type == "as_is"]
        case _:
            return []


def _inside(schema: object) -> dict[str, Any]:
    return schema.get("properties") or {} if isinstance(schema, dict) else {}
