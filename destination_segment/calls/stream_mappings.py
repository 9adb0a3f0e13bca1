"""The mappings of a stream: configured, from data activation, or by convention."""

from collections.abc import Callable, Iterable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass

from cdp_connectors.json_types import Json
from destination_segment.calls.activation import Activation, UnknownObjectError
from destination_segment.calls.configured_stream import ConfiguredStream
from destination_segment.configuration.config import Config
from destination_segment.configuration.mapping import Mapping

USER_ID_FIELDS = ("user_id", "userId")


@dataclass(frozen=True)
class StreamMapping:
    """A mapping of one stream."""

    label: str
    """Name in messages."""
    mapping: Mapping
    nest_dots: bool = False
    """True if a field `address.city` becomes a member of `address`, as in data activation."""
    require: Callable[[AnyMapping[str, Json]], None] | None = None
    """Checks the body of a call; raises `UnsendableError`."""


class UnmappedStreamError(ValueError):
    """A stream has no mapping; the message says what to do."""


def mappings_of(config: Config, stream: ConfiguredStream, activation: Activation) -> list[StreamMapping]:
    """The mappings of a stream, at least one.

    Raises:
        UnmappedStreamError: there is none.
    """
    if stream.object_name:
        try:
            operation = activation.operation(stream.object_name)
            mapping = Mapping(stream=stream.name, call=operation.call_settings(stream.properties))
        except UnknownObjectError as error:
            raise UnmappedStreamError(f"Stream '{stream.name}' {error}") from error
        label = f"Object '{stream.object_name}' (stream '{stream.name}')"
        return [StreamMapping(label, mapping, nest_dots=True, require=operation.require)]
    configured = [
        StreamMapping(f"Mapping {number} (stream '{stream.name}')", mapping)
        for number, mapping in enumerate(config.mappings, 1)
        if mapping.stream == stream.name
    ]
    return configured or [_by_convention(config, stream)]


def _by_convention(config: Config, stream: ConfiguredStream) -> StreamMapping:
    if config.unmapped_streams != "identify":
        mapped = ", ".join(sorted({f"'{mapping.stream}'" for mapping in config.mappings}))
        raise UnmappedStreamError(
            f"Stream '{stream.name}' has no mapping (mapped streams: {mapped or 'none'}). Add a mapping, deselect the "
            "stream, or set Unmapped Streams to identify."
        )
    user_id_field = _user_id_field(stream)
    if user_id_field is None:
        raise UnmappedStreamError(
            f"Stream '{stream.name}' has no mapping and no user id: no field user_id or userId, and no primary key of "
            "a single field. Add a mapping."
        )
    call = {"call_type": "identify", "user_id_field": user_id_field}
    mapping = Mapping.model_validate({"stream": stream.name, "call": call})
    return StreamMapping(f"Stream '{stream.name}' (identified by {user_id_field})", mapping)


def _user_id_field(stream: ConfiguredStream) -> str | None:
    named: Iterable[str] = (name for name in USER_ID_FIELDS if name in stream.properties)
    keys = (".".join(path) for path in stream.primary_key if len(stream.primary_key) == 1)
    return next(iter([*named, *keys]), None)
