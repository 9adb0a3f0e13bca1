"""Regulations, which delete or suppress people's data, and the suppressed people."""

from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, timestamp, visible
from sandbox.api.validation import values
from sandbox.segment.connections import Connections
from sandbox.segment.workspace import Workspace

_RETENTION = timedelta(days=90)
_TYPES = (
    "DELETE_ARCHIVE_ONLY",
    "DELETE_INTERNAL",
    "DELETE_ONLY",
    "SUPPRESS_ONLY",
    "SUPPRESS_WITH_DELETE",
    "SUPPRESS_WITH_DELETE_INTERNAL",
    "UNSUPPRESS",
)
_OUTCOMES = ("FINISHED", "FINISHED", "FINISHED", "PARTIAL_SUCCESS", "FAILED", "NOT_SUPPORTED", "INVALID")
_STATUSES = tuple(sorted({"INITIALIZED", "RUNNING", *_OUTCOMES}))


class DeletionAndSuppression:
    """Regulations of the workspace, one created every day, and of some sources; each is listed for 90 days.

    A regulation is initialized for two hours, runs for another eighteen, and is then finished.
    """

    def __init__(self, workspace: Workspace, connections: Connections) -> None:
        self._chance = workspace.chance("deletion-and-suppression")
        self._connections = connections
        past = workspace.origin - timedelta(days=120)
        moments = [self._chance.moment(past, workspace.origin) for _ in range(workspace.scaled(60))]
        moments += [workspace.origin + timedelta(hours=20, days=days) for days in range(30)]
        self._regulations = [state for moment in moments for state in self._regulation(moment)]
        self._of_sources = {
            source.record["id"]: [
                state
                for _ in range(number % 3 if number % 2 else 0)
                for state in self._regulation(max(source.since, self._chance.moment(past, workspace.origin)))
            ]
            for number, source in enumerate(connections.sources)
        }
        self._suppressed = [
            Dated(self._suppression(number), moment)
            for number, moment in enumerate(workspace.births(self._chance, 230))
        ]

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tag Deletion and Suppression."""
        return [
            Listing(
                path="/regulations",
                stream="regulations",
                key="regulations",
                records=lambda arguments, now: _filtered(visible(self._regulations, now), arguments),
                choices={"status": _STATUSES},
                arrays={"regulationTypes": _TYPES},
                paging=Cursors(with_total=False),
            ),
            Listing(
                path="/regulations/sources/{sourceId}",
                stream="source_regulations",
                primary_key=("sourceId", "id"),
                key="regulations",
                records=lambda arguments, now: _filtered(
                    visible(self._of_sources[arguments["sourceId"]], now), arguments
                ),
                choices={"status": _STATUSES},
                arrays={"regulationTypes": _TYPES},
                of=self._connections.each_source,
                adds={"sourceId": "sourceId"},
                paging=Cursors(),
            ),
            Listing(
                path="/suppressions",
                stream="suppressions",
                primary_key=("subjectType", "subjectId"),
                key="suppressed",
                records=lambda _, now: visible(self._suppressed, now),
                makes=_one_by_one,
                paging=Cursors(LastNext.EMPTY, with_total=False),
            ),
        ]

    def _regulation(self, created: datetime) -> list[Dated]:
        created += timedelta(milliseconds=self._chance.randrange(1000))
        running, finished = created + timedelta(hours=2), created + timedelta(hours=20)
        regulation: Record = {
            "id": self._chance.identifier(27),
            "subjectType": self._chance.choice(("USER_ID", "OBJECT_ID")),
            "subjects": [f"subject-{self._chance.randrange(10_000)}" for _ in range(self._chance.randrange(1, 4))],
            "regulationType": self._chance.choice(_TYPES),
            "createdAt": created.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        final = {"status": self._chance.choice(_OUTCOMES), "finishedAt": timestamp(finished)}
        return [
            Dated(regulation | {"status": "INITIALIZED"}, created, running),
            Dated(regulation | {"status": "RUNNING", "finishedAt": None}, running, finished),
            Dated(regulation | final, finished, created + _RETENTION),
        ]

    def _suppression(self, number: int) -> Record:
        subjects = [f"suppressed-{number}-{place}" for place in range(1 + (number % 4 == 0))]
        return {"subjectType": self._chance.choice(("USER_ID", "ANONYMOUS_ID")), "subjectIds": subjects}


def _filtered(regulations: list[Record], arguments: Arguments) -> list[Record]:
    status, types = arguments.get("status"), values(arguments, "regulationTypes") or _TYPES
    return [
        regulation
        for regulation in regulations
        if status in {None, regulation["status"]} and regulation["regulationType"] in types
    ]


def _one_by_one(suppression: Record) -> list[Record]:
    return [
        {"subjectType": suppression["subjectType"], "subjectId": subject_id} for subject_id in suppression["subjectIds"]
    ]
