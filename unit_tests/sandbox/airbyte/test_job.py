"""Jobs: retries, generations, deleted states, refreshes."""

from collections.abc import Iterable, Iterator

import pytest

from sandbox.airbyte import BulkCdkLike, Connection, Job, ScriptedSource, run_job
from sandbox.airbyte.job import Retries
from unit_tests.sandbox.airbyte.conftest import JsonObject, catalog, error, ids, record, rows, state, stream

BOTH = catalog(stream("users", mode="full_refresh", destination_mode="overwrite"), stream("orders"))


class Syncs:
    """A source whose syncs write one script after another, and that records its inputs."""

    def __init__(self, *scripts: tuple[Iterable[bytes], int]) -> None:
        self.config: JsonObject = {}
        self.given: list[JsonObject] = []
        self._scripts = iter(scripts)

    def start(self, command: str, **inputs: object) -> object:
        self.given.append(dict(inputs))
        lines, exit_code = next(self._scripts)
        return ScriptedSource(lines, exit_code=exit_code).start(command)

    def state_numbers(self) -> list[list[int]]:
        return [
            [each["stream"]["stream_state"].get("number") for each in inputs["state"] or ()] for inputs in self.given
        ]

    def generations(self, name: str) -> Iterator[tuple[int, int]]:
        for inputs in self.given:
            for each in inputs["catalog"]["streams"]:
                if each["stream"]["name"] == name:
                    yield each["generation_id"], each["minimum_generation_id"]


def job_of(source: Syncs, destination: BulkCdkLike, **settings: object) -> tuple[Job, Connection]:
    connection = Connection(source, destination, BOTH, **settings)  # type: ignore[arg-type] # a scripted source
    return run_job(connection, wait=lambda _: None), connection


def test_a_job_retries_from_the_returned_states_with_new_generations_for_full_refreshes() -> None:
    destination = BulkCdkLike()
    first = [*rows("users", [1]), *rows("orders", [1]), state("orders", 1), error("later", "transient_error")]
    second = [*rows("users", [1, 2]), *rows("orders", [2]), state("orders", 2)]
    source = Syncs((first, 1), (second, 0))

    job, connection = job_of(source, destination)

    assert [attempt.status for attempt in job.attempts] == ["failed", "succeeded"]
    assert job.waits == [0]
    assert source.state_numbers() == [[], [1]]
    assert list(source.generations("users")) == [(1, 1), (2, 2)]
    assert list(source.generations("orders")) == [(0, 0), (0, 0)]
    assert [ids(destination.table(name)) for name in ("users", "orders")] == [[1, 2], [1, 2]]
    assert connection.states["orders"]["stream"]["stream_state"] == {"number": 2}


def test_a_configuration_error_that_comes_first_ends_the_job() -> None:
    lines = [error("wrong key", "config_error", 1), error("flaky", "transient_error", 2)]

    job, _ = job_of(Syncs((lines, 1)), BulkCdkLike())

    assert len(job.attempts) == 1
    assert not job.succeeded


def test_a_configuration_error_that_comes_second_does_not_end_the_job() -> None:
    lines = [error("flaky", "transient_error", 1), error("wrong key", "config_error", 2)]

    job, _ = job_of(Syncs((lines, 1), ([], 0)), BulkCdkLike())

    assert [attempt.status for attempt in job.attempts] == ["failed", "succeeded"]


def test_attempts_without_progress_wait_longer_each_time_and_end_after_five() -> None:
    job, _ = job_of(Syncs(*[([], 1)] * 5), BulkCdkLike())

    assert job.waits == [10, 30, 90, 270]
    assert len(job.attempts) == 5


def test_attempts_with_progress_end_after_twenty() -> None:
    scripts = [([*rows("orders", [number]), state("orders", number)], 1) for number in range(20)]

    job, _ = job_of(Syncs(*scripts), BulkCdkLike())

    assert len(job.attempts) == 20
    assert set(job.waits) == {0}


def test_a_job_ends_after_ten_attempts_without_progress_in_total() -> None:
    progress = [([record("orders", id=1), state("orders", 1)], 1)]
    scripts = [*[([], 1)] * 4, *progress, *[([], 1)] * 4, *progress, *[([], 1)] * 2]

    job, _ = job_of(Syncs(*scripts), BulkCdkLike())

    assert len(job.attempts) == 12
    assert Retries().without_progress == 0


@pytest.mark.parametrize(("switched_on", "states"), [(False, [[], []]), (True, [[], [7]])])
def test_a_resumable_full_refresh_resumes_only_where_that_is_enabled(
    *, switched_on: bool, states: list[list[int]]
) -> None:
    full = catalog(stream("users", mode="full_refresh", destination_mode="overwrite", is_resumable=True))
    destination = BulkCdkLike()
    source = Syncs(([*rows("users", [1]), state("users", 7)], 1), ([*rows("users", [2]), state("users", 8)], 0))
    connection = Connection(source, destination, full, resumes_full_refreshes=switched_on)  # type: ignore[arg-type] # a scripted source

    run_job(connection, wait=lambda _: None)

    assert source.state_numbers() == states
    assert ids(destination.table("users")) == ([1, 2] if switched_on else [2])


def test_the_next_job_deletes_the_states_of_full_refreshes() -> None:
    source = Syncs(*[([state("users", number), state("orders", number)], 0) for number in (1, 2)])
    connection = Connection(source, BulkCdkLike(), BOTH)  # type: ignore[arg-type] # a scripted source

    for _ in range(2):
        run_job(connection)

    assert source.state_numbers() == [[], [1]]


def test_a_refresh_reads_a_stream_from_the_beginning_and_replaces_its_table() -> None:
    destination = BulkCdkLike()
    scripts = [([*rows("orders", [number]), state("orders", number)], 0) for number in (1, 2, 3)]
    source = Syncs(*scripts)
    connection = Connection(source, destination, BOTH)  # type: ignore[arg-type] # a scripted source
    run_job(connection)
    connection.refresh(["orders"])
    run_job(connection)
    assert ids(destination.table("orders")) == [2]
    run_job(connection)

    assert source.state_numbers() == [[], [], [2]]
    assert list(source.generations("orders")) == [(0, 0), (1, 1), (1, 0)]
    assert ids(destination.table("orders")) == [2, 3]


def test_a_refresh_needs_a_destination_that_supports_it() -> None:
    connection = Connection(Syncs(), BulkCdkLike(), BOTH, supports_refreshes=False)  # type: ignore[arg-type] # a scripted source

    with pytest.raises(ValueError, match="Refreshes require"):
        connection.refresh(["orders"])
