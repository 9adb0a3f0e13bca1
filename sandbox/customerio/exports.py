"""Exports of people: a job is created, is pending for a few requests, and then has a file to download."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Operation
from sandbox.api.errors import invalid, not_found
from sandbox.api.present import Present
from sandbox.api.timeline import Dated, Record, epoch, visible
from sandbox.api.validation import json_object
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.people import Person
from sandbox.customerio.workspace_people import PREFIX, WorkspacePeople

_FIRST_ID = 1000
SIGNATURE = "sandbox-signature"


@dataclass
class _Job:
    id: int
    created: int
    people: list[Person]
    polls: int = 0


class Exports:
    """The exports that users of the workspace made earlier, and those that requests create."""

    def __init__(self, past: list[Dated], people: WorkspacePeople, behaviour: Behaviour) -> None:
        self._past = past
        self._people = people
        self._behaviour = behaviour
        self._jobs: dict[int, _Job] = {}

    def listed(self, now: datetime) -> list[Record]:
        """Return all exports."""
        return visible(self._past, now) + [self._record(job) for job in self._jobs.values()]

    def operations(self) -> list[Operation]:
        """Return the operations that create, find and download an export."""
        return [_Create(exports=self), _Find(exports=self), _Download(exports=self)]

    def create(self, condition: Json, now: datetime) -> Record:
        """Create an export of the people who match a condition.

        Raises:
            ApiError: 422 for an invalid condition.
        """
        people = [person for person in self._people.at(now) if self._people.matches(condition, person, now)]
        job = _Job(_FIRST_ID + len(self._jobs), epoch(now), people)
        self._jobs[job.id] = job
        return self._record(job)

    def poll(self, identifier: str, now: datetime) -> Record:
        """Return an export, and bring its job one request closer to its end.

        Raises:
            ApiError: 404 for an unknown export.
        """
        for record in visible(self._past, now):
            if str(record["id"]) == identifier:
                return record
        job = self._job(identifier)
        record = self._record(job)
        job.polls += 1
        return record

    def file(self, identifier: str) -> str:
        """Return an export as CSV, one row per person.

        Raises:
            ApiError: 404 for an export that is unknown or not done.
        """
        job = self._job(identifier)
        if not self._is_done(job):
            raise not_found()
        rows = [self._row(person, job.created) for person in job.people]
        names = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    async def download(self, request: Request) -> Response:
        """Return the file of an export if the signature is valid."""
        if request.query_params.get("signature") != SIGNATURE:
            return PlainTextResponse("the signature is wrong or has expired\n", status_code=403)
        return PlainTextResponse(self.file(request.path_params["export_id"]), media_type="text/csv")

    def _job(self, identifier: str) -> _Job:
        if not identifier.isdigit():
            raise invalid(f"{identifier} is not an id")
        if int(identifier) not in self._jobs:
            raise not_found()
        return self._jobs[int(identifier)]

    def _is_done(self, job: _Job) -> bool:
        return job.polls >= self._behaviour.export_polls and self._behaviour.export_ends == "done"

    def _record(self, job: _Job) -> Record:
        done = self._is_done(job)
        failed = job.polls >= self._behaviour.export_polls and self._behaviour.export_ends == "failed"
        return {
            "id": job.id,
            "deduplicate_id": f"{job.id}:{job.created}",
            "type": "customers",
            "status": "done" if done else "failed" if failed else "pending",
            "failed": failed,
            "total": len(job.people) if done else 0,
            "downloads": 0,
            "description": "People",
            "user_id": 1,
            "user_email": "analyst@example.com",
            "created_at": job.created,
            "updated_at": job.created,
        }

    def _row(self, person: Person, now: int) -> Record:
        record = person.at(now)
        unsubscribed = {"unsubscribed": str(record["unsubscribed"]).lower()}
        if self._behaviour.export_columns == "attributes":
            return {"cio_id": person.cio_id, **record["attributes"], **unsubscribed}
        identifiers = {**person.identifiers, "cio_id": PREFIX + person.cio_id}
        others = {name: value for name, value in record["attributes"].items() if name not in identifiers}
        return {**identifiers, **unsubscribed, **others}


@dataclass(frozen=True, kw_only=True)
class _Create(Operation):
    path: str = "/exports/customers"
    method: str = "POST"
    exports: Exports

    def answer(self, request: Request, present: Present) -> Record:
        condition = json_object(request).get("filters")
        if not isinstance(condition, dict):
            raise invalid("filters is required")
        return {"export": self.exports.create(condition, present.now)}


@dataclass(frozen=True, kw_only=True)
class _Find(Operation):
    path: str = "/exports/{export_id}"
    exports: Exports

    def answer(self, request: Request, present: Present) -> Record:
        return {"export": self.exports.poll(request.path_params["export_id"], present.now)}


@dataclass(frozen=True, kw_only=True)
class _Download(Operation):
    path: str = "/exports/{export_id}/download"
    exports: Exports

    def answer(self, request: Request, present: Present) -> Record:  # noqa: ARG002 # the link needs no time
        identifier = request.path_params["export_id"]
        self.exports.file(identifier)
        root = f"{request.url.scheme}://{request.url.netloc}/customerio"
        return {"url": f"{root}/files/exports/{identifier}.csv?signature={SIGNATURE}"}
