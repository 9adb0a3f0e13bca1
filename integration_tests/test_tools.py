"""The command `cdp-connectors` as a process, against the sandbox."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from integration_tests.vendors import vendor
from sandbox.airbyte.protocol import JsonObject
from sandbox.server import Sandbox

SOURCES = ["source-segment", "source-customerio", "source-heap"]


def tool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cdp_connectors.tools", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(scale=0.05) as running:
        yield running


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> Path:
    return written(tmp_path, sandbox.configs()["source-segment"])


def written(folder: Path, config: JsonObject) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def test_catalog_writes_the_selected_streams(config: Path) -> None:
    result = tool("catalog", "source-segment", "--config", config, "--streams", "users", "sources", "--full-refresh")
    streams = json.loads(result.stdout)["streams"]
    assert {each["stream"]["name"]: each["sync_mode"] for each in streams} == {
        "users": "full_refresh",
        "sources": "full_refresh",
    }


def test_a_read_keeps_rows_and_state_and_the_next_one_continues(sandbox: Sandbox, config: Path, tmp_path: Path) -> None:
    database, state = tmp_path / "rows.duckdb", tmp_path / "state.json"
    arguments = ["--config", config, "--streams", "users", "audit_events", "--duckdb", database, "--state", state]
    first = tool("read", "source-segment", *arguments)
    assert first.returncode == 0
    assert "✓ users" in first.stderr
    second = tool("read", "source-segment", *arguments)
    assert second.returncode == 0
    with duckdb.connect(str(database)) as connection:
        [(users, events)] = connection.sql(
            "SELECT (SELECT count(*) FROM segment.users), (SELECT count(*) FROM segment.audit_events)"
        ).fetchall()
    assert users == len(sandbox.segment.expected("users"))
    assert events > 0
    names = [each["stream"]["stream_descriptor"]["name"] for each in json.loads(state.read_text())]
    assert "audit_events" in names


def test_a_read_without_a_destination_for_rows_saves_no_state(config: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    result = tool("read", "source-segment", "--config", config, "--streams", "users", "--state", state)
    assert "no state was saved" in result.stderr
    assert not state.exists()


@pytest.mark.parametrize("connector", SOURCES)
def test_the_doctor_reads_every_stream_and_reports_no_value(connector: str, tmp_path: Path) -> None:
    with vendor(connector, scale=0.05) as (settings, _):
        config = written(tmp_path, settings)
        result = tool("doctor", connector, "--config", config, "--report", tmp_path / "report.json")
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert all(stream["reason"] == "" for stream in report["streams"])
    assert any(stream["first_page_rows"] for stream in report["streams"])
    assert any(stream["daily_sync"] for stream in report["streams"])
    assert not [stream for stream in report["streams"] if stream["sample"]["undeclared_fields"]]
    assert "example.com" not in json.dumps(report)


def test_the_doctor_creates_no_export(tmp_path: Path) -> None:
    with Sandbox(scale=0.05) as running:
        config = written(tmp_path, {**running.configs()["source-customerio"], "customers_export": True})
        result = tool("doctor", "source-customerio", "--config", config, "--streams", "customers")
        requested = [(request.method, request.path) for request in running.journal]
    assert result.returncode == 0, result.stdout + result.stderr
    assert [path for method, path in requested if method == "POST" and "exports" in path] == []


def test_the_doctor_reports_why_a_stream_cannot_be_read(sandbox: Sandbox, tmp_path: Path) -> None:
    config = written(tmp_path, {**sandbox.configs()["source-segment"], "api_token": "wrong-token"})
    result = tool("doctor", "source-segment", "--config", config, "--streams", "users")
    assert result.returncode == 1
    assert "0 of 1 streams can be read" in " ".join(result.stdout.split())
    assert "wrong-token" not in result.stdout + result.stderr


def test_unusable_arguments_are_explained(config: Path, tmp_path: Path) -> None:
    unknown = tool("catalog", "source-segment", "--config", config, "--streams", "people")
    assert "The source has no stream people. It has: " in unknown.stderr
    missing = tool("catalog", "source-segment", "--config", tmp_path / "missing.json")
    assert (missing.returncode, "No such file" in missing.stderr) == (2, True)
    (tmp_path / "broken.json").write_text("{")
    assert "is not valid JSON" in tool("catalog", "source-segment", "--config", tmp_path / "broken.json").stderr


def test_a_rejected_configuration_is_reported_in_the_connectors_own_message(tmp_path: Path) -> None:
    config = written(tmp_path, {})
    for command, beginning in [("catalog", "source-heap discover failed."), ("doctor", "source-heap could not be")]:
        result = tool(command, "source-heap", "--config", config)
        assert beginning in result.stderr
        assert "Traceback" not in result.stderr
