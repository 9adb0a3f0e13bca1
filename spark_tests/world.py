"""The expected rows of the tests."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket


@dataclass(frozen=True)
class World:
    """A bucket whose nights can pass."""

    bucket: HeapBucket
    clock: Clock

    def night(self) -> None:
        self.clock.advance(timedelta(days=1))
        self.bucket.sync()

    def expected(self, table: str) -> list[str]:
        return rows(self.bucket.world.expected(table))


def options(bucket: HeapBucket, table: str, **more: str) -> dict[str, str]:
    config = bucket.config
    return {
        "bucket": config["bucket"],
        "endpointUrl": config["endpoint_url"],
        "awsAccessKeyId": config["credentials"]["aws_access_key_id"],
        "awsSecretAccessKey": config["credentials"]["aws_secret_access_key"],
        "table": table,
        **more,
    }


def rows(found: Iterable[Any]) -> list[str]:
    """Rows of Spark, or of the generator, in one form and order, without nulls."""
    mappings = (row if isinstance(row, Mapping) else row.asDict() for row in found)
    return sorted(json.dumps({k: v for k, v in row.items() if v is not None}, sort_keys=True) for row in mappings)
