"""States between source, platform and destination: ids, counts, checksums, statuses."""

import orjson
import pytest

from sandbox.airbyte import Attempt, BulkCdkLike, ScriptedSource, SilentLossError, run_sync
from sandbox.airbyte.stand_ins import AnsweringRun
from unit_tests.sandbox.airbyte.conftest import JsonObject, catalog, ids, rows, state, status, stream

BOTH = catalog(stream("users"), stream("orders"))


def test_states_get_ids_over_all_streams_and_the_counts_they_lack(destination: BulkCdkLike) -> None:
    lines = [*rows("users", [1, 2]), state("users", 1), state("orders", 1), *rows("users", [3]), state("users", 2, 1)]

    attempt = run_sync(ScriptedSource(lines), destination, BOTH)

    enriched = [(each["id"], each["sourceStats"]["recordCount"]) for each in attempt.source_states]
    assert enriched == [(1, 2), (2, 0), (3, 1)]
    assert attempt.states["users"]["destinationStats"] == {"recordCount": 1}
    assert (attempt.emitted, attempt.committed) == ({"users": 3}, {"users": 3})


def test_a_source_that_miscounts_fails_here(destination: BulkCdkLike) -> None:
    with pytest.raises(SilentLossError, match="users: the source counted 3 records before a state, but 2 were read"):
        run_sync(ScriptedSource([*rows("users", [1, 2]), state("users", 1, 3)]), destination, BOTH)


class AlteredStates:
    """A destination that changes the states that it returns."""

    def __init__(self, **changes: object) -> None:
        self.config: JsonObject = {}
        self._changes = changes

    def start(self, command: str, **inputs: object) -> "AlteredRun":  # noqa: ARG002 # as Connector.start
        return AlteredRun(self._changes)


class AlteredRun(AnsweringRun):
    def __init__(self, changes: dict[str, object]) -> None:
        super().__init__()
        self._changes = changes

    def take(self, line: bytes) -> None:
        message = orjson.loads(line)
        if message["type"] == "STATE":
            changed = {**message["state"], **self._changes}
            present = {name: value for name, value in changed.items() if value is not None}
            self.answer(orjson.dumps({"type": "STATE", "state": present}))

    def close_input(self) -> None:
        self.end(0)


def sync_into(destination: AlteredStates) -> Attempt:
    return run_sync(ScriptedSource([*rows("users", [1, 2]), state("users", 1)]), destination, BOTH)


def test_a_state_without_its_id_ends_the_sync() -> None:
    attempt = sync_into(AlteredStates(id=None))

    assert attempt.status == "failed"
    assert attempt.messages[-1] == "State message does not contain id"


@pytest.mark.parametrize(
    ("changes", "loss"),
    [
        ({"id": 9}, "returned state 9, which is unknown"),
        (
            {"destinationStats": {"recordCount": 1}},
            "the destination counted 1 records and 0 rejected before state 1, but 2",
        ),
    ],
)
def test_an_unknown_state_or_a_wrong_count_of_the_destination_fails_here(changes: JsonObject, loss: str) -> None:
    with pytest.raises(SilentLossError, match=loss):
        sync_into(AlteredStates(**changes))


def test_rejected_records_are_not_reported_as_lost() -> None:
    attempt = sync_into(AlteredStates(destinationStats={"recordCount": 1, "rejectedRecordCount": 1}))

    assert attempt.status == "succeeded"


def test_a_full_refresh_without_a_state_gets_one_and_completes(destination: BulkCdkLike) -> None:
    full = catalog(stream("users", mode="full_refresh", destination_mode="overwrite"))

    attempt = run_sync(ScriptedSource([status("users", "COMPLETE")]), destination, full)

    assert attempt.stream_state("users") == {}
    assert attempt.stream_status == {"users": "COMPLETE"}


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([], "PENDING"),
        ([status("users", "STARTED")], "RUNNING"),
        ([status("users", "RUNNING", "RATE_LIMITED")], "RATE_LIMITED"),
        ([status("users", "RUNNING", "RATE_LIMITED"), *rows("users", [1])], "RUNNING"),
        ([*rows("users", [1]), state("users", 1), status("users", "COMPLETE")], "COMPLETE"),
        ([state("users", 1), status("users", "COMPLETE"), state("users", 2)], "COMPLETE"),
        ([status("users", "COMPLETE")], "PENDING"),
        ([status("users", "INCOMPLETE"), state("users", 1), status("users", "COMPLETE")], "INCOMPLETE"),
    ],
)
def test_the_status_that_the_user_sees(destination: BulkCdkLike, lines: list[bytes], shown: str) -> None:
    attempt = run_sync(ScriptedSource(lines), destination, catalog(stream("users")))

    assert attempt.stream_status == {"users": shown}


def test_records_that_no_returned_state_covers_are_not_committed(destination: BulkCdkLike) -> None:
    lines = [*rows("users", [1, 2]), state("users", 1), *rows("users", [3])]

    attempt = run_sync(ScriptedSource(lines, exit_code=1), destination, BOTH)

    assert (attempt.status, attempt.emitted["users"], attempt.committed["users"]) == ("failed", 3, 2)
    assert ids(destination.table("users")) == [1, 2]


def test_states_may_be_returned_in_groups() -> None:
    destination = BulkCdkLike(flush_records=3)
    lines = [*rows("users", [1, 2]), state("users", 1), *rows("users", [3]), state("users", 2), *rows("users", [4])]

    attempt = run_sync(ScriptedSource([*lines, state("users", 3)]), destination, BOTH)

    assert attempt.committed == {"users": 4}
    assert attempt.stream_state("users") == {"number": 3}
