"""One case: a connection's jobs over several days, with the faults that its seed draws."""

import random
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, get_args

from campaign.faults import HIDING, SEAMS, Fault, clock_seconds, draw_faults
from campaign.forked import ForkedConnector
from campaign.oracle import (
    MOST_SECONDS,
    STACKS_SECONDS,
    breaches_of_attempt,
    breaches_of_job,
    breaches_of_message,
    breaches_of_states,
    losses_of_attempt,
)
from campaign.proxy import FaultProxy, Schedule
from campaign.surroundings import ask_for_stacks, jump, surroundings
from campaign.vendors import JsonObject, Vendor, Vendors
from campaign.zygote import Zygote
from sandbox.airbyte import (
    BreakingChangeError,
    BulkCdkLike,
    Connection,
    Job,
    Sync,
    configured,
    run_job,
)
from sandbox.airbyte.process import ConnectorProcess
from sandbox.airbyte.schema_changes import Preference

_REQUESTS_PER_ATTEMPT = 2_000
"""More requests than the streams of any case need in an attempt; an endless loop exceeds it."""
_STREAMS = {"segment": 6, "customerio": 6, "heap": 12}
SCALES = {"segment": 0.05, "customerio": 0.01, "heap": 0.02}
LEAST_FAULTS = 5
_INVALID = ("status 400", "status 413", "status 422")


@dataclass(frozen=True)
class JobPlan:
    """One job of a case."""

    days: int
    """Days that pass before the job."""
    faults: tuple[Fault, ...]
    deselects: int = 0
    """Number of fields that the user deselects before the job, in the first stream that has enough."""
    refreshes: bool = False
    """True if the user refreshes the first incremental stream before the job."""


@dataclass(frozen=True)
class Plan:
    """A case, drawn from its seed."""

    connector: str
    seed: int
    streams: float
    """The seed for drawing the selected streams from the discovered catalog."""
    flush_records: int
    jobs: tuple[JobPlan, ...]
    preference: Preference = "propagate_columns"
    """The handling of schema changes, which the platform discovers once a day. Only the schemas of Heap change."""
    new_columns: frozenset[int] = frozenset()
    """The jobs before which a column is added to the streams to destination-segment."""

    @property
    def faults(self) -> list[tuple[int, int]]:
        """Every fault, as the number of its job and its number in that job."""
        return [(job, number) for job, plan in enumerate(self.jobs) for number in range(len(plan.faults))]

    def with_faults(self, kept: Sequence[tuple[int, int]]) -> "Plan":
        """The same case with only some of its faults."""
        return replace(
            self,
            jobs=tuple(
                replace(plan, faults=tuple(f for number, f in enumerate(plan.faults) if (job, number) in kept))
                for job, plan in enumerate(self.jobs)
            ),
        )


def draw_plan(connector: str, seed: int) -> Plan:
    """Draw a case of four to six jobs, each with at least five faults."""
    chance = random.Random(f"{connector} {seed}")
    jobs = tuple(
        JobPlan(
            days=chance.choice((0, 1, 2, 3)) if number else 0,
            faults=draw_faults(chance, LEAST_FAULTS + chance.randrange(4), SEAMS[connector]),
            deselects=chance.choice((0, 0, 0, 2)) if number else 0,
            refreshes=bool(number) and chance.random() < 0.15,  # noqa: PLR2004 # about one in seven
        )
        for number in range(chance.choice((4, 5, 6)))
    )
    streams, flush_records = chance.random(), chance.choice((0, 0, 50))
    preference = chance.choice(get_args(Preference))
    new_columns = frozenset(number for number in range(1, len(jobs)) if chance.random() < 0.4)  # noqa: PLR2004 # one or two
    return Plan(connector, seed, streams, flush_records, jobs, preference, new_columns)


@dataclass
class Outcome:
    """The result of a case."""

    breaches: list[str] = field(default_factory=list)
    jobs: int = 0
    """Jobs with faults."""
    attempts: int = 0
    failed_attempts: int = 0
    faults_planned: int = 0
    responses_spoiled: int = 0
    records: int = 0
    schema_changes: int = 0
    """Fields that a daily discovery found changed."""
    memory_mb: float = 0.0

    def add(self, job: Job, plan: JobPlan, schedule: Schedule) -> None:
        """Count a job."""
        self.jobs += bool(plan.faults)
        self.faults_planned += len(plan.faults)
        self.responses_spoiled = schedule.injected
        self.attempts += len(job.attempts)
        self.failed_attempts += sum(attempt.status == "failed" for attempt in job.attempts)
        self.records += sum(attempt.record_count for attempt in job.attempts)
        self.memory_mb = max([self.memory_mb, *(attempt.source_memory_mb for attempt in job.attempts)])


@dataclass
class Stage:
    """The resources that the cases of a connector share."""

    zygote: Zygote
    vendors: Vendors
    catalog: JsonObject | None = None
    """The discovered catalog, if it is the same for all of the connector's configurations."""


def run_case(plan: Plan, stage: Stage) -> Outcome:
    """Run the jobs of a case, and a final one without faults, after which everything must have arrived.

    Args:
        plan: the case.
        stage: the resources that it runs on.
    """
    outcome = Outcome()
    with (
        stage.vendors.serve(plan.seed, SCALES[plan.connector]) as served,
        FaultProxy(served.url) as proxy,
        tempfile.TemporaryDirectory(prefix="campaign-") as folder,
    ):
        case = _Case(plan, served, proxy, stage, Path(folder), outcome)
        for job in (*plan.jobs, JobPlan(days=0, faults=())):
            case.run(job)
            if outcome.breaches:
                break
    return outcome


def at_once(seconds: float) -> None:
    """Do not wait between attempts."""


class _Case:
    def __init__(
        self, plan: Plan, served: Vendor, proxy: FaultProxy, stage: Stage, folder: Path, outcome: Outcome
    ) -> None:
        self._zygote = stage.zygote
        self._vendor, self._proxy, self._folder, self._outcome = served, proxy, folder, outcome
        self._destination = BulkCdkLike(flush_records=plan.flush_records)
        self._ahead = 0.0
        proxy.schedule.now = self._now
        source = self._source(proxy.url)
        discovered = stage.catalog or source.discover()
        self._discovers = plan.connector == "heap"
        if not self._discovers:
            stage.catalog = discovered
        names = [stream["name"] for stream in discovered["streams"]]
        chance = random.Random(plan.streams)
        chosen = chance.sample(names, min(_STREAMS[plan.connector], len(names)))
        self._connection = Connection(
            source, self._destination, configured(discovered, chosen), preference=plan.preference
        )
        self._deselected: set[str] = set()
        self._sessions: list[int] = []
        self._watch = threading.Timer(0, print)

    def _now(self) -> float:
        return (self._vendor.connector_now or datetime.now(timezone.utc)).timestamp()

    def run(self, plan: JobPlan) -> None:
        """Run one job and check it."""
        outcome, schedule = self._outcome, self._proxy.schedule
        if plan.days:
            self._vendor.pass_time(plan.days)
        schedule.begin(plan.faults)
        if self._discovers:
            self._discover()
        self._change_connection(plan)
        before = dict(self._connection.states)
        job = run_job(self._connection, wait=at_once, attempt_options=lambda n: self._options(plan, n))
        self._watch.cancel()
        outcome.add(job, plan, schedule)
        self._judge(job, plan, before)

    def _judge(self, job: Job, plan: JobPlan, before: Mapping[str, JsonObject]) -> None:
        outcome, schedule = self._outcome, self._proxy.schedule
        hiding = any(fault.what in HIDING for fault in plan.faults)
        invalid = hiding or any(fault.what in _INVALID for fault in plan.faults)
        for attempt in job.attempts:
            outcome.breaches += breaches_of_attempt(attempt, self._vendor.secrets, self._sessions, invalid=invalid)
            outcome.breaches += losses_of_attempt(attempt, self._deselected | self._vendor.new_fields)
        if not plan.refreshes and not hiding:
            incremental = {
                each["stream"]["name"]
                for each in self._connection.catalog["streams"]
                if each["sync_mode"] == "incremental"
            }
            kept = {name: state for name, state in before.items() if name in incremental}
            outcome.breaches += breaches_of_states(job, kept)
        if not hiding:
            outcome.breaches += breaches_of_job(job, self._connection.catalog, self._destination, self._vendor)
        if schedule.requests > _REQUESTS_PER_ATTEMPT * len(job.attempts):
            outcome.breaches.append(f"{schedule.requests} requests in {len(job.attempts)} attempts")
        if not plan.faults and not job.succeeded:
            outcome.breaches.append(f"a job without faults failed: {job.attempts[-1].messages[:2]}")

    def _discover(self) -> None:
        connection = self._connection
        connection.source = self._source(self._proxy.url)
        known = len(connection.failed_discoveries)
        try:
            changes = connection.discover_once_a_day(self._vendor.now)
            self._outcome.schema_changes += sum(bool(change.field) for change in changes)
        except BreakingChangeError as change:
            self._outcome.breaches.append(f"a breaking schema change: {change}")
        for message in connection.failed_discoveries[known:]:
            self._outcome.breaches += breaches_of_message(message, self._vendor.secrets)
        for each in connection.catalog["streams"]:
            self._without_deselected(each)

    def _without_deselected(self, configured_stream: JsonObject) -> None:
        stream = configured_stream["stream"]
        kept = {
            name: schema
            for name, schema in stream["json_schema"]["properties"].items()
            if f"{stream['name']}.{name}" not in self._deselected
        }
        configured_stream["stream"] = {**stream, "json_schema": {**stream["json_schema"], "properties": kept}}

    def _change_connection(self, plan: JobPlan) -> None:
        streams = self._connection.catalog["streams"]
        if plan.deselects:
            self._deselect(streams, plan.deselects)
        incremental = [each["stream"]["name"] for each in streams if each["sync_mode"] == "incremental"]
        if plan.refreshes and incremental:
            self._connection.refresh(incremental[:1])

    def _deselect(self, streams: Sequence[JsonObject], count: int) -> None:
        for each in streams:
            properties = each["stream"]["json_schema"]["properties"]
            vital = {path[0] for path in each["primary_key"]} | set(each["cursor_field"])
            removable = [name for name in properties if name not in vital]
            if each["sync_mode"] == "full_refresh" and len(removable) > count:
                self._deselected |= {f"{each['stream']['name']}.{name}" for name in removable[:count]}
                self._without_deselected(each)
                return

    def _options(self, plan: JobPlan, attempt: int) -> Mapping[str, Any]:
        """Prepare the source of an attempt, and return the attempt's options."""
        self._proxy.schedule.begin_attempt()
        whole = {fault.what for fault in plan.faults if fault.seam == "attempt" and fault.attempt == attempt}
        url = {"dns": "http://vendor.invalid", "tls": self._proxy.url.replace("http:", "https:")}
        chosen = next((url[what] for what in ("dns", "tls") if what in whole), self._proxy.url)
        ahead = sum(map(clock_seconds, whole))
        source = self._connection.source = self._source(chosen, ahead=ahead, full_disk="full disk" in whole)
        self._sessions = source.sessions
        self._watch.cancel()
        self._watch = ask_for_stacks(STACKS_SECONDS, source.sessions)
        self._destination.delay = (lambda _: 0.002) if "slow destination" in whole else None
        lines = {fault.at: fault.what for fault in plan.faults if fault.seam == "line" and fault.attempt == attempt}

        def during(sync: Sync) -> None:
            what = lines.get(sync.attempt.line_count)
            if what:
                self._interrupt(sync, what)

        return {"during": during, "strict": False, "seed": attempt, "seconds": MOST_SECONDS}

    def _source(self, url: str, *, ahead: float = 0.0, full_disk: bool = False) -> ForkedConnector:
        self._ahead = 0.0
        self._note_clock(ahead)
        env = surroundings(self._folder, self._vendor.connector_now, ahead=ahead, full_disk=full_disk)
        return ForkedConnector(self._vendor.package, self._vendor.config(url), env, self._zygote)

    def _interrupt(self, sync: Sync, what: str) -> None:
        match what:
            case "kill":
                sync.source.kill()
            case "terminate":
                sync.source.terminate()
            case "close output":
                sync.source.close_output()
            case "kill destination":
                sync.destination.kill()
            case "stall":
                time.sleep(0.5)
            case "day passes":
                self._vendor.pass_time(1)
            case _ if isinstance(sync.source, ConnectorProcess):
                self._note_clock(clock_seconds(what))
                jump(self._folder, sync.source.pid, clock_seconds(what))

    def _note_clock(self, seconds: float) -> None:
        self._ahead += seconds
        self._vendor.most_ahead = max(self._vendor.most_ahead, self._ahead)
