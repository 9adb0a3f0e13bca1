"""Streams, lines and scripted sources for the tests of the simulated platform."""

from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from sandbox.airbyte import BulkCdkLike

JsonObject = dict[str, Any]


def stream(
    name: str, *, mode: str = "incremental", destination_mode: str = "append_dedup", **changes: object
) -> JsonObject:
    """A configured stream with `id`, `name` and `updated`."""
    properties = {
        "id": {"type": ["null", "integer"]},
        "name": {"type": ["null", "string"]},
        "updated": {"type": ["null", "string"], "format": "date-time"},
    }
    described = {
        "name": name,
        "json_schema": {"type": "object", "properties": properties},
        "supported_sync_modes": ["full_refresh", "incremental"],
    }
    return {
        "stream": {**described, **changes},
        "sync_mode": mode,
        "destination_sync_mode": destination_mode,
        "cursor_field": ["updated"],
        "primary_key": [["id"]],
    }


def catalog(*streams: JsonObject) -> JsonObject:
    return {"streams": list(streams)}


def record(name: str, /, **data: object) -> bytes:
    return orjson.dumps({"type": "RECORD", "record": {"stream": name, "data": data, "emitted_at": 1}})


def state(name: str, number: int, count: int | None = None) -> bytes:
    body: JsonObject = {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": name}, "stream_state": {"number": number}},
    }
    if count is not None:
        body["sourceStats"] = {"recordCount": count}
    return orjson.dumps({"type": "STATE", "state": body})


def status(name: str, value: str, *reasons: str) -> bytes:
    described: JsonObject = {"stream_descriptor": {"name": name}, "status": value}
    if reasons:
        described["reasons"] = [{"type": reason} for reason in reasons]
    trace = {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": described}
    return orjson.dumps({"type": "TRACE", "trace": trace})


def error(message: str, failure_type: str | None = "transient_error", emitted_at: float = 1) -> bytes:
    described = {"message": message, **({"failure_type": failure_type} if failure_type else {})}
    return orjson.dumps({"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": emitted_at, "error": described}})


def rows(name: str, numbers: Iterable[int]) -> list[bytes]:
    return [record(name, id=number, updated=f"2026-01-01T00:00:{number % 60:02}Z") for number in numbers]


def ids(table: list[JsonObject]) -> list[int]:
    return sorted(row["id"] for row in table)


@pytest.fixture
def destination() -> BulkCdkLike:
    return BulkCdkLike()
