"""How these tests write: through the destination's `write`, against a Tracking API that accepts everything."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    Type,
)
from airbyte_cdk.utils import AirbyteTracedException
from requests_mock import Mocker

from destination_segment import DestinationSegment

JsonObject = dict[str, Any]
BATCH_URL = "https://api.segment.io/v1/batch"
ACCEPTED: JsonObject = {"json": {"success": True}}


@dataclass
class Written:
    """What a write did."""

    states: list[JsonObject] = field(default_factory=list)
    error: AirbyteTracedException | None = None


def write(config: Mapping[str, Any], catalog: ConfiguredAirbyteCatalog, messages: Iterable[JsonObject]) -> Written:
    """Write messages of the protocol, and keep the states and the error that come of it."""
    written = Written()
    try:
        for message in DestinationSegment().write(config, catalog, map(AirbyteMessageSerializer.load, messages)):
            written.states.append(_state_of(message))
    except AirbyteTracedException as error:
        written.error = error
    return written


def sent_items(api: Mocker) -> list[JsonObject]:
    """The items of all batches, in the order in which the batches arrived."""
    return [item for batch in sent_batches(api) for item in batch["batch"]]


def sent_batches(api: Mocker) -> list[JsonObject]:
    """The bodies of all batches, in the order in which they arrived."""
    return [
        orjson.loads(gzip.decompress(request.body)) for request in api.request_history if request.path.endswith("batch")
    ]


def config_of(*mappings: JsonObject, **settings: object) -> JsonObject:
    return {"write_key": "sandbox-key", "mappings": list(mappings), **settings}


def catalog_of(
    stream: str = "users",
    properties: Mapping[str, Any] | Sequence[str] = (),
    *,
    primary_key: Sequence[str] = ("id",),
    cursor: str | None = None,
) -> ConfiguredAirbyteCatalog:
    """A catalog of one stream; a stream without properties has an open schema."""
    declared = properties if isinstance(properties, Mapping) else {name: {} for name in properties}
    return ConfiguredAirbyteCatalogSerializer.load(
        {
            "streams": [
                {
                    "stream": {
                        "name": stream,
                        "json_schema": {"type": "object", "properties": declared},
                        "supported_sync_modes": ["full_refresh", "incremental"],
                    },
                    "sync_mode": "incremental",
                    "destination_sync_mode": "append",
                    "primary_key": [[name] for name in primary_key],
                    "cursor_field": [cursor] if cursor else [],
                }
            ]
        }
    )


def record(data: JsonObject, stream: str = "users") -> JsonObject:
    return {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": 1}}


def state(number: int, stream: str = "users") -> JsonObject:
    descriptor = {"name": stream}
    return {
        "type": "STATE",
        "state": {"type": "STREAM", "stream": {"stream_descriptor": descriptor, "stream_state": {"number": number}}},
    }


def _state_of(message: AirbyteMessage) -> JsonObject:
    assert message.type is Type.STATE
    dumped: JsonObject = AirbyteMessageSerializer.dump(message)["state"]
    return dumped
