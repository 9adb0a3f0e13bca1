"""The command line of the connectors: conventional exit codes, and no traceback for a user's mistakes."""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cdp_connectors.entrypoint import report_failure

CONNECTORS = ["source_segment", "source_customerio", "source_heap", "destination_segment"]


def run(connector: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", connector, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("connector", "arguments"),
    [*((connector, []) for connector in CONNECTORS), ("source_segment", ["nonsense"]), ("source_segment", ["check"])],
)
def test_a_wrong_command_line_is_explained_on_standard_error(connector: str, arguments: list[str]) -> None:
    ended = run(connector, *arguments)

    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: ")
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("connector", CONNECTORS)
@pytest.mark.parametrize(
    "content", ["{", "[]", '"text"', "\x00", None], ids=["cut", "list", "string", "zero", "missing"]
)
def test_a_file_that_is_not_a_configuration_is_named(connector: str, content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)

    ended = run(connector, "check", "--config", str(path))

    error = json.loads(ended.stdout.splitlines()[-1])["trace"]["error"]
    assert ended.returncode == 1
    assert error["message"].startswith("Could not read the file passed to --config: ")
    assert error["failure_type"] == "config_error"
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_missing_temporary_directory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    output = io.StringIO()
    monkeypatch.setattr(tempfile, "gettempdir", fail)
    monkeypatch.setattr(sys, "stdout", output)

    with pytest.raises(SystemExit) as ended:
        report_failure(lambda: None)

    error = json.loads(output.getvalue())["trace"]["error"]
    assert ended.value.code == 1
    assert "writable temporary directory" in error["message"]
    assert error["failure_type"] == "config_error"
    assert not error.get("stack_trace")
