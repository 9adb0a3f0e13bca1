"""Invalid input: one message, the right exit code, and no traceback."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sandbox.airbyte import Attempt, BulkCdkLike, Connector, Output, configured, run_sync
from sandbox.server import Sandbox

JsonObject = dict[str, Any]
USERS_SCHEMA = json.loads((Path(__file__).parents[1] / "source_segment" / "schemas" / "users.json").read_text())
USERS: JsonObject = {"name": "users", "json_schema": USERS_SCHEMA, "supported_sync_modes": ["full_refresh"]}
CATALOG = configured({"streams": [USERS]})


def source_with(sandbox: Sandbox, **changes: object) -> Connector:
    return Connector("source_segment", {**sandbox.configs()["source-segment"], **changes})


def read(source: Connector, catalog: JsonObject = CATALOG, states: Iterable[JsonObject] = ()) -> Attempt:
    attempt = run_sync(source, BulkCdkLike(), catalog, states)
    assert not any("Traceback" in text for text in (*[log["message"] for log in attempt.logs], *attempt.stderr))
    assert not any(each.stack_trace for each in attempt.source_errors if each.failure_type == "config_error")
    return attempt


def assert_no_traceback(output: Output) -> None:
    assert output.skipped_lines == output.stderr == []
    assert not any("Traceback" in log["message"] for log in output.logs)
    assert not any(error.get("stack_trace") for error in output.errors if error["failure_type"] == "config_error")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"start_date": "31/12/2024"}, "Start Date is not a date. Enter it as YYYY-MM-DD"),
        ({"start_date": "2024-02-30"}, "Start Date is not a date"),
        ({"start_date": "2031-01-01"}, "is in the future. Enter today's date or an earlier one."),
        ({"api_token": "   "}, "API Token is empty. Enter it in the connection's settings."),
        ({"region": "asia"}, "'region' must be one of: us, eu."),
        ({"api_token": "another-workspaces-token"}, "Segment rejected the API token in region 'us'"),
    ],
)
def test_check_reports_what_is_wrong_with_the_configuration(
    shared_sandbox: Sandbox, changes: JsonObject, expected: str
) -> None:
    output = source_with(shared_sandbox, **changes).check()

    assert output.exit_code == 0
    assert output.status
    assert output.status["status"] == "FAILED"
    assert expected in output.status["message"]
    assert_no_traceback(output)


def test_an_empty_configuration_names_what_is_missing() -> None:
    output = Connector("source_segment", {}).check()

    assert output.exit_code == 0
    assert output.status
    assert output.status["status"] == "FAILED"
    assert "'api_token' is missing." in output.status["message"]
    assert_no_traceback(output)


def test_a_padded_token_and_every_form_of_start_date_work(shared_sandbox: Sandbox) -> None:
    for start_date in ("01/31/2026", "2026-01-31", "2026-01-31T00:00:00Z"):
        source = source_with(shared_sandbox, api_token="  sandbox-token-us\n", start_date=start_date)
        assert source.check().status == {"status": "SUCCEEDED"}


def test_read_with_an_impossible_date_is_a_config_error(shared_sandbox: Sandbox) -> None:
    attempt = read(source_with(shared_sandbox, start_date="2024-02-30"))

    assert attempt.source_exit_code == 1
    [error] = attempt.source_errors
    assert error.failure_type == "config_error"
    assert error.message.startswith("Start Date is not a date.")


def test_an_unknown_stream_fails_after_the_others_were_read(shared_sandbox: Sandbox) -> None:
    catalog = configured({"streams": [{**USERS, "name": "uzers"}, USERS]})

    attempt = read(source_with(shared_sandbox), catalog)

    assert attempt.source_exit_code == 1
    assert attempt.source_status == {"uzers": "INCOMPLETE", "users": "COMPLETE"}
    assert attempt.records["users"]
    assert {error.failure_type for error in attempt.source_errors} == {"config_error"}
    assert any("no such stream" in error.message and "uzers" in error.message for error in attempt.source_errors)


def test_the_state_of_another_stream_changes_nothing(shared_sandbox: Sandbox) -> None:
    state = [
        {
            "type": "STREAM",
            "stream": {
                "stream_descriptor": {"name": "broadcasts"},
                "stream_state": {"updated": "2026-01-01T00:00:00Z"},
            },
        }
    ]

    attempt = read(source_with(shared_sandbox), states=state)

    assert attempt.failures == []
    assert attempt.emitted["users"] == len(shared_sandbox.segment.users)


@pytest.mark.parametrize(
    ("option", "content"),
    [("config", "{"), ("catalog", '{"streams": 1}'), ("state", '[{"type": 3}]'), ("config", "[]")],
)
def test_an_unusable_input_file_is_named(shared_sandbox: Sandbox, option: str, content: str) -> None:
    source = source_with(shared_sandbox)

    output = source.run("read", **{"config": source.config, "catalog": CATALOG, "state": [], option: content})

    assert output.exit_code == 1
    [error] = output.errors
    assert error["failure_type"] == "config_error"
    assert error["message"].startswith(f"Could not read the file passed to --{option}: ")
    assert_no_traceback(output)


def test_a_web_page_instead_of_a_response_is_reported(sandbox: Sandbox) -> None:
    sandbox.faults.html = True

    status = source_with(sandbox).check().status
    attempt = read(source_with(sandbox))

    assert status
    assert "returned a web page instead of a Public API response" in status["message"]
    assert attempt.source_exit_code == 1
    assert not attempt.records["users"]
    assert attempt.stream_status == {"users": "INCOMPLETE"}
    assert "Check API URL in the settings" in attempt.source_errors[-1].message


def test_a_wrong_api_url_is_named(shared_sandbox: Sandbox) -> None:
    status = source_with(shared_sandbox, api_url=f"{shared_sandbox.url}/nowhere/").check().status

    assert status
    assert "If API URL is set, check that it is the base URL of the Public API." in status["message"]


def test_no_secret_is_ever_written(sandbox: Sandbox) -> None:
    attempt = read(source_with(sandbox, api_token="sandbox-token-eu"))

    written = [log["message"] for log in attempt.logs] + [str(error) for error in attempt.source_errors]
    assert not any("sandbox-token-eu" in text for text in written)
