"""What a user gets for input that cannot work: one sentence, the right exit, and no traceback."""

from typing import Any

import pytest

from sandbox.connector_process import ConnectorProcess, Output, configured
from sandbox.server import Sandbox

JsonObject = dict[str, Any]
PROCESS = ConnectorProcess("source_segment")
USERS: JsonObject = {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
CATALOG = configured({"streams": [USERS]})


def config_with(sandbox: Sandbox, **changes: object) -> JsonObject:
    return {**sandbox.configs()["source-segment"], **changes}


def assert_no_traceback(output: Output) -> None:
    assert output.unreadable == []
    assert not any("Traceback" in log["message"] for log in output.logs)
    assert not any(error.get("stack_trace") for error in output.errors if error["failure_type"] == "config_error")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"start_date": "31/12/2024"}, "Start Date is not a date. Enter it as YYYY-MM-DD"),
        ({"start_date": "2024-02-30"}, "Start Date is not a date"),
        ({"start_date": "2031-01-01"}, "is in the future. Enter a date up to today."),
        ({"api_token": "   "}, "API Token is empty. Enter it in the connection's settings."),
        ({"region": "asia"}, "'region' must be one of: us, eu."),
        ({"api_token": "somebody else's"}, "Segment rejected the API token in region 'us'"),
    ],
)
def test_check_says_what_is_wrong_with_the_configuration(
    shared_sandbox: Sandbox, changes: JsonObject, sentence: str
) -> None:
    output = PROCESS.check(config_with(shared_sandbox, **changes))

    assert output.exit_code == 0
    assert output.status
    assert output.status["status"] == "FAILED"
    assert sentence in output.status["message"]
    assert_no_traceback(output)


def test_an_empty_configuration_names_what_is_missing() -> None:
    output = PROCESS.check({})

    assert output.exit_code == 0
    assert output.status
    assert output.status["status"] == "FAILED"
    assert "'api_token' is missing." in output.status["message"]
    assert_no_traceback(output)


def test_a_padded_token_and_every_form_of_start_date_work(shared_sandbox: Sandbox) -> None:
    for start_date in ("01/31/2026", "2026-01-31", "2026-01-31T00:00:00Z"):
        config = config_with(shared_sandbox, api_token="  sandbox-token-us\n", start_date=start_date)
        assert PROCESS.check(config).status == {"status": "SUCCEEDED"}


def test_read_with_an_impossible_date_is_a_config_error(shared_sandbox: Sandbox) -> None:
    output = PROCESS.read(config_with(shared_sandbox, start_date="2024-02-30"), CATALOG)

    assert output.exit_code == 1
    [error] = output.errors
    assert error["failure_type"] == "config_error"
    assert error["message"].startswith("Start Date is not a date.")
    assert_no_traceback(output)


def test_an_unknown_stream_fails_after_the_others_were_read(shared_sandbox: Sandbox) -> None:
    catalog = configured({"streams": [{**USERS, "name": "uzers"}, USERS]})

    output = PROCESS.read(config_with(shared_sandbox), catalog)

    assert output.exit_code == 1
    assert output.statuses == {"uzers": "INCOMPLETE", "users": "COMPLETE"}
    assert output.records["users"]
    [error] = output.errors
    assert error["failure_type"] == "config_error"
    assert "uzers: the source has no such stream; refresh the connection's schema" in error["message"]
    assert_no_traceback(output)


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

    output = PROCESS.read(config_with(shared_sandbox), CATALOG, state)

    assert output.exit_code == 0
    assert len(output.records["users"]) == len(shared_sandbox.segment.users)
    assert_no_traceback(output)


@pytest.mark.parametrize(
    ("option", "content"),
    [("config", "{"), ("catalog", '{"streams": 1}'), ("state", '[{"type": 3}]'), ("config", "[]")],
)
def test_a_file_that_is_not_what_its_option_wants_is_named(shared_sandbox: Sandbox, option: str, content: str) -> None:
    inputs = {"config": config_with(shared_sandbox), "catalog": CATALOG, "state": [], option: content}

    output = PROCESS.run("read", **inputs)

    assert output.exit_code == 1
    [error] = output.errors
    assert error["failure_type"] == "config_error"
    assert error["message"].startswith(f"The file given with --{option} cannot be used: ")
    assert_no_traceback(output)


def test_a_server_that_answers_with_a_web_page_is_named(sandbox: Sandbox) -> None:
    sandbox.faults.html = True

    status = PROCESS.check(config_with(sandbox)).status
    output = PROCESS.read(config_with(sandbox), CATALOG)

    assert status
    assert "answered with a web page instead of Segment's Public API" in status["message"]
    assert output.exit_code == 1
    assert not output.records["users"]
    assert output.statuses == {"users": "INCOMPLETE"}
    assert "Check API URL in the settings" in output.errors[-1]["message"]
    assert_no_traceback(output)


def test_a_wrong_api_url_is_named(shared_sandbox: Sandbox) -> None:
    status = PROCESS.check(config_with(shared_sandbox, api_url=f"{shared_sandbox.url}/nowhere/")).status

    assert status
    assert "If API URL is set, check that it is the base address of Segment's Public API." in status["message"]


def test_no_secret_is_ever_written(sandbox: Sandbox) -> None:
    config = config_with(sandbox, api_token="sandbox-token-eu")
    output = PROCESS.read(config, CATALOG)

    written = [log["message"] for log in output.logs] + [str(error) for error in output.errors]
    assert not any("sandbox-token-eu" in text for text in written)
