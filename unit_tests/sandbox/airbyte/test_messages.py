"""Lines of a source that the platform skips, and lines that end the sync."""

import pytest

from sandbox.airbyte import Attempt, BulkCdkLike, ScriptedSource, SilentLossError, run_sync
from unit_tests.sandbox.airbyte.conftest import catalog, ids, record, rows, state, status, stream

USERS = catalog(stream("users"))


def sync(destination: BulkCdkLike, *lines: bytes, **options: object) -> Attempt:
    return run_sync(ScriptedSource(lines), destination, USERS, **options)  # type: ignore[arg-type] # options of each test


@pytest.mark.parametrize(
    "line",
    [
        b"Traceback (most recent call last):",
        b"",
        b"[]",
        b"3",
        b'{"type": "RECORD"}',
        b'{"type": "RECORD", "record": {"stream": "users", "data": {}, "emitted_at": 1}}',
        b'{"type": "RECORD", "record": {"stream": "users", "emitted_at": 1}}',
        b'{"type": "TRACE", "trace": {"type": "ERROR", "error": {"message": "x"}}}',
        b'{"type": "LOG", "log": {"message": "without a level"}}',
    ],
)
def test_a_line_that_the_platform_skips_fails_here(destination: BulkCdkLike, line: bytes) -> None:
    with pytest.raises(SilentLossError, match="skipped line") as raised:
        sync(destination, *rows("users", [1]), line, state("users", 1))

    assert raised.value.attempt.status == "succeeded"
    assert ids(destination.table("users")) == [1]


def test_without_strict_mode_a_skipped_line_is_only_recorded(destination: BulkCdkLike) -> None:
    attempt = sync(destination, b"x", strict=False)

    assert attempt.status == "succeeded"
    assert attempt.skipped_lines == ["x"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (record("uzers", id=1), "A record of stream uzers, which is not in the configured catalog"),
        (record("users", name="no key"), "without its primary key"),
        (state("uzers", 1), "A state of stream uzers"),
        (status("uzers", "COMPLETE"), "COMPLETE for stream uzers"),
        (b'{"type": "STATE", "state": {"type": "GLOBAL", "global": {}}}', "A state of type GLOBAL"),
        (
            b'{"type": "RECORD", "record": {"stream": "users", "namespace": "", "data": {"id": 1}, "emitted_at": 1}}',
            "A record of stream .users",
        ),
    ],
)
def test_a_rule_ends_the_whole_sync(destination: BulkCdkLike, line: bytes, reason: str) -> None:
    attempt = sync(destination, *rows("users", [1]), state("users", 1), line, *rows("users", [2]))

    assert attempt.status == "failed"
    assert any(reason in message for message in attempt.messages)


def test_a_null_key_counts_as_present(destination: BulkCdkLike) -> None:
    assert sync(destination, record("users", id=None, name="x"), state("users", 1)).status == "succeeded"


def test_deduplication_needs_a_key(destination: BulkCdkLike) -> None:
    keyless = catalog({**stream("users"), "primary_key": []})

    attempt = run_sync(ScriptedSource(rows("users", [1])), destination, keyless)

    assert attempt.status == "failed"
    assert "Stream users is deduplicated but has no primary key" in attempt.messages


def test_a_stream_without_properties_cannot_be_synced(destination: BulkCdkLike) -> None:
    attempt_of = stream("users", json_schema={})

    with pytest.raises(Exception, match="Stream users declares no properties"):
        run_sync(ScriptedSource([]), destination, catalog(attempt_of))


def test_logs_controls_and_the_longest_line_are_kept(destination: BulkCdkLike) -> None:
    lines = [
        b'{"type": "LOG", "log": {"level": "INFO", "message": "hello"}}',
        b'{"type": "CONTROL", "control": {"type": "CONNECTOR_CONFIG", "emitted_at": 1, "connectorConfig": {}}}',
        b'{"type": "SPEC", "spec": {}}',
    ]
    attempt = sync(destination, *lines)

    assert [log["message"] for log in attempt.logs] == ["hello"]
    assert [control["type"] for control in attempt.controls] == ["CONNECTOR_CONFIG"]
    assert attempt.largest_line == len(lines[1])
