"""Airbyte's own test suites, for every connector; `pytest` on this file alone runs them all in one process.

The CDK reports some catalog problems as warnings; here every warning fails its test.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from airbyte_cdk.destinations import Destination
from airbyte_cdk.models import (
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput, read
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.models.outcome import ExpectedOutcome
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase
from airbyte_cdk.test.standard_tests._job_runner import run_test_job
from airbyte_cdk.test.standard_tests._read_assertions import assert_read_records
from airbyte_cdk.test.standard_tests.destination_base import DestinationTestSuiteBase
from airbyte_cdk.test.standard_tests.docker_base import get_discovered_streams, get_read_streams

from cdp_connectors.json_types import Json
from cdp_connectors.source import ManifestSource
from destination_segment import DestinationSegment
from integration_tests.vendors import PASSING_TIME
from sandbox.clock import Clock
from sandbox.heap.bucket import heap_bucket
from sandbox.heap.s3 import SeaweedS3
from sandbox.server import Sandbox
from source_customerio import SourceCustomerio
from source_heap import SourceHeap
from source_segment import SourceSegment

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]

ROOT = Path(__file__).parent.parent
Addresses = dict[str, str]
PassDays = Callable[[], None]


@contextmanager
def http_vendors() -> Iterator[tuple[Addresses, PassDays]]:
    """The running sandbox's address by the one in the configurations, and a function that advances its clock."""
    with Sandbox(scale=0.3) as sandbox:

        def pass_days() -> None:
            sandbox.clock.advance(PASSING_TIME)

        yield {"http://127.0.0.1:8765": sandbox.url}, pass_days


@contextmanager
def heap_store() -> Iterator[tuple[Addresses, PassDays]]:
    """As `http_vendors`, for the bucket."""
    clock = Clock()
    with heap_bucket(clock, scale=0.05, server=SeaweedS3) as bucket:

        def pass_days() -> None:
            clock.advance(PASSING_TIME)
            bucket.sync()

        yield {"http://127.0.0.1:8333": bucket.server.endpoint_url}, pass_days


class SourceSuite(SourceTestSuiteBase):
    """The standard suite for one of several connectors in a repository, with its location and constructor."""

    connector: ClassVar[type[ManifestSource]]
    vendor: ClassVar[Callable[[], AbstractContextManager[tuple[Addresses, PassDays]]]]
    addresses: ClassVar[Addresses]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def pass_days(cls) -> Iterator[PassDays]:
        with cls.vendor() as (cls.addresses, pass_days):
            yield pass_days

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT / cls.connector.__module__.partition(".")[0]

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> ManifestSource:
        return cls.connector(config=cls.config(scenario))

    @classmethod
    def config(cls, scenario: ConnectorTestScenario | None) -> dict[str, Any]:
        root = cls.get_connector_root_dir()
        config = scenario.get_config_dict(connector_root=root, empty_if_missing=True) if scenario else {}
        return {name: at(cls.addresses, value) if isinstance(value, str) else value for name, value in config.items()}

    def test_incremental_read(self, scenario: ConnectorTestScenario, pass_days: PassDays) -> None:
        """Run the `incremental` section, which the CDK does not collect, since it passes no state to a read."""
        listed = self.acceptance_test_config["acceptance_tests"]["incremental"]["tests"]
        if str(scenario.config_path) not in {test["config_path"] for test in listed}:
            pytest.skip("`incremental` does not list this configuration.")
        catalog = self.incremental_catalog(scenario)
        incremental = {each.stream.name for each in catalog.streams if each.sync_mode is SyncMode.incremental}

        first = self.read(scenario, catalog)
        states = latest_states(first)
        pass_days()
        second = self.read(scenario, catalog, list(states.values()))

        assert incremental
        assert incremental <= set(states)
        assert incremental <= set(latest_states(second))
        for output, every_stream in ((first, True), (second, False)):
            assert_read_records(
                records=output.records_iterator,
                configured_catalog=catalog,
                require_records_per_stream=every_stream,
                validate_schema=True,
            )

    def incremental_catalog(self, scenario: ConnectorTestScenario) -> ConfiguredAirbyteCatalog:
        """The streams that are not declared empty, incremental where supported."""
        root = self.get_connector_root_dir()
        output = run_test_job(self.create_connector(scenario), "discover", connector_root=root, test_scenario=scenario)
        streams = get_read_streams(scenario, get_discovered_streams(output, self.connector_name), root)
        return ConfiguredAirbyteCatalog(
            [
                ConfiguredAirbyteStream(stream, stream.supported_sync_modes[-1], DestinationSyncMode.append)
                for stream in streams
            ]
        )

    def read(
        self,
        scenario: ConnectorTestScenario,
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> EntrypointOutput:
        source = self.connector(catalog=catalog, config=self.config(scenario), state=state)
        output = read(source, self.config(scenario), catalog, state, expected_outcome=ExpectedOutcome.EXPECT_SUCCESS)
        output.raise_if_errors()
        return output


def at(addresses: Addresses, text: str) -> str:
    for named, actual in addresses.items():
        text = text.replace(named, actual)
    return text


def latest_states(output: EntrypointOutput) -> dict[str, AirbyteStateMessage]:
    states = (message.state for message in output.state_messages)
    return {state.stream.stream_descriptor.name: state for state in states if state and state.stream}


class TestSourceSegment(SourceSuite):
    connector = SourceSegment
    vendor = http_vendors


class TestSourceCustomerio(SourceSuite):
    connector = SourceCustomerio
    vendor = http_vendors


class TestSourceHeap(SourceSuite):
    connector = SourceHeap
    vendor = heap_store


class DestinationAtTheSandbox(DestinationSegment):
    """The destination with the running sandbox's addresses and write key instead of those in its configurations.

    The suite starts it like a source, so the configuration is checked in `check` and not while it is read.
    """

    addresses: ClassVar[Addresses]

    @staticmethod
    def read_config(config_path: str) -> Json:
        path = Path(config_path)
        path.write_text(at(DestinationAtTheSandbox.addresses, path.read_text()))
        return Destination.read_config(config_path)


class TestDestinationSegment(DestinationTestSuiteBase):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _running_sandbox(cls) -> Iterator[None]:
        with Sandbox(scale=0.1) as sandbox:
            DestinationAtTheSandbox.addresses = {
                "http://127.0.0.1:8765": sandbox.url,
                "sandbox-write-key": sandbox.segment_tracking.write_key,
            }
            yield

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT / "destination_segment"

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> DestinationSegment:  # noqa: ARG003 # the suite's
        return DestinationAtTheSandbox()
