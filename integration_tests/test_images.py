"""The images as Airbyte's workers run them; `make test-images` builds them and runs this."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest
import yaml

from cdp_connectors.json_types import Json
from integration_tests.rows import JsonObject
from integration_tests.vendors import vendor
from sandbox.connector_process import ConnectorProcess, Output, configured
from sandbox.heap.bulk import write_large_dump
from sandbox.heap.s3 import SeaweedS3
from sandbox.server import Sandbox

pytestmark = pytest.mark.image_tests

CONNECTORS = yaml.safe_load((Path(__file__).parents[1] / "metadata.yaml").read_text())["connectors"]
SOURCES = [name for name in CONNECTORS if name.startswith("source-")]
HEAPS_OWN = ("botocore", "fastavro", "polars")
NOT_SHIPPED = ("sandbox", "unit_tests", "integration_tests", "benchmarks", "pytest", "pip", "uvicorn", "moto")
SMALL_SCALE = 0.3
MANY = 50_000
ENOUGH = {"source-segment": 1.0, "source-customerio": 0.3, "source-heap": 1.0}  # for a signal to come in the middle
LARGE_SCALE = {"source-segment": 4, "source-customerio": 2}
LARGE_FILES, LARGE_FILE_ROWS = 2, 300_000  # more than a gigabyte as JSON


RUN = ["docker", "run", "--rm", "--interactive"]
LIMITS = ["--read-only", "--tmpfs=/tmp", "--memory=512m", "--memory-swap=512m"]


class Image:
    """One connector's image, every command in a container that has nothing but what it needs."""

    def __init__(self, name: str, folder: Path) -> None:
        self.tag = f"{CONNECTORS[name]['dockerRepository']}:{CONNECTORS[name]['dockerImageTag']}"
        self._folder = folder
        folder.chmod(0o755)  # the container's user is another one

    def command(self, *command: str, network: str = "host", **inputs: object) -> list[str]:
        """The command line that runs the connector within 512 MB; inputs become mounted files."""
        options = []
        for option, content in inputs.items():
            (self._folder / f"{option}.json").write_text(json.dumps(content))
            options += [f"--{option}", f"/inputs/{option}.json"]
        mount = f"--volume={self._folder}:/inputs:ro"
        return [*RUN, *LIMITS, f"--network={network}", mount, self.tag, *command, *options]

    def run(self, *command: str, stdin: Iterable[bytes] = (), network: str = "host", **inputs: object) -> Output:
        output = Output()
        for line in lines_of(self.command(*command, network=network, **inputs), stdin, output):
            output.add(line.decode())
        return output

    def count(self, *command: str, **inputs: object) -> tuple[int, Output]:
        """Run a command that writes more records than this process could keep: their number, and everything else."""
        count, output = 0, Output()
        for line in lines_of(self.command(*command, **inputs), (), output):
            if line.startswith(b'{"type":"RECORD"'):
                count += 1
            else:
                output.add(line.decode())
        return count, output

    def inside(self, program: str) -> Json:
        """What a Python program prints as JSON when the image's interpreter runs it."""
        python = ["--entrypoint", "/opt/connector/bin/python", self.tag, "-c", program]
        return json.loads(docker("run", "--rm", "--network=none", *python))


def lines_of(command: list[str], stdin: Iterable[bytes], output: Output) -> Iterator[bytes]:
    """The lines that the command writes; at their end, the output has its exit code."""
    with tempfile.TemporaryFile() as file:
        file.writelines(line + b"\n" for line in stdin)
        file.seek(0)
        with subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE) as process:
            yield from process.stdout or ()
    output.exit_code = process.returncode


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
        "found += [folder for folder in ('/build', os.path.expanduser('~root/.cache')) if os.path.exists(folder)];"
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


@pytest.mark.parametrize("name", ["destination-segment"])
def test_writes_what_it_reads_from_standard_input(image: Image) -> None:
    stream = {"name": "people", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}
    catalog = {"streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
    messages: list[JsonObject] = [
        {"type": "RECORD", "record": {"stream": "people", "data": {"id": number}, "emitted_at": 1}}
        for number in range(1_000)
    ]
    state = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "people"}, "stream_state": {"id": 999}}}
    with Sandbox(scale=SMALL_SCALE) as sandbox:
        config = sandbox.configs()["destination-segment"]
        config["mappings"] = [{"stream": "people", "call_type": "identify", "user_id_field": "id"}]
        assert (image.run("check", config=config).status or {})["status"] == "SUCCEEDED"
        stdin = [json.dumps(message).encode() for message in (*messages, {"type": "STATE", "state": state})]
        output = image.run("write", stdin=stdin, config=config, catalog=catalog)
        received = {message["userId"] for message in sandbox.segment_tracking.messages}

    assert (output.exit_code, output.unreadable, output.errors) == (0, [], [])
    assert received == {str(number) for number in range(1_000)}
    assert output.states["people"]["stream"] == state["stream"]


@contextmanager
def much(name: str) -> Iterator[JsonObject]:
    """The configuration of a vendor with much data."""
    if name != "source-heap":
        with vendor(name, LARGE_SCALE[name]) as (config, _):
            yield config
        return
    with tempfile.TemporaryDirectory(prefix="images-") as folder, SeaweedS3() as server:
        write_large_dump(Path(folder), server.bucket, files=LARGE_FILES, rows=LARGE_FILE_ROWS)
        server.upload(Path(folder))
        yield server.config


@pytest.mark.parametrize("name", SOURCES)
def test_a_large_read_stays_within_512_mb(name: str, image: Image) -> None:
    with much(name) as config:
        catalog = configured(image.run("discover", config=config).catalog or {})
        count, output = image.count("read", config=config, catalog=catalog)

    assert (output.exit_code, output.unreadable, output.errors) == (0, [], [])
    assert set(output.statuses.values()) == {"COMPLETE"}
    assert count >= LARGE_FILES * LARGE_FILE_ROWS if name == "source-heap" else count > MANY


@pytest.mark.parametrize("name", SOURCES[:1])
def test_the_limit_of_512_mb_is_one(image: Image) -> None:
    python = ["--entrypoint=/opt/connector/bin/python", image.tag, "-c", "print(len(bytearray(b'1') * 600_000_000))"]
    assert subprocess.run([*RUN, *LIMITS, *python], check=False, capture_output=True).returncode == 128 + SIGKILL


@pytest.mark.parametrize("name", SOURCES)
def test_sigterm_ends_a_read_with_whole_lines_and_a_state_to_resume_from(name: str, image: Image) -> None:
    package = ConnectorProcess(name.replace("-", "_"))
    container = f"{name}-{time.time_ns()}"
    cut_off = Output()
    with vendor(name, ENOUGH[name]) as (config, _):
        catalog = configured(image.run("discover", config=config).catalog or {})
        everything = package.read(config, catalog)
        command = image.command("read", config=config, catalog=catalog)
        command.insert(len(RUN), f"--name={container}")
        for line in lines_of(command, (), cut_off):
            before = bool(cut_off.states)
            cut_off.add(line.decode())
            if cut_off.states and not before:
                docker("kill", "--signal=TERM", container)
        rest = package.read(config, catalog, cut_off.state_list())

    assert cut_off.exit_code == 128 + SIGTERM
    assert cut_off.unreadable == []
    assert rest.exit_code == 0
    for stream in catalog["streams"]:
        keys = [path[0] for path in stream["stream"]["source_defined_primary_key"]]
        name = stream["stream"]["name"]
        found = {tuple(record[key] for key in keys) for record in (*cut_off.committed(name), *rest.records[name])}
        assert found == {tuple(record[key] for key in keys) for record in everything.records[name]}, name
