"""States as the platform returns them, and the detection of damaged ones."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType

import orjson
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    AirbyteStateType,
    AirbyteStreamState,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.sources.declarative.datetime.datetime_parser import DatetimeParser
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.types import Config

from cdp_connectors.json_types import Json, JsonObject

_OF_PARTITIONS = {"states", "state", "use_global_cursor", "lookback_window", "parent_state", "partitions"}
_OF_RANGES = {"slices", "state_type", "legacy"}
_EPOCH_SECONDS = "%s"


def load_states(path: str) -> list[AirbyteStateMessage]:
    """Load the states in a file; one that is not an object becomes one that `state_fault` rejects.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file does not contain a list of state messages.
    """
    states = orjson.loads(Path(path).read_bytes() or b"[]")
    if not isinstance(states, list) or not all(isinstance(state, Mapping) for state in states):
        raise ValueError("it is not a list of state messages")
    for state in states:
        stream = state.get("stream")
        if isinstance(stream, dict) and not isinstance(stream.get("stream_state"), Mapping | NoneType):
            stream["stream_state"] = {"not an object": True}
    return [AirbyteStateMessageSerializer.load(state) for state in states]


def state_message(stream: str, state: Mapping[str, Json]) -> AirbyteMessage:
    """A state message for one stream."""
    content = AirbyteStreamState(StreamDescriptor(name=stream), AirbyteStateBlob(state))
    return AirbyteMessage(type=Type.STATE, state=AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=content))


def states_by_stream(states: Iterable[AirbyteStateMessage] | None) -> dict[str, Mapping[str, Json]]:
    """The state of each stream that has one, as the platform passes it."""
    return {
        message.stream.stream_descriptor.name: dict(vars(message.stream.stream_state))
        for message in states or ()
        if message.type is AirbyteStateType.STREAM and message.stream and message.stream.stream_state
    }


def state_fault(stream_config: Mapping[str, Json], state: Mapping[str, Json], config: Config) -> str | None:
    """The fault of a stream's state, or None.

    The CDK ignores a state that it does not understand, and then reads everything again, or fails the entire sync.

    Args:
        stream_config: the stream in the resolved manifest.
        state: the state of the stream.
        config: the configuration of the source.
    """
    cursor = stream_config.get("incremental_sync")
    if (
        not cursor
        or cursor["type"] != "DatetimeBasedCursor"
        or not state
        or any(key.startswith("__ab_") for key in state)
    ):
        return None
    field = _evaluated(cursor["cursor_field"], cursor, config)
    formats = [_evaluated(each, cursor, config) for each in _formats(cursor)]
    return next(_faults(state, field, formats), None)


def _faults(state: Mapping[str, Json], field: str, formats: list[str]) -> Iterator[str]:
    if field in state or _OF_RANGES & state.keys() or not _OF_PARTITIONS & state.keys():
        yield from _cursor_faults(state, field, formats)
        return
    if state.get("state"):
        yield from _cursor_faults(state["state"], field, formats)
    partitions = state.get("states", [])
    if not isinstance(partitions, list):
        yield "'states' is not an array"
    else:
        for partition in partitions:
            if not isinstance(partition, Mapping) or not isinstance(partition.get("partition"), Mapping):
                yield "a member of 'states' has no partition"
            else:
                yield from _cursor_faults(partition.get("cursor"), field, formats)


def _cursor_faults(cursor: Json, field: str, formats: list[str]) -> Iterator[str]:
    if not isinstance(cursor, Mapping):
        yield "a cursor is not an object"
    elif _OF_RANGES & cursor.keys():
        slices = cursor.get("slices", [])
        if not isinstance(slices, list):
            yield "'slices' is not an array"
        elif not all(_is_range(each, formats) for each in slices):
            yield "a slice has no start and end in the format that this stream writes"
    elif field not in cursor:
        yield f"it does not contain '{field}', so it belongs to another stream or is damaged"
    elif not _is_any_date(cursor[field], formats):
        yield f"'{field}' is not a date in the format that this stream writes"


def _is_range(value: Json, formats: list[str]) -> bool:
    return isinstance(value, Mapping) and all(_is_any_date(value.get(name), formats) for name in ("start", "end"))


def _is_any_date(value: Json, formats: list[str]) -> bool:
    return isinstance(value, str | int) and any(_is_date(str(value), each) for each in formats)


def _is_date(value: str, date_format: str) -> bool:
    if date_format == _EPOCH_SECONDS:
        return value.isdecimal()
    try:
        DatetimeParser().parse(value, date_format)
    except ValueError:
        return False
    return True


def _formats(cursor: Mapping[str, Json]) -> list[str]:
    return [*(cursor.get("cursor_datetime_formats") or []), cursor["datetime_format"]]


def _evaluated(template: str, component: Mapping[str, Json], config: Config) -> str:
    parameters: JsonObject = component.get("$parameters") or {}
    return str(InterpolatedString.create(template, parameters=parameters).eval(config))
