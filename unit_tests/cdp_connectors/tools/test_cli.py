"""The command line of `cdp-connectors`, with a script in place of a connector."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from cdp_connectors.tools import cli, connector
from cdp_connectors.tools.cli import main
from cdp_connectors.tools.connector import command

STREAM = {"name": "users", "json_schema": {"properties": {}}, "supported_sync_modes": ["full_refresh"]}
DISCOVERED = json.dumps({"type": "CATALOG", "catalog": {"streams": [STREAM]}})
CATALOG = f"print({DISCOVERED!r})"
STUBBORN = f"""
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print({DISCOVERED!r}, flush=True)
threading.Event().wait()
"""
CATALOG_COMMAND = ["catalog", "source-segment", "--config", "config.json"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("config.json", "catalog.json"):
        Path(name).write_text("{}")
    return tmp_path


def replace_source(program: str) -> None:
    """Make `python -m source_segment` in the current folder run another program."""
    Path("source_segment.py").write_text(program)


def test_the_catalog_is_written_to_a_file() -> None:
    replace_source(CATALOG)
    assert main([*CATALOG_COMMAND, "--output", "written.json"]) == 0
    assert [each["stream"] for each in json.loads(Path("written.json").read_text())["streams"]] == [STREAM]


def test_the_doctor_names_the_extra_of_the_connector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airbyte_cdk.utils", None)
    with pytest.raises(SystemExit, match=r"airbyte_cdk is not installed\. .* 'cdp-connectors\[heap\]'"):
        main(["doctor", "source-heap", "--config", "config.json"])


def test_an_interruption_ends_with_the_usual_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "discover", interrupt)
    assert main(CATALOG_COMMAND) == 130


def test_a_closed_output_leaves_no_traceback() -> None:
    replace_source(CATALOG)
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [sys.executable, "-m", "cdp_connectors.tools", *CATALOG_COMMAND]
    ended = subprocess.run(arguments, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_connector_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "_STOP_SECONDS", 0)
    replace_source(STUBBORN)
    with command("source-segment", "discover") as running:
        next(running.messages())
    assert running.exit_code == -signal.SIGKILL


READ = ["read", "source-segment", "--config", "config.json", "--catalog", "catalog.json", "--duckdb", "rows.duckdb"]


def test_the_extra_for_duckdb_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert main(READ) == 2
    assert "pip install 'cdp-connectors[duckdb]'" in capsys.readouterr().err


def test_a_file_that_is_not_of_duckdb_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("rows.duckdb").write_text("no database, but long enough to be read as one" * 1000)
    assert main(READ) == 2
    assert capsys.readouterr().err.startswith("Could not open rows.duckdb. ")
