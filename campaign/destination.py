"""A case of destination-segment: a growing source, and everything that can go wrong before and at Segment."""

import random
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from campaign.case import JobPlan, Outcome, Plan, Stage, at_once
from campaign.faults import clock_seconds
from campaign.forked import ForkedConnector
from campaign.oracle import MOST_SECONDS, STACKS_SECONDS, breaches_of_attempt
from campaign.proxy import FaultProxy
from campaign.surroundings import ask_for_stacks, jump, surroundings
from campaign.vendors import JsonObject
from campaign.zygote import Zygote
from sandbox.airbyte import Connection, Job, ScriptedSource, SilentLossError, Sync, run_job
from sandbox.airbyte.process import ConnectorProcess
from sandbox.airbyte.protocol import stream_key
from sandbox.server import Sandbox

_STREAMS = {"users": "identify", "orders": "track"}
_STATE_EVERY = 20
_CALLS_PER_SECOND = 20
"""Also the size of a batch, so that a small sync has many requests."""
_REQUESTS_PER_ATTEMPT = 2_000
_BAD_SHARE = 0.03
_MARK = "personal-"
CATALOG: JsonObject = {
    "streams": [
        {
            "stream": {
                "name": name,
                "json_schema": {"type": "object", "properties": {field: {} for field in ("id", "user", "at", "plan")}},
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append_dedup",
            "cursor_field": ["id"],
            "primary_key": [["id"]],
        }
        for name in _STREAMS
    ]
}
_MAPPINGS = [
    {"stream": "users", "call": {"call_type": "identify", "user_id_field": "user", "timestamp_field": "at"}},
    {"stream": "orders", "call": {"call_type": "track", "user_id_field": "user", "event_name": "Bought"}},
]


@dataclass
class Records:
    """The records of a growing source."""

    chance: random.Random
    rows: dict[str, list[JsonObject]] = field(default_factory=lambda: {stream: [] for stream in _STREAMS})
    unsendable: set[tuple[str, int]] = field(default_factory=set)
    """Records that have no user, so that the destination rejects them."""
    columns: list[str] = field(default_factory=list)
    """The columns added after the first job; a record has those that existed when it was added."""
    rejected: set[tuple[str, int]] = field(default_factory=set)
    """Records whose calls Segment rejects with 400."""

    def grow(self, count: int) -> None:
        """Add records to every stream."""
        for stream, rows in self.rows.items():
            for _ in range(count):
                number = len(rows)
                row: JsonObject = {"id": number, "user": f"{stream}-{number}", "at": 1767225600 + number}
                row["plan"] = f"{_MARK}{number}@example.com"
                row.update(dict.fromkeys(self.columns, number))
                if self.chance.random() < _BAD_SHARE:
                    row["user"] = None
                    self.unsendable.add((stream, number))
                elif self.chance.random() < _BAD_SHARE:
                    self.rejected.add((stream, number))
                rows.append(row)

    @property
    def bad(self) -> set[tuple[str, int]]:
        """All records that cannot arrive."""
        return self.unsendable | self.rejected

    def lines(self, positions: Mapping[str, int]) -> Iterator[bytes]:
        """The messages of a sync from these positions; the streams take turns, as in a concurrent source."""
        for stream in _STREAMS:
            yield _status(stream, "STARTED")
        starts = {stream: positions.get(stream, 0) for stream in _STREAMS}
        for offset in range(0, max(len(rows) - starts[stream] for stream, rows in self.rows.items()), _STATE_EVERY):
            for stream, rows in self.rows.items():
                chunk = rows[starts[stream] + offset : starts[stream] + offset + _STATE_EVERY]
                for row in chunk:
                    record = {"stream": stream, "data": row, "emitted_at": 1}
                    yield orjson.dumps({"type": "RECORD", "record": record})
                if chunk:
                    yield _state(stream, chunk[-1]["id"] + 1)
        for stream in _STREAMS:
            yield _state(stream, len(self.rows[stream]))
            yield _status(stream, "COMPLETE")


def _status(stream: str, word: str) -> bytes:
    described = {"stream_descriptor": {"name": stream}, "status": word}
    trace = {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": described}
    return orjson.dumps({"type": "TRACE", "trace": trace})


def _state(stream: str, number: int) -> bytes:
    described = {"stream_descriptor": {"name": stream}, "stream_state": {"number": number}}
    return orjson.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": described}})


def position(states: Mapping[str, JsonObject], stream: str) -> int:
    """The number of records of a stream that the states cover."""
    state = states.get(stream)
    return int(state["stream"]["stream_state"].get("number", 0)) if state else 0


class _GrowingSource(ScriptedSource):
    """A source that resumes from the state that it is given."""

    def __init__(self, records: Records) -> None:
        super().__init__(())
        self._records = records

    def start(self, command: str, **inputs: Any) -> Any:  # noqa: ANN401 # as in the base class
        """Start writing."""
        given = {stream_key(each["stream"]["stream_descriptor"]): each for each in inputs.get("state") or ()}
        positions = {stream: position(given, stream) for stream in _STREAMS}
        return ScriptedSource(self._records.lines(positions)).start(command, **inputs)


def run_destination_case(plan: Plan, stage: Stage) -> Outcome:
    """Run the jobs of a destination case, and a final one without faults."""
    outcome = Outcome()
    with (
        Sandbox(seed=plan.seed, scale=0.01) as sandbox,
        FaultProxy(sandbox.url) as proxy,
        tempfile.TemporaryDirectory(prefix="campaign-") as folder,
    ):
        case = _Case(plan, sandbox, proxy, stage.zygote, Path(folder), outcome)
        for number, job in enumerate((*plan.jobs, JobPlan(days=0, faults=()))):
            case.run(number, job)
            if outcome.breaches:
                break
    return outcome


class _Case:
    def __init__(
        self, plan: Plan, sandbox: Sandbox, proxy: FaultProxy, zygote: Zygote, folder: Path, outcome: Outcome
    ) -> None:
        self._sandbox, self._proxy, self._zygote, self._folder, self._outcome = sandbox, proxy, zygote, folder, outcome
        chance = random.Random(plan.streams)
        self._records = Records(chance)
        self._new_columns = plan.new_columns
        self._skips = chance.random() < 0.7  # noqa: PLR2004 # in most cases; the others have no bad records
        self._connection = Connection(_GrowingSource(self._records), self._destination(proxy.url), CATALOG)  # type: ignore[arg-type] # it is started only
        self._connection.supports_refreshes = chance.random() < 0.5  # noqa: PLR2004 # either
        self._sessions: list[int] = []
        self._watch = threading.Timer(0, print)
        self._secret = sandbox.segment_tracking.write_key

    def run(self, number: int, plan: JobPlan) -> None:
        """Run one job and check it."""
        outcome, schedule = self._outcome, self._proxy.schedule
        if number in self._new_columns:
            self._add_column(f"column_{number}")
        self._records.grow(120)
        if not self._skips:
            self._forget_bad()
        self._sandbox.segment_tracking.behaviour.rejected_users = [f"{s}-{n}" for s, n in self._records.rejected]
        schedule.begin(plan.faults)
        before = dict(self._connection.states)
        try:
            job = run_job(self._connection, wait=at_once, attempt_options=lambda n: self._options(plan, n))
        except SilentLossError as loss:
            self._watch.cancel()
            outcome.breaches += [str(loss)[:2_000], *breaches_of_attempt(loss.attempt, (self._secret, _MARK), ())]
            return
        self._watch.cancel()
        outcome.add(job, plan, schedule)
        rejects = any(fault.what in {"status 400", "status 413"} for fault in plan.faults)
        self._judge(job, plan, before, rejects=rejects)

    def _add_column(self, name: str) -> None:
        self._records.columns.append(name)
        self._outcome.schema_changes += 1
        streams = []
        for each in self._connection.catalog["streams"]:
            properties = {**each["stream"]["json_schema"]["properties"], name: {}}
            described = {**each["stream"], "json_schema": {"type": "object", "properties": properties}}
            streams.append({**each, "stream": described})
        self._connection.catalog = {"streams": streams}

    def _forget_bad(self) -> None:
        for stream, number in self._records.unsendable:
            self._records.rows[stream][number]["user"] = f"{stream}-{number}"
        self._records.unsendable.clear()
        self._records.rejected.clear()

    def _judge(self, job: Job, plan: JobPlan, before: Mapping[str, JsonObject], *, rejects: bool) -> None:
        outcome, schedule = self._outcome, self._proxy.schedule
        for attempt in job.attempts:
            outcome.breaches += breaches_of_attempt(attempt, (self._secret, _MARK), self._sessions, invalid=rejects)
        arrived = {message["userId"] for message in self._sandbox.segment_tracking.messages}
        outcome.breaches += self._missing_columns()
        rejected = sum(attempt.rejected.total() for attempt in job.attempts)
        for stream in _STREAMS:
            last, now = position(before, stream), position(self._connection.states, stream)
            if now < last:
                outcome.breaches.append(f"{stream}: the state fell from {last} to {now}")
            lost = [
                number
                for number in range(last, now)
                if f"{stream}-{number}" not in arrived and (stream, number) not in self._records.bad
            ]
            if lost and not (rejects and len(lost) <= rejected):
                outcome.breaches.append(f"{stream}: {len(lost)} records lost, for example {lost[:3]}; state {now}")
            if job.succeeded and now != len(self._records.rows[stream]):
                outcome.breaches.append(f"{stream}: a successful job ended with state {now}")
        if job.succeeded and not plan.faults:
            self._judge_counts(job, before)
        if schedule.requests > _REQUESTS_PER_ATTEMPT * len(job.attempts):
            outcome.breaches.append(f"{schedule.requests} requests in {len(job.attempts)} attempts")
        if not plan.faults and not job.succeeded:
            outcome.breaches.append(f"a job without faults failed: {job.attempts[-1].messages[:2]}")

    def _missing_columns(self) -> Iterator[str]:
        """A record whose call at Segment lacks columns of the record."""
        for message in self._sandbox.segment_tracking.messages:
            stream, _, number = message["userId"].rpartition("-")
            fields = message.get("traits") or message.get("properties") or {}
            if missing := self._records.rows[stream][int(number)].keys() & set(self._records.columns) - fields.keys():
                yield f"{stream}: columns lost in record {number}: {', '.join(sorted(missing))}"
                return

    def _judge_counts(self, job: Job, before: Mapping[str, JsonObject]) -> None:
        """Check that every record that cannot be sent is counted as rejected."""
        bad = {(stream, number) for stream, number in self._records.bad if number >= position(before, stream)}
        counted = sum(attempt.rejected.total() for attempt in job.attempts)
        if counted != len(bad):
            self._outcome.breaches.append(f"{len(bad)} records cannot be sent, {counted} were counted as rejected")

    def _options(self, plan: JobPlan, attempt: int) -> Mapping[str, Any]:
        schedule = self._proxy.schedule
        schedule.begin_attempt()
        whole = {fault.what for fault in plan.faults if fault.seam == "attempt" and fault.attempt == attempt}
        url = {"dns": "http://vendor.invalid", "tls": self._proxy.url.replace("http:", "https:")}
        chosen = next((url[what] for what in ("dns", "tls") if what in whole), self._proxy.url)
        ahead = sum(map(clock_seconds, whole))
        destination = self._destination(chosen, ahead=ahead, full_disk="full disk" in whole)
        self._connection.destination, self._sessions = destination, destination.sessions
        self._watch.cancel()
        self._watch = ask_for_stacks(STACKS_SECONDS, destination.sessions)
        self._sandbox.faults.latency_ms = 30 if "slow API" in whole else 0
        planned = {fault.at: fault.what for fault in plan.faults if fault.seam == "line" and fault.attempt == attempt}
        running: list[Sync] = []

        def during(sync: Sync) -> None:
            if not running:
                running.append(sync)

        def on_request(number: int) -> None:
            if running and isinstance(process := running[0].destination, ConnectorProcess):
                process.note_memory()
                self._outcome.memory_mb = max(self._outcome.memory_mb, process.peak_memory_mb)
            if (what := planned.get(number)) and running:
                self._interrupt(running[0], what)

        schedule.on_request = on_request
        return {"during": during, "seed": attempt, "seconds": MOST_SECONDS}

    def _destination(self, url: str, *, ahead: float = 0.0, full_disk: bool = False) -> ForkedConnector:
        config = {
            **self._sandbox.configs()["destination-segment"],
            "api_url": f"{url}/segment-tracking/us/v1",
            "mappings": _MAPPINGS,
            "on_invalid": "skip" if self._skips else "fail",
            "events_per_second": _CALLS_PER_SECOND,
        }
        env = surroundings(self._folder, None, ahead=ahead, full_disk=full_disk)
        return ForkedConnector("destination_segment", config, env, self._zygote)

    def _interrupt(self, sync: Sync, what: str) -> None:
        match what:
            case "kill":
                sync.source.kill()
            case "kill destination":
                sync.destination.kill()
            case "terminate destination":
                sync.destination.terminate()
            case "stall":
                time.sleep(0.5)
            case _ if isinstance(sync.destination, ConnectorProcess):
                jump(self._folder, sync.destination.pid, clock_seconds(what))
