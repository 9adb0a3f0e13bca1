"""Validation of the catalog against the configuration, before anything is sent."""

import logging
from collections.abc import Iterator, Mapping

from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json
from destination_segment.calls.activation import Activation
from destination_segment.calls.configured_stream import ConfiguredStream
from destination_segment.calls.stream_mappings import StreamMapping, UnmappedStreamError, mappings_of
from destination_segment.configuration.call_settings import UserCallSettings
from destination_segment.configuration.config import Config
from destination_segment.configuration.form import AllFields, ListedFields, MappedFields
from destination_segment.configuration.spec_calls import Page, Screen, Track
from destination_segment.spec.paths import declared_types
from destination_segment.spec.reserved import kind_of

_FIELDS_NAMED = 25

logger = logging.getLogger("airbyte")


def mapped_streams(
    config: Config, streams: list[ConfiguredStream], activation: Activation
) -> list[tuple[ConfiguredStream, list[StreamMapping]]]:
    """Every stream with its mappings, checked against its schema.

    Raises:
        AirbyteTracedException: a `config_error` that names every stream without a mapping, every field that a stream
            does not have, and every field whose type does not fit its reserved name.
    """
    mapped: list[tuple[ConfiguredStream, list[StreamMapping]]] = []
    problems: list[str] = []
    for stream in streams:
        try:
            mappings = mappings_of(config, stream, activation)
        except UnmappedStreamError as error:
            problems.append(str(error))
            continue
        problems.extend(problem for mapping in mappings for problem in _problems(mapping, stream.properties))
        mapped.append((stream, mappings))
    if problems:
        message = " ".join(problems)
        raise config_error(message)
    return mapped


def warn_about(stream: ConfiguredStream, mappings: list[StreamMapping]) -> None:
    """Log warnings about behaviour of a stream that a user may not expect, once per sync."""
    if stream.overwrites:
        logger.warning(
            "Stream '%s' is configured to overwrite. Segment cannot delete received data; records are appended "
            "instead.",
            stream.name,
        )
    if not stream.primary_key:
        logger.warning(
            "Stream '%s' has no primary key. Segment treats identical records as one call, and records that cannot be "
            "sent are logged by number. Choose a primary key in the connection's settings.",
            stream.name,
        )
    if stream.is_full_refresh and any(isinstance(each.mapping.call, Track | Page | Screen) for each in mappings):
        logger.warning(
            "Stream '%s' sends events with every full refresh. Segment recognizes repeated events for about a day; "
            "later ones are counted again. Use an incremental sync mode.",
            stream.name,
        )


def _problems(mapped: StreamMapping, properties: Mapping[str, Json]) -> Iterator[str]:
    missing = sorted(path for path in mapped.mapping.needed_fields if declared_types(path, properties) is None)
    if properties and missing:
        known = sorted(properties)
        listed = ", ".join(known[:_FIELDS_NAMED]) + (", …" if len(known) > _FIELDS_NAMED else "")
        yield (
            f"{mapped.label} refers to fields that the stream does not have: {', '.join(missing)}. Its fields are "
            f"{listed}."
        )
    for name, path in _named_fields(mapped, properties):
        settings = mapped.mapping.call
        kind = kind_of(name, settings.reserved) if isinstance(settings, UserCallSettings) else None
        types = declared_types(path, properties)
        if kind and types and types <= kind.impossible:
            yield (
                f"{mapped.label} sends the field '{path}' ({', '.join(sorted(types))}) as '{name}', which Segment "
                f"reserves for {kind.noun}. Map it under another name, or leave it out."
            )


def _named_fields(mapped: StreamMapping, properties: Mapping[str, Json]) -> list[tuple[str, str]]:
    settings = mapped.mapping.call
    if not isinstance(settings, UserCallSettings):
        return []
    match settings.selection:
        case AllFields(exclude=exclude, object_field=path):
            left_out = set(exclude) | (set() if path else mapped.mapping.used_fields)
            inside = _inside(properties.get(path)) if path else properties
            return [(name, f"{path}.{name}" if path else name) for name in inside if name not in left_out]
        case ListedFields(fields=paths):
            return [(path, path) for path in paths]
        case MappedFields(mapping=named):
            return [(each.name, each.field) for each in named if each.type == "as_is" and each.field]
        case _:
            return []


def _inside(schema: object) -> Mapping[str, Json]:
    return schema.get("properties") or {} if isinstance(schema, dict) else {}
