"""A Spark session and a Heap bucket, for the tests of `pyspark_heap`; run them with `make test-spark`."""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import SeaweedS3
from spark_tests.world import World

os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # Spark keeps starting interpreters, and each would compile again


@pytest.fixture(scope="session")
def event_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("event-logs")


@pytest.fixture(scope="session")
def spark(event_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": event_logs.as_uri(),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture
def world() -> Iterator[World]:
    """A separate bucket, in its initial state."""
    clock = Clock()
    with heap_bucket(clock, scale=0.05, server=SeaweedS3) as bucket:
        yield World(bucket, clock)


@pytest.fixture(scope="module")
def full() -> Iterator[HeapBucket]:
    """A bucket with every special case: a late dump, a full resync, changed types, emptied tables."""
    clock = Clock()
    clock.advance(timedelta(days=3))
    with heap_bucket(clock, scale=0.05, server=SeaweedS3) as bucket:
        yield bucket
