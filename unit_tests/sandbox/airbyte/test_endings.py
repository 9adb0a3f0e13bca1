"""The end of a sync: exit codes, signals, closed pipes, tables that are swapped or not."""

import sys
import time

import pytest

from sandbox.airbyte import (
    Attempt,
    BulkCdkLike,
    Connector,
    ScriptedSource,
    Sync,
    close_output_after,
    kill_after,
    kill_destination_after,
    run_sync,
    stall_after,
    terminate_after,
)
from sandbox.airbyte.interruptions import Interruption
from unit_tests.sandbox.airbyte.conftest import catalog, error, ids, record, rows, state, stream

FULL = catalog(
    stream("users", mode="full_refresh", destination_mode="overwrite"),
    stream("plans", mode="full_refresh", destination_mode="overwrite"),
    stream("orders"),
)
ALL = [*rows("users", [1]), *rows("plans", [2]), *rows("orders", [3]), state("orders", 1)]
WRITER = """
import sys, time
print('{{"type":"RECORD","record":{{"stream":"users","data":{{"id":1}},"emitted_at":1}}}}', flush=True)
{then}
"""


def process(then: str) -> Connector:
    """A source that writes a record and then executes `then`."""
    return Connector([sys.executable, "-c", WRITER.format(then=then)], {})


def test_a_failed_source_leaves_overwritten_tables_as_they_were_and_advances_incremental_ones(
    destination: BulkCdkLike,
) -> None:
    run_sync(ScriptedSource(ALL), destination, FULL)
    again = [*rows("users", [10]), *rows("plans", [20]), *rows("orders", [30]), state("orders", 2)]

    attempt = run_sync(ScriptedSource([*again, error("plans failed")], exit_code=1), destination, FULL)

    assert attempt.status == "failed"
    assert attempt.messages[0] == "plans failed"
    assert [ids(destination.table(name)) for name in ("users", "plans", "orders")] == [[1], [2], [3, 30]]


def test_a_successful_sync_swaps_the_tables(destination: BulkCdkLike) -> None:
    for number in (1, 2):
        assert run_sync(ScriptedSource(rows("users", [number])), destination, FULL).destination_exit_code == 0

    assert ids(destination.table("users")) == [2]


def test_without_support_for_refreshes_no_stream_is_ever_complete(destination: BulkCdkLike) -> None:
    attempt = run_sync(ScriptedSource(ALL), destination, FULL, supports_refreshes=False)

    assert attempt.status == "failed"
    assert "did not receive a stream status at all" in attempt.messages[0]
    assert destination.table("users") == []


def test_an_error_trace_alone_does_not_fail_an_attempt(destination: BulkCdkLike) -> None:
    attempt = run_sync(ScriptedSource([error("half bad")]), destination, FULL)

    assert attempt.status == "succeeded"
    assert attempt.messages == ["half bad"]


def test_failures_are_sorted_by_time_and_an_unknown_type_is_a_system_error(destination: BulkCdkLike) -> None:
    lines = [error("later", "config_error", 2), error("earlier", None, 1)]

    attempt = run_sync(ScriptedSource(lines, exit_code=1), destination, FULL)

    assert [(failure.message, failure.failure_type) for failure in attempt.failures[:2]] == [
        ("earlier", "system_error"),
        ("later", "config_error"),
    ]


def test_a_failed_source_may_lose_its_last_messages() -> None:
    def committed(seed: int | None) -> int:
        destination = BulkCdkLike(delay=lambda _: 0.001)
        lines = [line for number in range(200) for line in (*rows("orders", [number]), state("orders", number))]
        run_sync(ScriptedSource(lines, exit_code=1), destination, FULL, seed=seed)
        return len(destination.table("orders"))

    assert committed(None) == 200
    assert min(committed(seed) for seed in range(5)) < 200


@pytest.mark.parametrize(
    ("interruption", "exit_code"),
    [(kill_after(1), -9), (terminate_after(1), -15)],
    ids=["SIGKILL", "SIGTERM"],
)
def test_a_signal_ends_the_source(destination: BulkCdkLike, interruption: Interruption, exit_code: int) -> None:
    attempt = run_sync(process("time.sleep(60)"), destination, FULL, during=interruption)

    assert (attempt.status, attempt.source_exit_code) == ("failed", exit_code)


def test_a_closed_output_ends_a_source_at_its_next_line(destination: BulkCdkLike) -> None:
    then = "import os\nwhile True: time.sleep(0.05); os.write(1, b'{}\\n')"  # after print, the exit code can be 120

    attempt = run_sync(process(then), destination, FULL, during=close_output_after(1))

    assert attempt.status == "failed"
    assert attempt.source_exit_code == 1
    assert any("BrokenPipeError" in line for line in attempt.stderr)


def test_a_sync_fails_if_the_output_of_a_successful_source_is_not_read_completely(destination: BulkCdkLike) -> None:
    attempt = run_sync(process(""), destination, FULL, during=close_output_after(1))

    assert (attempt.status, attempt.source_exit_code) == ("failed", 0)


def test_a_source_that_does_not_exit_is_killed(destination: BulkCdkLike, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.airbyte.worker.EXIT_SECONDS", 0.2)

    attempt = run_sync(process("import os; os.close(1); time.sleep(60)"), destination, FULL)

    assert (attempt.status, attempt.source_exit_code) == ("failed", None)


def test_a_sync_that_hangs_reaches_its_time_limit(destination: BulkCdkLike) -> None:
    attempt = run_sync(process("time.sleep(60)"), destination, FULL, seconds=0.5)

    assert attempt.status == "failed"
    assert "The sync took longer than 0.5 seconds" in attempt.messages


def test_a_source_that_exits_with_143_has_failed(destination: BulkCdkLike) -> None:
    assert run_sync(process("sys.exit(143)"), destination, FULL).status == "failed"


def test_a_destination_that_dies_ends_the_source(destination: BulkCdkLike) -> None:
    then = 'while True: print(\'{"type":"RECORD","record":{"stream":"users","data":{"id":1},"emitted_at":1}}\')'

    attempt = run_sync(process(then), destination, FULL, during=kill_destination_after(500))

    assert attempt.status == "failed"
    assert attempt.destination_exit_code == -9
    assert attempt.source_exit_code == -15


def test_a_slow_destination_slows_the_source_down() -> None:
    read, read_when_resumed = [0], list[int]()

    def note(sync: Sync) -> None:
        read[0] = sync.attempt.line_count

    def wait_once(line: int) -> float:
        while line == 1 and read[0] < 2_000:
            time.sleep(0.05)
        read_when_resumed.append(read[0])
        return 0

    attempt = run_sync(ScriptedSource(rows("users", range(5_000))), BulkCdkLike(delay=wait_once), FULL, during=note)

    assert attempt.emitted == {"users": 5_000}
    assert read_when_resumed[0] <= 2_010


def test_memory_gaps_and_standard_error_are_recorded(destination: BulkCdkLike) -> None:
    then = "time.sleep(0.3); print('careful', file=sys.stderr)"

    attempt: Attempt = run_sync(process(then), destination, FULL, during=stall_after(1, 0.1))

    assert attempt.source_memory_mb > 1
    assert attempt.stderr == ["careful"]


def test_of_several_rows_with_one_key_the_greatest_cursor_is_kept(destination: BulkCdkLike) -> None:
    lines = [
        record("orders", id=1, name="new", updated="2026-01-02T00:00:00Z"),
        record("orders", id=1, name="old", updated="2026-01-01T00:00:00Z"),
        record("orders", id=1, name="none"),
        state("orders", 1),
    ]
    run_sync(ScriptedSource(lines), destination, FULL)

    assert [row["name"] for row in destination.table("orders")] == ["new"]


@pytest.mark.parametrize(("ending", "loss"), [("os.kill(os.getpid(), 9)", False), ("os._exit(143)", True)])
def test_only_sigkill_excuses_a_truncated_line(destination: BulkCdkLike, ending: str, *, loss: bool) -> None:
    torn = process(f"import os; sys.stdout.write('{{\"type\":'); sys.stdout.flush(); {ending}")

    attempt = run_sync(torn, destination, FULL, strict=False)

    assert attempt.torn_line == '{"type":'
    assert bool(list(attempt.losses([]))) is loss
