"""Connections and their jobs: attempts, retries, generations, states, and daily discovery.

Follows AttemptHandler, RetryManager, ConnectionManagerWorkflowImpl and SyncWorkflowV2Impl of airbyte-platform.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sandbox.airbyte.attempt import Attempt
from sandbox.airbyte.connector import CommandError, Connector
from sandbox.airbyte.protocol import JsonObject, stream_key
from sandbox.airbyte.replication import run_sync
from sandbox.airbyte.runs import Startable
from sandbox.airbyte.schema_changes import Preference, SchemaChange, apply, schema_changes

MOST_WITHOUT_PROGRESS = 10
MOST_WITHOUT_PROGRESS_IN_A_ROW = 5
MOST_WITH_PROGRESS = 20
FIRST_WAIT_SECONDS = 10.0
WAIT_FACTOR = 3.0
MOST_WAIT_SECONDS = 1_800.0


class BreakingChangeError(Exception):
    """A schema change that makes the platform disable the connection."""


@dataclass
class Connection:
    """A source and a destination, and what the platform keeps for them between jobs."""

    source: Connector
    destination: Startable
    catalog: JsonObject
    """The configured catalog."""
    states: dict[str, JsonObject] = field(default_factory=dict)
    """The last state that the destination returned, by stream."""
    generations: dict[str, int] = field(default_factory=dict)
    supports_refreshes: bool = True
    resumes_full_refreshes: bool = False
    """`platform.enable-resumable-full-refresh`, off by default."""
    preference: Preference = "propagate_columns"
    disabled: bool = False
    """True if a breaking schema change disabled the connection."""
    failed_discoveries: list[str] = field(default_factory=list)
    _discovered_on: date | None = None
    _refreshed: set[str] = field(default_factory=set)
    _sync_id: int = 0

    def discover_once_a_day(self, now: datetime) -> list[SchemaChange]:
        """Discover if there was no discovery on this UTC day, and apply changes that are not breaking.

        A discovery that fails does not stop the sync.

        Raises:
            BreakingChangeError: the connection is now disabled.
        """
        if self._discovered_on == now.date():
            return []
        self._discovered_on = now.date()
        try:
            discovered = self.source.discover()
        except CommandError as error:
            self.failed_discoveries.append(str(error))
            return []
        changes = schema_changes(self.catalog, discovered)
        breaking = [change for change in changes if change.breaking]
        if breaking:
            self.disabled = True
            raise BreakingChangeError(", ".join(f"{change.kind} {change.stream} {change.field}" for change in breaking))
        self.catalog = apply(self.catalog, discovered, self.preference)
        return changes

    def refresh(self, streams: Iterable[str]) -> None:
        """Make the next job read these streams from the beginning and replace their rows in the destination.

        Raises:
            ValueError: the destination does not support refreshes.
        """
        if not self.supports_refreshes:
            raise ValueError("Refreshes require a destination that supports them")
        self._refreshed.update(streams)

    def begin_job(self) -> None:
        """Prepare the first attempt of a job: new generations, and no states for streams that are read in full."""
        self._sync_id += 1
        for stream in self._streams():
            key = stream_key(stream["stream"])
            self.generations.setdefault(key, 0)
            if stream["sync_mode"] == "full_refresh" or key in self._refreshed:
                self._restart(key)

    def begin_retry(self) -> None:
        """Prepare a later attempt: full refreshes restart, unless they are resumable and the platform resumes them."""
        for stream in self._streams():
            resumable = stream["stream"].get("is_resumable") is True
            kept = resumable and self.supports_refreshes and self.resumes_full_refreshes
            if stream["sync_mode"] == "full_refresh" and not kept:
                self._restart(stream_key(stream["stream"]))

    def generated_catalog(self) -> JsonObject:
        """The configured catalog with generations; the destination drops rows of generations below the minimum."""
        return {**self.catalog, "streams": [self._with_generation(stream) for stream in self._streams()]}

    def take(self, attempt: Attempt) -> None:
        """Persist the states that the destination returned."""
        self.states.update(attempt.states)

    def end_job(self) -> None:
        """Clear the requested refreshes after a successful job."""
        self._refreshed.clear()

    def _streams(self) -> list[JsonObject]:
        return list(self.catalog["streams"])

    def _restart(self, key: str) -> None:
        self.generations[key] = self.generations.get(key, 0) + 1
        self.states.pop(key, None)

    def _with_generation(self, stream: JsonObject) -> JsonObject:
        key = stream_key(stream["stream"])
        generation = self.generations.get(key, 0)
        replaces = stream["destination_sync_mode"] == "overwrite" or key in self._refreshed
        return {
            **stream,
            "generation_id": generation,
            "minimum_generation_id": generation if replaces else 0,
            "sync_id": self._sync_id,
        }


@dataclass
class Job:
    """The attempts of one sync of a connection."""

    attempts: list[Attempt] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds between attempts."""
    changes: list[SchemaChange] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """True if the last attempt succeeded."""
        return bool(self.attempts) and self.attempts[-1].status == "succeeded"


def run_job(
    connection: Connection,
    *,
    now: Callable[[], datetime] | None = None,
    wait: Callable[[float], None] = time.sleep,
    attempt_options: Callable[[int], Mapping[str, Any]] = lambda _: {},
) -> Job:
    """Run a job: attempts until one succeeds, one's first failure is a configuration error, or retries run out.

    Args:
        connection: what to sync; keeps states and generations for the next job.
        now: the time for the daily discovery; None for no discovery.
        wait: called with the seconds to wait between attempts.
        attempt_options: returns options of `run_sync` for the attempt with this number, starting at 0.
    """
    job = Job()
    if now:
        job.changes = connection.discover_once_a_day(now())
    connection.begin_job()
    retries = Retries()
    while True:
        options = attempt_options(len(job.attempts))
        attempt = run_sync(
            connection.source,
            connection.destination,
            connection.generated_catalog(),
            list(connection.states.values()),
            supports_refreshes=connection.supports_refreshes,
            **options,
        )
        job.attempts.append(attempt)
        connection.take(attempt)
        if attempt.status == "succeeded":
            connection.end_job()
            return job
        seconds = retries.after(attempt)
        if seconds is None:
            return job
        job.waits.append(seconds)
        wait(seconds)
        connection.begin_retry()


@dataclass
class Retries:
    """Decides if and when a failed attempt is retried."""

    with_progress: int = 0
    without_progress: int = 0
    in_a_row: int = 0

    def after(self, attempt: Attempt) -> float | None:
        """Seconds to wait before the next attempt, or None if there is none."""
        if attempt.failures and attempt.failures[0].failure_type == "config_error":
            return None
        if sum(attempt.committed.values()):
            self.with_progress, self.in_a_row = self.with_progress + 1, 0
            return 0.0 if self.with_progress < MOST_WITH_PROGRESS else None
        self.without_progress, self.in_a_row = self.without_progress + 1, self.in_a_row + 1
        if self.without_progress >= MOST_WITHOUT_PROGRESS or self.in_a_row >= MOST_WITHOUT_PROGRESS_IN_A_ROW:
            return None
        return min(FIRST_WAIT_SECONDS * WAIT_FACTOR ** (self.in_a_row - 1), MOST_WAIT_SECONDS)
