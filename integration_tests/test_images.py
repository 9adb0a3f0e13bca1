"""The images as Airbyte's workers run them; `make test-images` builds them and runs this."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration_tests.vendors import vendor
from sandbox.connector_process import ConnectorProcess, Output, configured

pytestmark = pytest.mark.image_tests

CONNECTORS = yaml.safe_load((Path(__file__).parents[1] / "metadata.yaml").read_text())["connectors"]
SOURCES = [name for name in CONNECTORS if name.startswith("source-")]
HEAPS_OWN = ("botocore", "fastavro", "polars")
NOT_SHIPPED = ("sandbox", "unit_tests", "integration_tests", "benchmarks", "pytest", "pip", "uvicorn", "moto")
SMALL_SCALE = 0.3
LARGE_SCALE = 4


class Image:
    """One connector's image, every command in a container that has nothing but what it needs."""

    def __init__(self, name: str, folder: Path) -> None:
        self.tag = f"{CONNECTORS[name]['dockerRepository']}:{CONNECTORS[name]['dockerImageTag']}"
        self._folder = folder
        folder.chmod(0o755)  # the container's user is another one

    def command(self, *command: str, network: str = "host", **inputs: object) -> list[str]:
        """The command line that runs the connector; inputs become mounted files."""
        options = []
        for option, content in inputs.items():
            (self._folder / f"{option}.json").write_text(json.dumps(content))
            options += [f"--{option}", f"/inputs/{option}.json"]
        mount = f"--volume={self._folder}:/inputs:ro"
        limits = ["--read-only", "--tmpfs=/tmp", "--memory=512m", "--memory-swap=512m", f"--network={network}"]
        return ["docker", "run", "--rm", "--interactive", *limits, mount, self.tag, *command, *options]

    def run(self, *command: str, network: str = "host", **inputs: object) -> Output:
        output = Output()
        arguments = self.command(*command, network=network, **inputs)
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                output.add(line)
        output.exit_code = process.returncode
        return output

    def inside(self, program: str) -> Any:  # noqa: ANN401 # any JSON value
        """What a Python program prints as JSON when the image's interpreter runs it."""
        python = ["--entrypoint", "/opt/connector/bin/python", self.tag, "-c", program]
        return json.loads(docker("run", "--rm", "--network=none", *python))


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout  # noqa: S607


@pytest.fixture
def image(name: str, tmp_path: Path) -> Image:
    assert shutil.which("docker"), "these tests need docker"
    return Image(name, tmp_path)


def row_counts(output: Output) -> dict[str, int]:
    return {stream: len(records) for stream, records in output.records.items() if records}


@pytest.mark.parametrize("name", CONNECTORS)
def test_spec_needs_no_network_and_writes_one_spec(image: Image) -> None:
    output = image.run("spec", network="none")

    assert output.exit_code == 0
    assert output.spec
    assert output.unreadable == []


@pytest.mark.parametrize("name", CONNECTORS)
def test_labels_entry_point_and_user_are_what_airbyte_needs(name: str, image: Image) -> None:
    config = json.loads(docker("inspect", image.tag))[0]["Config"]
    data = CONNECTORS[name]

    assert config["Labels"]["io.airbyte.name"] == data["dockerRepository"]
    assert config["Labels"]["io.airbyte.version"] == data["dockerImageTag"]
    assert [f"AIRBYTE_ENTRYPOINT={config['Entrypoint'][0]}"] == [
        variable for variable in config["Env"] if variable.startswith("AIRBYTE_ENTRYPOINT=")
    ]
    assert config["Entrypoint"][0].endswith(f"/{name}")
    assert image.inside("import os; print(os.getuid())") == 1000


@pytest.mark.parametrize("name", CONNECTORS)
def test_holds_the_connector_and_what_it_needs(name: str, image: Image) -> None:
    unwanted = (*NOT_SHIPPED, *(() if name == "source-heap" else HEAPS_OWN))
    program = (
        "import importlib.util, json, os, shutil;"
        f"found = [module for module in {unwanted} if importlib.util.find_spec(module)];"
        "found += [tool for tool in ('cc', 'gcc', 'make') if shutil.which(tool)];"
        "found += [folder for folder in ('/build', '/root/.cache') if os.path.exists(folder)];"
        "print(json.dumps(found))"
    )
    assert image.inside(program) == []


@pytest.mark.parametrize("name", SOURCES)
def test_syncs_what_the_package_syncs(name: str, image: Image) -> None:
    package = ConnectorProcess(name.replace("-", "_"))
    with vendor(name, SMALL_SCALE) as (config, pass_days):
        assert image.run("check", config=config).status == {"status": "SUCCEEDED"}
        catalog = configured(image.run("discover", config=config).catalog or {})
        first = image.run("read", config=config, catalog=catalog)
        first_of_package = package.read(config, catalog)
        pass_days()
        second = image.run("read", config=config, catalog=catalog, state=first.state_list())
        second_of_package = package.read(config, catalog, first.state_list())

    for output, expected in ((first, first_of_package), (second, second_of_package)):
        assert (output.exit_code, output.unreadable, output.errors) == (0, [], [])
        assert row_counts(output) == row_counts(expected)
        assert row_counts(output)


@pytest.mark.parametrize("name", SOURCES)
def test_a_large_read_stays_within_512_mb(name: str, image: Image) -> None:
    with vendor(name, LARGE_SCALE) as (config, _):
        catalog = configured(image.run("discover", config=config).catalog or {})
        output = image.run("read", config=config, catalog=catalog)

    assert output.exit_code == 0
    assert set(output.statuses.values()) == {"COMPLETE"}


@pytest.mark.parametrize("name", SOURCES)
def test_sigterm_ends_a_read_with_whole_lines_and_a_state_to_resume_from(name: str, image: Image) -> None:
    package = ConnectorProcess(name.replace("-", "_"))
    container = f"{name}-{time.time_ns()}"
    with vendor(name) as (config, _):
        catalog = configured(image.run("discover", config=config).catalog or {})
        everything = package.read(config, catalog)
        arguments = image.command("read", config=config, catalog=catalog)
        arguments.insert(2, f"--name={container}")
        cut_off = Output()
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                if not cut_off.states:
                    cut_off.add(line)
                    if cut_off.states:
                        docker("kill", "--signal=TERM", container)
                else:
                    cut_off.add(line)
            process.wait(timeout=60)
        rest = package.read(config, catalog, cut_off.state_list())

    assert process.returncode == 143
    assert cut_off.unreadable == []
    assert rest.exit_code == 0
    for stream in catalog["streams"]:
        keys = [path[0] for path in stream["stream"]["source_defined_primary_key"]]
        name = stream["stream"]["name"]
        found = {tuple(record[key] for key in keys) for record in (*cut_off.committed(name), *rest.records[name])}
        assert found == {tuple(record[key] for key in keys) for record in everything.records[name]}, name
