"""Every field of the sandbox's rows is declared in the stream's schema: Airbyte drops undeclared fields silently."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from sandbox.clock import Clock
from sandbox.customerio.world import CustomerioWorld
from sandbox.segment.world import SegmentWorld
from unit_tests.sandbox.conftest import NOW

ROOT = Path(__file__).parents[2]
UNDECLARED: dict[str, str] = {
    "sources.writeKeys": "secrets: source-segment removes them",
}
"""Fields that a vendor sends but no schema declares, intentionally, with the reason."""

OTHER_SCHEMAS = {"draft_messages": "messages"}
"""Streams that share another stream's schema."""


def worlds() -> Iterator[tuple[str, SegmentWorld | CustomerioWorld]]:
    yield "source_segment", SegmentWorld(Clock(NOW + timedelta(days=2)), seed=7, scale=0.3)
    yield "source_customerio", CustomerioWorld(Clock(NOW + timedelta(days=2)), seed=7, scale=0.05)


def schema_file(package: str, stream: str) -> Path:
    return ROOT / package / "schemas" / f"{OTHER_SCHEMAS.get(stream, stream)}.json"


STREAMS = [
    pytest.param(package, world, stream, id=f"{package}-{stream}")
    for package, world in worlds()
    for stream in sorted({endpoint.stream for endpoint in world.endpoints if endpoint.stream})
    if schema_file(package, stream).exists()  # others are not read, which the contract tests check against the manifest
]


def schema_of(package: str, stream: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_file(package, stream).read_text())
    return schema


@pytest.mark.parametrize(("package", "world", "stream"), STREAMS)
def test_every_field_is_declared_with_its_type(
    package: str, world: SegmentWorld | CustomerioWorld, stream: str
) -> None:
    schema, rows = schema_of(package, stream), world.expected(stream)

    fields = {f"{stream}.{name}" for row in rows for name in row}
    assert fields - {f"{stream}.{name}" for name in schema["properties"]} <= UNDECLARED.keys()
    validator = jsonschema_rs.Draft7Validator(schema)
    errors = [str(error) for row in rows for error in validator.iter_errors(row)]
    assert errors == []


def test_every_exception_is_still_needed() -> None:
    sent = {
        f"{stream}.{name}"
        for _, world in worlds()
        for stream in {endpoint.stream for endpoint in world.endpoints if endpoint.stream}
        for row in world.expected(stream)
        for name in row
    }
    assert UNDECLARED.keys() <= sent
