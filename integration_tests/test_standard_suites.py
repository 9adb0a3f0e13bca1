"""Airbyte's own test suites for sources, on every connector, in one process."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase

from cdp_connectors.source import ManifestSource
from sandbox.server import Sandbox
from source_customerio import SourceCustomerio
from source_segment import SourceSegment

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]

ROOT = Path(__file__).parent.parent
DEFAULT_URL = "http://127.0.0.1:8765"


@pytest.fixture(scope="module", autouse=True)
def running_sandbox() -> Iterator[None]:
    """Serve the sandbox on a free port, in place of the default one that the configurations name."""
    with Sandbox() as sandbox:
        ManifestSourceSuite.sandbox_url = sandbox.url
        yield


class ManifestSourceSuite(SourceTestSuiteBase):
    """The standard suite, told where one of several connectors in a repository is and how it is made.

    The CDK reports some problems of a catalog as warnings; here every warning fails its test.
    """

    connector: ClassVar[type[ManifestSource]]
    sandbox_url: ClassVar[str]

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT / cls.connector.__module__.partition(".")[0]

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> ManifestSource:
        root = cls.get_connector_root_dir()
        config = scenario.get_config_dict(connector_root=root, empty_if_missing=True) if scenario else {}
        at_the_sandbox = {
            name: value.replace(DEFAULT_URL, cls.sandbox_url) if isinstance(value, str) else value
            for name, value in config.items()
        }
        return cls.connector(config=at_the_sandbox)


class TestSourceSegment(ManifestSourceSuite):
    connector = SourceSegment


class TestSourceCustomerio(ManifestSourceSuite):
    connector = SourceCustomerio
