"""Reads that are ended early: by SIGTERM as Airbyte and Kubernetes do, by Ctrl-C, or by the end of the reader."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration_tests.vendors import vendor
from sandbox.connector_process import ConnectorProcess, Output, configured

SOURCES = sorted(path.parent.name for path in Path(__file__).parents[1].glob("source_*/run.py"))
SECONDS_TO_END = 10


def close_output(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    process.stdout.close()


def send(number: signal.Signals) -> Callable[[subprocess.Popen[str]], None]:
    return lambda process: process.send_signal(number)


ENDS: dict[str, tuple[Callable[[subprocess.Popen[str]], None], int]] = {
    "SIGTERM": (send(signal.SIGTERM), -signal.SIGTERM),
    "Ctrl-C": (send(signal.SIGINT), 130),
    "closed output": (close_output, 141),
}


@pytest.fixture(scope="module", params=SOURCES)
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The command that reads everything from a vendor that has enough to fill any buffer."""
    package, folder = request.param, tmp_path_factory.mktemp("inputs")
    with vendor(package.replace("_", "-")) as (config, _):
        catalog = configured(ConnectorProcess(package).discover(config).catalog or {})
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "catalog.json").write_text(json.dumps(catalog))
        options = ["--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json")]
        yield [sys.executable, "-m", package, "read", *options]


@pytest.mark.parametrize("lines", [1, 200, 700])
@pytest.mark.parametrize("end", ENDS)
def test_a_read_ends_at_once_after_a_whole_line(command: list[str], end: str, lines: int) -> None:
    cause, exit_code = ENDS[end]
    output = Output()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        for _ in range(lines):
            output.add(process.stdout.readline())
        cause(process)
        if end != "closed output":
            for line in process.stdout:
                output.add(line)
        assert process.wait(SECONDS_TO_END) == exit_code
        assert process.stderr.read() == ""
    assert output.unreadable == []
