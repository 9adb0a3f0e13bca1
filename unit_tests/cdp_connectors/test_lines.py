"""Finished lines through the CDK's entrypoint, in real processes whose source yields a given sequence of messages."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cdp_connectors.json_types import Json
from cdp_connectors.lines import LineRoom

PROGRAM = """
import itertools, json, sys
from types import SimpleNamespace
from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import *
from cdp_connectors import entrypoint
from cdp_connectors.lines import LineRoom

ROOM = LineRoom(1 << 22)

def line(stream, number, size=0):
    data = {"id": number, "text": "x" * size}
    return json.dumps({"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": 1}}).encode() + b"\\n"

def record(stream, data):
    return AirbyteMessage(type=Type.RECORD, record=AirbyteRecordMessage(stream=stream, data=data, emitted_at=1))

def carrier(stream, numbers, size=0):
    lines = b"".join(line(stream, number, size) for number in numbers)
    return record(stream, dict(ROOM.carrier(lines, len(numbers))))

def state(stream, position):
    described = AirbyteStreamState(StreamDescriptor(stream), AirbyteStateBlob({"position": position}))
    return AirbyteMessage(type=Type.STATE, state=AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=described))

class Scripted:
    name, message_repository, check_config_against_spec = "scripted", None, False
    def __init__(self, **_): pass
    def spec(self, logger): return ConnectorSpecification(connectionSpecification={})
    def read_config(self, path): return {}
    def configure(self, config, folder): return config
    def read_catalog(self, path): return None
    def read_state(self, path): return []
    def prepare_for_lines(self): pass
    def read(self, logger, *_):
        self.logger = logger
        SCRIPT

ARGS = ["read", "--config", "c", "--catalog", "c"]
entrypoint._create = lambda source_class, args: source_class()
if sys.argv[1] == "ours":
    entrypoint.launch(Scripted, ARGS)
else:
    launch(Scripted(), ARGS)
"""


def start(tmp_path: Path, script: str, launcher: str = "ours", **environment: str) -> subprocess.Popen[bytes]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("SCRIPT", script.strip().replace("\n", "\n        ")))
    command = [sys.executable, str(program), launcher]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PYTHONPATH": root, **environment}
    )


def messages(output: bytes) -> list[dict[str, Any]]:
    assert output.endswith(b"\n")
    found = [json.loads(line) for line in output.splitlines()]
    return [each for each in found if not each.get("log", {}).get("message", "").startswith("MemoryMonitor")]


def kind_of(message: Mapping[str, Json]) -> Json:
    match message["type"]:
        case "RECORD":
            return message["record"]["data"]["id"]
        case "STATE":
            state = message["state"]
            return f"{state['stream']['stream_state']['position']}: {state['sourceStats']['recordCount']:g}"
        case kind:
            return kind


def test_lines_are_written_in_order_and_counted_per_state(tmp_path: Path) -> None:
    script = """
yield carrier("clicks", [1, 2, 3])
yield state("clicks", "first")
yield carrier("clicks", [4, 5])
yield carrier("users", [100])
yield carrier("clicks", [6])
yield record("clicks", {"id": 7})
yield state("users", "other")
yield state("clicks", "second")
yield state("clicks", "third")
"""
    with start(tmp_path, script) as process:
        output, _ = process.communicate(timeout=60)
    expected = [1, 2, 3, "first: 3", 4, 5, 100, 6, 7, "other: 1", "second: 4", "third: 0"]
    assert [kind_of(message) for message in messages(output)] == expected
    assert process.returncode == 0


def test_earlier_messages_are_written_before_the_lines(tmp_path: Path) -> None:
    script = """
self.logger.info("before")
yield carrier("clicks", [1])
self.logger.info("between")
yield carrier("clicks", [2])
"""
    with start(tmp_path, script) as process:
        output, _ = process.communicate(timeout=60)
    assert [kind_of(message) for message in messages(output)] == ["LOG", 1, "LOG", 2]


def test_the_closing_log_line_counts_records(tmp_path: Path) -> None:
    script = """
yield carrier("clicks", range(5))
yield carrier("clicks", range(5))
self.logger.info("Read 2 records from clicks stream")
self.logger.info("Read 3 records from users stream")
"""
    with start(tmp_path, script) as process:
        output, _ = process.communicate(timeout=60)
    logs = [message["log"]["message"] for message in messages(output) if message["type"] == "LOG"]
    assert logs == ["Read 10 records from clicks stream", "Read 3 records from users stream"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_lines_survive_partial_writes(tmp_path: Path, unbuffered: str) -> None:
    script = """
for start in range(0, 400, 40):
    yield carrier("clicks", range(start, start + 40), size=20_000)
    self.logger.info("between")
"""
    with start(tmp_path, script, PYTHONUNBUFFERED=unbuffered) as process:
        output, _ = process.communicate(timeout=60)
    numbers = [kind_of(message) for message in messages(output) if message["type"] == "RECORD"]
    assert numbers == list(range(400))


@pytest.mark.parametrize("size", [10, 600_000])
def test_sigterm_ends_between_two_lines(tmp_path: Path, size: int) -> None:
    script = f"""
for start in itertools.count(0, 1000):
    yield carrier("clicks", range(start, start + {1_000 if size < 100 else 2}), size={size})
"""
    with start(tmp_path, script) as process:
        assert process.stdout
        beginning = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        messages(beginning + process.stdout.read())
        assert process.wait(30) == -signal.SIGTERM


def test_a_carrier_that_the_entrypoint_does_not_handle_fails_the_sync(tmp_path: Path) -> None:
    """If a release of the CDK no longer calls `read` of the entrypoint, the sync fails instead of losing rows."""
    script = """
yield carrier("clicks", [1, 2, 3])
yield state("clicks", "first")
"""
    with start(tmp_path, script, launcher="cdk") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert {message["type"] for message in messages(output)} <= {"LOG", "TRACE"}


def test_a_wrong_number_of_lines_is_detected() -> None:
    with pytest.raises(ValueError, match="3 records became 2 lines"):
        LineRoom(100).carrier(b"{}\n{}\n", 3)


def test_lines_wait_for_room() -> None:
    room = LineRoom(10)
    room.carrier(b"123456789\n", 1)
    waiting = threading.Thread(target=room.carrier, args=[b"123\n", 1])
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    room.give_back(10)
    waiting.join(10)
    assert not waiting.is_alive()


def test_lines_larger_than_the_room_are_accepted_alone() -> None:
    LineRoom(10).carrier(b"x" * 100 + b"\n", 1)
