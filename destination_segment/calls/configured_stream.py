"""One stream of the configured catalog."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from typing_extensions import Self

from cdp_connectors.json_types import Json

StreamKey = tuple[str | None, str]
"""A stream's namespace and name."""


@dataclass(frozen=True)
class ConfiguredStream:
    """The part of a configured stream that the destination uses; unknown keys and sync modes are tolerated."""

    name: str
    namespace: str | None = None
    properties: Mapping[str, Json] = field(default_factory=dict)
    """The JSON schemas of the fields."""
    primary_key: tuple[tuple[str, ...], ...] = ()
    cursor_field: tuple[str, ...] = ()
    is_full_refresh: bool = False
    overwrites: bool = False
    object_name: str | None = None
    """The destination's object that data activation maps the stream to."""
    generation_id: int | None = None

    @classmethod
    def from_json(cls, configured: Mapping[str, Json]) -> Self:
        """Read an entry of the configured catalog.

        Raises:
            KeyError, TypeError, AttributeError: it is not one.
        """
        stream = configured["stream"]
        schema = stream.get("json_schema") or {}
        primary_key = configured.get("primary_key") or stream.get("source_defined_primary_key") or []
        cursor_field = configured.get("cursor_field") or stream.get("default_cursor_field") or []
        return cls(
            name=stream["name"],
            namespace=stream.get("namespace"),
            properties=schema.get("properties") or {},
            primary_key=tuple(tuple(path) for path in primary_key),
            cursor_field=tuple(cursor_field),
            is_full_refresh=configured.get("sync_mode") == "full_refresh",
            overwrites=configured.get("destination_sync_mode") == "overwrite",
            object_name=configured.get("destination_object_name"),
            generation_id=configured.get("generation_id"),
        )

    @property
    def key(self) -> StreamKey:
        """Namespace and name."""
        return (self.namespace, self.name)


def streams_of(catalog: Mapping[str, Json]) -> list[ConfiguredStream]:
    """The streams of a configured catalog.

    Raises:
        ValueError: it is not a configured catalog.
    """
    try:
        return [ConfiguredStream.from_json(configured) for configured in catalog["streams"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("is not a configured catalog") from error
