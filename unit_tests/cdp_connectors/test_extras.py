"""A connector is imported on first use; without its dependencies, it names the extra to install."""

import subprocess
import sys
from importlib import import_module

import pytest

from cdp_connectors.extras import exit_for_missing

WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Missing())
from {package}.run import run
run()
"""


@pytest.mark.parametrize(
    ("package", "missing", "extra"),
    [
        ("source_segment", "airbyte_cdk", "segment"),
        ("source_customerio", "airbyte_cdk", "customerio"),
        ("source_heap", "airbyte_cdk", "heap"),
        ("source_heap", "botocore", "heap"),
        ("destination_segment", "airbyte_cdk", "destination-segment"),
        ("cdp_connectors.tools", "rich", "tools"),
    ],
)
def test_the_extra_is_named_without_a_traceback(package: str, missing: str, extra: str) -> None:
    program = WITHOUT.format(missing=missing, package=package)

    ended = subprocess.run([sys.executable, "-c", program, "spec"], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr == (
        f"The Python package {missing} is not installed. Install it with: pip install 'cdp-connectors[{extra}]'\n"
    )


@pytest.mark.parametrize(
    ("package", "connector"),
    [
        ("source_segment", "SourceSegment"),
        ("source_customerio", "SourceCustomerio"),
        ("source_heap", "SourceHeap"),
        ("destination_segment", "DestinationSegment"),
    ],
)
def test_a_package_has_its_connector_and_nothing_else_by_attribute(package: str, connector: str) -> None:
    module = import_module(package)

    assert getattr(module, connector).__name__ == connector
    with pytest.raises(AttributeError, match="no attribute 'Connector'"):
        module.Connector  # noqa: B018 # the access is the test


def test_a_missing_module_of_the_distribution_itself_is_not_blamed_on_an_extra() -> None:
    with pytest.raises(ModuleNotFoundError):
        exit_for_missing(ModuleNotFoundError(name="source_segment.source"), "segment")
