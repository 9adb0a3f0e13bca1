"""Airbyte's own test suite for destinations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests.destination_base import DestinationTestSuiteBase

from destination_segment import DestinationSegment
from sandbox.server import Sandbox

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]

ROOT = Path(__file__).parent.parent


class DestinationAtTheSandbox(DestinationSegment):
    """The destination with the running sandbox's addresses and write key in place of those in its configurations."""

    replacements: ClassVar[dict[str, str]]

    @staticmethod
    def read_config(config_path: str) -> Any:  # noqa: ANN401 # as the CDK's
        text = Path(config_path).read_text()
        for placeholder, value in DestinationAtTheSandbox.replacements.items():
            text = text.replace(placeholder, value)
        Path(config_path).write_text(text)
        return DestinationSegment.read_config(config_path)


@pytest.fixture(scope="module", autouse=True)
def running_sandbox() -> Iterator[None]:
    with Sandbox() as sandbox:
        DestinationAtTheSandbox.replacements = {
            "http://127.0.0.1:8765": sandbox.url,
            "sandbox-write-key": sandbox.segment_tracking.write_key,
        }
        yield


class TestDestinationSegment(DestinationTestSuiteBase):
    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT / "destination_segment"

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> DestinationSegment:  # noqa: ARG003 # the suite's
        return DestinationAtTheSandbox()
