"""Writing lines into the destination, against a Tracking API that accepts everything."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from airbyte_cdk.utils import AirbyteTracedException
from requests_mock import Mocker

from destination_segment import DestinationSegment

JsonObject = dict[str, Any]
BATCH_URL = "https://api.segment.io/v1/batch"
ACCEPTED: JsonObject = {"json": {"success": True}}


@dataclass
class Written:
    """The result of a write."""

    messages: list[JsonObject] = field(default_factory=list)
    error: AirbyteTracedException | None = None

    @property
    def states(self) -> list[JsonObject]:
        assert all(message["type"] == "STATE" for message in self.messages)
        return [message["state"] for message in self.messages]

    @property
    def counts(self) -> list[tuple[float, float]]:
        """Accepted and rejected records of each state."""
        stats = [state["destinationStats"] for state in self.states]
        return [(each["recordCount"], each["rejectedRecordCount"]) for each in stats]


def write(config: Mapping[str, Any], catalog: JsonObject, messages: Iterable[JsonObject | bytes | None]) -> Written:
    """Write protocol messages, or lines unchanged, and return the resulting states and error."""
    written = Written()
    lines = (orjson.dumps(message) if isinstance(message, dict) else message for message in messages)
    try:
        for line in DestinationSegment().write_lines(config, catalog, lines):
            written.messages.append(json.loads(line))
    except AirbyteTracedException as error:
        written.error = error
    return written


def sent_items(api: Mocker) -> list[JsonObject]:
    """The items of all batches, in the order of their arrival."""
    return [item for batch in sent_batches(api) for item in batch["batch"]]


def sent_batches(api: Mocker) -> list[JsonObject]:
    """The bodies of all batches, in the order of their arrival."""
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
) -> JsonObject:
    """A catalog of one stream; a stream without properties has an open schema."""
    declared = properties if isinstance(properties, Mapping) else {name: {} for name in properties}
    return {
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


def record(data: JsonObject, stream: str = "users") -> JsonObject:
    return {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": 1}}


def state(number: int, stream: str = "users") -> JsonObject:
    descriptor = {"name": stream}
    return {
        "type": "STATE",
        "state": {"type": "STREAM", "stream": {"stream_descriptor": descriptor, "stream_state": {"number": number}}},
    }
