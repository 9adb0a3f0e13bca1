"""`python -m sandbox` from a user's point of view."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from cdp_connectors.json_types import JsonObject

SCRIPTS = Path(sys.executable).parent


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, dict[str, JsonObject]]]:
    """The printed address, and the printed configurations by connector name."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--scale", "0.02", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = list(iter(process.stdout.readline, "Press Ctrl+C to stop.\n"))
        address = re.search(r"http://\S+\d", lines[0])
        assert address
        configs = [line.strip().partition(": ") for line in lines if line.startswith("  ")]
        yield address.group(), {name: json.loads(config) for name, _, config in configs}
        process.terminate()
    assert process.returncode == 0


def failed(*arguments: str, isolated: bool = False) -> tuple[int, str]:
    """The exit code and the error output; `isolated` runs without the installed packages."""
    options = ["-S"] if isolated else []
    command = [sys.executable, *options, "-m", "sandbox", "--scale", "0.02", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_the_printed_configurations_work_for_all_connectors(tmp_path: Path) -> None:
    with serving() as (_, configs):
        assert configs.keys() == {"source-segment", "destination-segment", "source-customerio", "source-heap"}
        for name, config in configs.items():
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps(config))
            command = [SCRIPTS / name, "check", "--config", path]
            output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
            assert '"status":"SUCCEEDED"' in output, name


def test_switches_are_set_on_the_command_line() -> None:
    switches = ["--switch", "segment.largest_page=1", "--switch", "customerio.folders=root", "--sources", "30"]
    with serving(*switches) as (address, configs):
        headers = {"Authorization": f"Bearer {configs['source-segment']['api_token']}"}
        url = f"{address}/segment/us/sources?pagination.count=50"
        data = requests.get(url, headers=headers, timeout=10).json()["data"]

    assert (len(data["sources"]), data["pagination"]["totalEntries"]) == (1, 30)


def test_a_port_in_use_is_reported_in_one_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, message = failed("--port", str(port))

    assert code == 1
    assert message == (
        f"The sandbox cannot listen on port {port}: Address already in use. Choose another with --port.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--port", "x"], "'x' is not a port"),
        (["--port", "70000"], "'70000' is not a port"),
        (["--scale", "0"], "'0' is not a positive number"),
        (["--scale", "much"], "'much' is not a positive number"),
        (["--sources", "-3"], "'-3' is not a positive integer"),
        (["--switch", "heap.x=1"], "'heap.x=1' is not segment.NAME=VALUE"),
        (["--seeds", "1"], "unrecognized arguments: --seeds 1"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], expected: str) -> None:
    code, message = failed(*arguments)

    assert code == 2
    assert expected in message


@pytest.mark.parametrize(
    ("switch", "expected"),
    [("segment.pages=1", "'pages' is unknown"), ("segment.largest_page=0", "largest_page is invalid")],
)
def test_a_wrong_switch_is_named(switch: str, expected: str) -> None:
    code, message = failed("--switch", switch)

    assert code == 1
    assert expected in message


def test_outside_the_virtual_environment_the_message_says_what_to_do() -> None:
    code, message = failed(isolated=True)

    assert code == 1
    assert "is missing.\nRun `make sandbox`" in message
