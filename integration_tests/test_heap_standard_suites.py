"""Airbyte's own test suite for sources, on the Heap source and a real store."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase

from sandbox.clock import Clock
from sandbox.heap.bucket import heap_bucket
from sandbox.heap.s3 import SeaweedS3
from source_heap import SourceHeap

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]

ROOT = Path(__file__).parent.parent / "source_heap"


@pytest.fixture(scope="module", autouse=True)
def running_store() -> Iterator[None]:
    """Serve a bucket, in place of the one that the configurations name."""
    with heap_bucket(Clock(), scale=0.05, server=SeaweedS3) as bucket:
        TestSourceHeap.endpoint_url = bucket.server.endpoint_url
        yield


class TestSourceHeap(SourceTestSuiteBase):
    """The standard suite, told where the connector is and how it is made."""

    connector = SourceHeap
    endpoint_url: ClassVar[str]

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> SourceHeap:
        config = scenario.get_config_dict(connector_root=ROOT, empty_if_missing=True) if scenario else {}
        return SourceHeap(config={**config, "endpoint_url": cls.endpoint_url} if config else config)
