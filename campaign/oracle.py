"""Checks after each attempt and each job; every violation is a finding."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import orjson

from campaign.proxy import numbers_for_lists
from campaign.vendors import JsonObject, Rows, Vendor, rows_by_key
from cdp_connectors.json_types import Json
from sandbox.airbyte import Attempt, BulkCdkLike, Job
from sandbox.airbyte.bulk_cdk_like import INCOMPLETE

MOST_MEMORY_MB = 512.0
"""The image's limit."""
MOST_SECONDS = 240.0
"""An attempt that takes longer counts as a hang."""
STACKS_SECONDS = MOST_SECONDS - 10
"""Seconds after which a connector must print the stacks of its threads."""
MOST_REQUESTS = 400
"""More requests than any stream of a case needs in an attempt; an endless loop exceeds it.

Retries are not counted: a 429 with `Retry-After` is retried for as long as it lasts, and the waits are shortened here.
The time limit of an attempt bounds them.
"""
_MOST_NAMED = 3
_MOST_STACK_LINES = 200
_EXCERPT = 400
_MOST_OF_A_LOSS = 2_000
_SPOILED = re.compile(f": {numbers_for_lists([])} is not of types? ")
_UNFORESEEN = "An unexpected error occurred"
_SENTENCES = re.compile(r"[.!?]\s*$")
_OF_THE_BULK_CDK = INCOMPLETE.partition("{")[0]
_TRACEBACK = "Traceback (most recent call last)"
_UNREASONABLE_WAIT = re.compile(r"UNREASONABLE WAIT of \d+ seconds")
_EMAIL = re.compile(r"[\w.+-]+(?:@|%40)[\w-]+\.[a-z]{2,}")
_STREAM_REQUESTS = re.compile(
    r"Stream (?P<stream>\S+): [\d,]+ rows, (?P<requests>[\d,]+) requests, (?P<retries>[\d,]+) retries"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?")


def breaches_of_attempt(
    attempt: Attempt, secrets: Iterable[str], sessions: Collection[int], *, invalid: bool = False
) -> Iterator[str]:
    """The violations of an attempt, regardless of its outcome.

    Args:
        attempt: the completed attempt.
        secrets: strings that no output may contain.
        sessions: the session ids of the connector's processes; none of these may still be running.
        invalid: whether a response said that a request is invalid, which a connector reports as a system error.
    """
    yield from _breaches_of_output(attempt, secrets)
    for failure in (*attempt.source_errors, *attempt.destination_errors):
        described = f"{failure.message[:_EXCERPT]} | {failure.internal_message[:_EXCERPT]}"
        if failure.failure_type == "config_error" and failure.stack_trace:
            yield f"a traceback of a configuration error: {described}"
        if failure.failure_type == "system_error" and (not invalid or _UNFORESEEN in failure.message):
            yield f"a system error: {described}"
        if not _SENTENCES.search(failure.message) and not failure.message.startswith(_OF_THE_BULK_CDK):
            yield f"an unfinished message: {described}"
    yield from _breaches_of_exit(attempt)
    yield from _breaches_of_requests(attempt)
    if attempt.source_memory_mb > MOST_MEMORY_MB:
        yield f"{attempt.source_memory_mb:.0f} MB of memory"
    for stream, status in attempt.stream_status.items():
        if attempt.status == "succeeded" and status != "COMPLETE":
            yield f"{stream}: {status} in a successful attempt"
    for pid in left_behind(sessions):
        yield f"process {pid} was left behind"


def breaches_of_message(message: str, secrets: Iterable[str]) -> Iterator[str]:
    """The violations in one message for users."""
    if any(secret in message for secret in secrets):
        yield "a secret in a message"
    if personal := _EMAIL.search(message):
        yield f"personal data in a message: {personal[0]}"
    if _TRACEBACK in message or not _SENTENCES.search(message):
        yield f"an unfinished message: {message[:_EXCERPT]}"


def losses_of_attempt(attempt: Attempt, allowed: Collection[str]) -> Iterator[str]:
    """The data that the platform would have lost silently, except where the proxy replaced lists with numbers.

    Args:
        attempt: the completed attempt.
        allowed: fields that the user deselected, as `stream.field`.
    """
    return (loss[:_MOST_OF_A_LOSS] for loss in attempt.losses(allowed) if not _SPOILED.search(loss))


def _breaches_of_exit(attempt: Attempt) -> Iterator[str]:
    # Once the destination has failed, the platform drops later messages of the source.
    if attempt.source_exit_code == 1 and not attempt.source_errors and attempt.destination_exit_code == 0:
        yield f"exit code 1 without an error trace: {attempt.stderr[-5:]}"
    if attempt.source_exit_code is None:
        yield "the source did not exit"
    if any("took longer than" in message for message in attempt.messages):
        yield "a hang: " + "; ".join(attempt.stderr[-_MOST_STACK_LINES:])


def _breaches_of_output(attempt: Attempt, secrets: Iterable[str]) -> Iterator[str]:
    """Secrets and e-mail addresses anywhere; tracebacks in text that users read, so not in a trace's `stack_trace`."""
    read = orjson.dumps([attempt.logs, attempt.destination_logs, attempt.stderr, attempt.messages]).decode()
    written = " ".join([read, *(f"{each.internal_message} {each.stack_trace}" for each in attempt.failures)])
    if any(secret in written for secret in secrets):
        yield "a secret in the output"
    if personal := _EMAIL.search(written):
        yield f"personal data in the output: {written[max(personal.start() - _EXCERPT, 0) : personal.end()]}"
    if _TRACEBACK in read:
        yield f"a traceback in the output: {read[max(read.index(_TRACEBACK) - _EXCERPT, 0) :][: 5 * _EXCERPT]}"
    if wait := _UNREASONABLE_WAIT.search(read):
        yield wait[0].lower()


def _breaches_of_requests(attempt: Attempt) -> Iterator[str]:
    for log in attempt.logs:
        if counted := _STREAM_REQUESTS.match(log["message"]):
            requests, retries = (int(counted[name].replace(",", "")) for name in ("requests", "retries"))
            if requests - retries > MOST_REQUESTS:
                yield f"{counted['stream']}: {requests:,} requests in an attempt, {retries:,} of them retries"


def breaches_of_states(job: Job, before: Mapping[str, JsonObject]) -> Iterator[str]:
    """States that go back within an attempt, or behind those before a successful job.

    An attempt may start behind the state that it was given, as when a stream rereads recent days.

    Args:
        job: the completed job.
        before: the states at its start, by stream.
    """
    for attempt in job.attempts:
        newest: dict[str, JsonObject] = {}
        for state in attempt.source_states:
            stream = state["stream"]["stream_descriptor"]["name"]
            if stream in newest:
                yield from _fallen(stream, newest[stream], state)
            newest[stream] = state
    if job.succeeded:
        for stream, state in job.attempts[-1].states.items():
            if stream in before:
                yield from _fallen(stream, before[stream], state)


def _fallen(stream: str, before: JsonObject, after: JsonObject) -> Iterator[str]:
    now = dict(_cursors(after))
    for name, value in _cursors(before):
        if name in now and type(value) is type(now[name]) and now[name] < value:
            yield f"{stream}: the state {name} fell from {value} to {now[name]}"


def _cursors(state: JsonObject) -> Iterator[tuple[str, Json]]:
    yield from _members(state["stream"].get("stream_state") or {}, "")


def _members(value: Json, name: str) -> Iterator[tuple[str, Json]]:
    """The numbers and times in a state, with the partition in the names of a partition's members."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key not in {"lookback_window", "reading", "parent_state"}:
                yield from _members(member, f"{name}.{key}")
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and "partition" in item:
                partition = orjson.dumps(item["partition"], option=orjson.OPT_SORT_KEYS).decode()
                yield from _members(item.get("cursor") or {}, f"{name}[{partition}]")
    elif (isinstance(value, int | float) and not isinstance(value, bool)) or (
        isinstance(value, str) and _MOMENT.fullmatch(value)
    ):
        yield name, value


def breaches_of_job(job: Job, catalog: Mapping[str, Json], destination: BulkCdkLike, vendor: Vendor) -> Iterator[str]:
    """The missing, wrong and extra rows in the tables after a successful job."""
    if not job.succeeded:
        return
    for configured in catalog["streams"]:
        stream = configured["stream"]
        wanted = vendor.truth(stream)
        found = rows_by_key(destination.table(stream["name"]), stream)
        selected = set(stream["json_schema"]["properties"])
        yield from _differences(stream["name"], wanted, found, selected, vendor)
        extra = found.keys() - wanted.keys()
        if extra and configured["sync_mode"] == "full_refresh" and wanted:
            yield f"{stream['name']}: {len(extra)} too many rows, for example {min(extra)}"


def left_behind(sessions: Collection[int]) -> Iterator[int]:
    """The ids of processes of these sessions that are still running."""
    if not sessions:
        return
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = entry.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(session) in sessions and state != "Z":
            yield int(entry.parent.name)


def _differences(name: str, wanted: Rows, found: Rows, selected: set[str], served: Vendor) -> Iterator[str]:
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        yield f"{name}: {len(missing)} of {len(wanted)} rows lost, for example {missing[:_MOST_NAMED]}"
    for key in sorted(wanted.keys() & found.keys()):
        expected = served.comparable({field: value for field, value in wanted[key].items() if field in selected})
        held = served.comparable(found[key])
        fields = [field for field in sorted(expected.keys() | held.keys()) if expected.get(field) != held.get(field)]
        fields = [field for field in fields if not _was_spoiled(expected.get(field), held.get(field))]
        if fields:
            yield f"{name}: row {key} differs in {fields[:_MOST_NAMED]}"
            return


def _was_spoiled(expected: Json, held: Json) -> bool:
    """True if a field of a record contains a value that the proxy changed.

    A connector passes it on, since a type may change; a destination stores null and reports it in `_airbyte_meta`.
    """
    return bool(expected != numbers_for_lists(expected) == held)
