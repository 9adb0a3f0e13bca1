"""The images, run as Airbyte's workers run them; `make test-images` builds them and runs these tests."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest
import yaml

from cdp_connectors.json_types import Json
from integration_tests.rows import JsonObject
from integration_tests.vendors import vendor
from sandbox.airbyte import BulkCdkLike, Connector, DevNull, ScriptedSource, Sync, configured, run_sync
from sandbox.heap.bulk import write_large_dump
from sandbox.heap.s3 import SeaweedS3
from sandbox.server import Sandbox

pytestmark = pytest.mark.image_tests

CONNECTORS = yaml.safe_load((Path(__file__).parents[1] / "metadata.yaml").read_text())["connectors"]
SOURCES = [name for name in CONNECTORS if name.startswith("source-")]
OF_SOME = {"botocore": ("source-heap", "destination-segment"), "fastavro": ("source-heap",), "polars": ("source-heap",)}
NOT_SHIPPED = ("sandbox", "unit_tests", "integration_tests", "benchmarks", "pytest", "pip", "uvicorn", "moto")
SMALL_SCALE = 0.3
MANY = 50_000
ENOUGH = {"source-segment": 1.0, "source-customerio": 0.3, "source-heap": 1.0}  # so that a signal comes in the middle
LARGE_SCALE = {"source-segment": 4, "source-customerio": 2}
LARGE_FILES, LARGE_FILE_ROWS = 2, 300_000  # more than a gigabyte as JSON


RUN = ["docker", "run", "--rm", "--interactive"]
LIMITS = ["--read-only", "--tmpfs=/tmp", "--memory=512m", "--memory-swap=512m"]


class Image(Connector):
    """One connector's image, with every command in a container that has only what it needs."""

    def __init__(
        self, name: str, config: JsonObject | None = None, *, network: str = "host", container: str | None = None
    ) -> None:
        super().__init__([], config or {})
        self.tag = f"{CONNECTORS[name]['dockerRepository']}:{CONNECTORS[name]['dockerImageTag']}"
        self._run_options = [f"--network={network}", *([f"--name={container}"] if container else [])]

    def command_line(self, command: str, inputs: Mapping[str, Path]) -> list[str]:
        """The command line that runs the connector within 512 MB; inputs become mounted files."""
        folders = {path.parent for path in inputs.values()}
        for folder in folders:
            folder.chmod(0o755)  # the container runs as another user
        mounts = [f"--volume={folder}:/inputs:ro" for folder in folders]
        options = [part for name, path in inputs.items() for part in (f"--{name}", f"/inputs/{path.name}")]
        return [*RUN, *LIMITS, *self._run_options, *mounts, self.tag, command, *options]

    def inside(self, program: str) -> Json:
        """The JSON that a Python program prints when run by the image's interpreter."""
        python = ["--entrypoint", "/opt/connector/bin/python", self.tag, "-c", program]
        return json.loads(docker("run", "--rm", "--network=none", *python))


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout  # noqa: S607 # the one on PATH


@pytest.fixture
def image(name: str) -> Image:
    assert shutil.which("docker"), "these tests need docker"
    return Image(name)


@pytest.mark.parametrize("name", CONNECTORS)
def test_spec_needs_no_network_and_writes_one_spec(name: str) -> None:
    output = Image(name, network="none").spec()

    assert output.exit_code == 0
    assert output.spec
    assert output.skipped_lines == []


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
def test_the_image_contains_only_the_connector_and_its_dependencies(name: str, image: Image) -> None:
    unwanted = (*NOT_SHIPPED, *(module for module, users in OF_SOME.items() if name not in users))
    program = (
        "import importlib.util, json, os, shutil;"
        f"found = [module for module in {unwanted} if importlib.util.find_spec(module)];"
        "found += [tool for tool in ('cc', 'gcc', 'make') if shutil.which(tool)];"
        "found += [folder for folder in ('/build', os.path.expanduser('~root/.cache')) if os.path.exists(folder)];"
        "print(json.dumps(found))"
    )
    assert image.inside(program) == []


@pytest.mark.parametrize("name", SOURCES)
def test_the_image_syncs_the_same_rows_as_the_package(name: str) -> None:
    with vendor(name, SMALL_SCALE) as (config, pass_days):
        image, package = Image(name, config), Connector(name.replace("-", "_"), config)
        assert image.check().status == {"status": "SUCCEEDED"}
        catalog = configured(image.discover())
        first = run_sync(image, DevNull(), catalog)
        first_of_package = run_sync(package, DevNull(), catalog)
        pass_days()
        second = run_sync(image, DevNull(), catalog, first.state_list())
        second_of_package = run_sync(package, DevNull(), catalog, first.state_list())

    for attempt, expected in ((first, first_of_package), (second, second_of_package)):
        assert attempt.failures == []
        assert attempt.emitted == expected.emitted
        assert attempt.record_count


@pytest.mark.parametrize("name", ["destination-segment"])
def test_the_destination_image_sends_records_from_standard_input(name: str) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    stream = {"name": "people", "json_schema": schema, "supported_sync_modes": ["full_refresh"]}
    catalog = {"streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
    messages: list[JsonObject] = [
        {"type": "RECORD", "record": {"stream": "people", "data": {"id": number}, "emitted_at": 1}}
        for number in range(1_000)
    ]
    state = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "people"}, "stream_state": {"id": 999}}}
    with Sandbox(scale=SMALL_SCALE) as sandbox:
        config = sandbox.configs()["destination-segment"]
        config["mappings"] = [{"stream": "people", "call_type": "identify", "user_id_field": "id"}]
        image = Image(name, config)
        assert (image.check().status or {})["status"] == "SUCCEEDED"
        lines = [json.dumps(message).encode() for message in (*messages, {"type": "STATE", "state": state})]
        attempt = run_sync(ScriptedSource(lines), image, catalog, supports_refreshes=False)
        received = {message["userId"] for message in sandbox.segment_tracking.messages}

    assert attempt.failures == []
    assert received == {str(number) for number in range(1_000)}
    assert attempt.stream_state("people") == {"id": 999}


@contextmanager
def much(name: str) -> Iterator[JsonObject]:
    """The configuration for a vendor with a large amount of data."""
    if name != "source-heap":
        with vendor(name, LARGE_SCALE[name]) as (config, _):
            yield config
        return
    with tempfile.TemporaryDirectory(prefix="images-") as folder, SeaweedS3() as server:
        write_large_dump(Path(folder), server.bucket, files=LARGE_FILES, rows=LARGE_FILE_ROWS)
        server.upload(Path(folder))
        yield server.config


@pytest.mark.parametrize("name", SOURCES)
def test_a_large_read_stays_within_512_mb(name: str) -> None:
    with much(name) as config:
        image = Image(name, config)
        attempt = run_sync(image, DevNull(), configured(image.discover()), keep=False)

    assert attempt.failures == []
    assert set(attempt.stream_status.values()) == {"COMPLETE"}
    count = attempt.record_count
    assert count >= LARGE_FILES * LARGE_FILE_ROWS if name == "source-heap" else count > MANY


@pytest.mark.parametrize("name", SOURCES[:1])
def test_the_limit_of_512_mb_is_enforced(image: Image) -> None:
    python = ["--entrypoint=/opt/connector/bin/python", image.tag, "-c", "print(len(bytearray(b'1') * 600_000_000))"]
    assert subprocess.run([*RUN, *LIMITS, *python], check=False, capture_output=True).returncode == 128 + SIGKILL


@pytest.mark.parametrize("name", SOURCES)
def test_sigterm_ends_a_read_with_complete_lines_and_a_state_to_resume_from(name: str) -> None:
    container, everything, destination = f"{name}-{time.time_ns()}", BulkCdkLike(), BulkCdkLike()
    killed: list[str] = []

    def terminate_after_the_first_state(sync: Sync) -> None:
        if sync.attempt.source_states and not killed:
            killed.append(docker("kill", "--signal=TERM", container))

    with vendor(name, ENOUGH[name]) as (config, _):
        image, package = Image(name, config, container=container), Connector(name.replace("-", "_"), config)
        catalog = configured(package.discover())
        run_sync(package, everything, catalog)
        cut_off = run_sync(image, destination, catalog, during=terminate_after_the_first_state)
        rest = run_sync(package, destination, catalog, cut_off.state_list())

    assert cut_off.source_exit_code == 128 + SIGTERM
    assert rest.failures == []
    for stream in catalog["streams"]:
        keys = [path[0] for path in stream["stream"]["source_defined_primary_key"]]
        table = stream["stream"]["name"]
        found, wanted = (
            {tuple(row.get(key) for key in keys) for row in held.table(table)} for held in (destination, everything)
        )
        assert found == wanted, table
