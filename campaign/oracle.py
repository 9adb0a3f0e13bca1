"""Checks after each attempt and each job; every violation is a finding."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from campaign.vendors import Rows, Vendor, rows_by_key
from sandbox.airbyte import Attempt, BulkCdkLike, Job

MOST_MEMORY_MB = 512.0
"""The image's limit."""
MOST_SECONDS = 240.0
"""Longer attempts hang."""
_MOST_NAMED = 3
_EXCERPT = 400
_TRACEBACK = "Traceback (most recent call last)"


def breaches_of_attempt(attempt: Attempt, vendor: Vendor, folder: Path, *, invalid: bool = False) -> Iterator[str]:
    """The violations of an attempt, whatever its outcome.

    Args:
        attempt: the attempt, ended.
        vendor: for its secrets.
        folder: the folder for temporary files that the attempt's processes were given; it identifies them.
        invalid: whether the vendor called a request invalid (400), which is a defect of the connector.
    """
    yield from _breaches_of_output(attempt, vendor.secrets)
    for failure in attempt.source_errors:
        described = f"{failure.message[:_EXCERPT]} | {failure.internal_message[:_EXCERPT]}"
        if failure.failure_type == "config_error" and failure.stack_trace:
            yield f"a traceback of a configuration error: {described}"
        if failure.failure_type == "system_error" and not invalid:
            yield f"a system error: {described}"
        if failure.message.rstrip().endswith(":"):
            yield f"an unfinished sentence: {described}"
    yield from _breaches_of_exit(attempt)
    if attempt.source_memory_mb > MOST_MEMORY_MB:
        yield f"{attempt.source_memory_mb:.0f} MB of memory"
    for stream, status in attempt.stream_status.items():
        if attempt.status == "succeeded" and status != "COMPLETE":
            yield f"{stream}: {status} in a successful attempt"
    for pid in left_behind(folder):
        yield f"process {pid} was left behind"


def _breaches_of_exit(attempt: Attempt) -> Iterator[str]:
    if attempt.source_exit_code == 1 and not attempt.source_errors:
        yield f"exit code 1 without an error trace: {attempt.stderr[-5:]}"
    if attempt.source_exit_code is None:
        yield "the source did not exit"
    if any("took longer than" in message for message in attempt.messages):
        yield "a hang"


def _breaches_of_output(attempt: Attempt, secrets: Iterable[str]) -> Iterator[str]:
    """Secrets anywhere; tracebacks in what a person reads, which the field `stack_trace` of a trace is not."""
    read = orjson.dumps([attempt.logs, attempt.stderr, attempt.messages]).decode()
    written = " ".join([read, *(f"{each.internal_message} {each.stack_trace}" for each in attempt.failures)])
    if any(secret in written for secret in secrets):
        yield "a secret in the output"
    if _TRACEBACK in read:
        yield f"a traceback in the output: {read[max(read.index(_TRACEBACK) - _EXCERPT, 0) :][: 5 * _EXCERPT]}"


def breaches_of_job(job: Job, catalog: Mapping[str, Any], destination: BulkCdkLike, vendor: Vendor) -> Iterator[str]:
    """The rows that the tables lack after a job that succeeded."""
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
            yield f"{stream['name']}: {len(extra)} rows too many, for example {min(extra)}"


def left_behind(folder: Path) -> Iterator[int]:
    """Processes whose folder for temporary files is this one."""
    mark = f"TMPDIR={folder}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in entry.read_bytes().split(b"\0") and int(entry.parent.name) != os.getpid():
                yield int(entry.parent.name)
        except OSError:
            continue


def _differences(name: str, wanted: Rows, found: Rows, selected: set[str], served: Vendor) -> Iterator[str]:
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        yield f"{name}: {len(missing)} of {len(wanted)} rows lost, for example {missing[:_MOST_NAMED]}"
    for key in sorted(wanted.keys() & found.keys()):
        expected = served.comparable({field: value for field, value in wanted[key].items() if field in selected})
        held = served.comparable(found[key])
        if expected != held:
            fields = [
                field for field in sorted(expected.keys() | held.keys()) if expected.get(field) != held.get(field)
            ]
            yield f"{name}: row {key} differs in {fields[:_MOST_NAMED]}"
            return
