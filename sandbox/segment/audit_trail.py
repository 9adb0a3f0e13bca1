"""The Audit Trail: changes to the workspace and their authors, kept for 90 days."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from sandbox.api.cursors import Cursors
from sandbox.api.endpoints import Endpoint
from sandbox.api.present import Present
from sandbox.api.timeline import Record, Seeded, scaled
from sandbox.api.validation import moment, parameters, window

RETENTION = timedelta(days=90)
_AHEAD = timedelta(days=35)
_EVENTS = (
    ("Source Created", "source"),
    ("Source Modified", "source"),
    ("Source Settings Modified", "source"),
    ("Destination Created", "destination"),
    ("Destination Disabled", "destination"),
    ("Destination Filter Modified", "destination_filter"),
    ("Source Function Deleted", "function"),
    ("Warehouse Sync Modified", "warehouse"),
    ("Tracking Plan Modified", "tracking_plan"),
    ("User Invited", "user"),
    ("Permissions Granted", "user_group"),
    ("Access Token Created", "public_api_token"),
)


class AuditTrail:
    """Events of the retention period and well beyond `origin`; sixty per day, some in bursts within the same second."""

    def __init__(self, users: list[Record], origin: datetime, *, seed: int, scale: float) -> None:
        self._random = Seeded(f"{seed}/audit-trail")
        self._users = users
        days = (RETENTION + _AHEAD).days
        moments = [self._moment(origin - RETENTION, origin + _AHEAD) for _ in range(scaled(60, scale) * days)]
        moments += [moment for moment in moments[::200] for _ in range(5)]
        self._moments = sorted(moments)
        self._events = [self._event(number, moment) for number, moment in enumerate(self._moments)]

    def between(self, start: datetime, end: datetime) -> list[Record]:
        """Return the events from `start` to `end`, both inclusive, newest first."""
        first = bisect_left(self._moments, start)
        return self._events[first : bisect_right(self._moments, end)][::-1]

    def _moment(self, first: datetime, last: datetime) -> datetime:
        moment = self._random.moment(first, last)
        return moment + timedelta(milliseconds=self._random.randrange(1000)) if self._random.happens(0.3) else moment

    def _event(self, number: int, moment: datetime) -> Record:
        kind, resource_type = self._random.choice(_EVENTS)
        timespec = "milliseconds" if moment.microsecond else "seconds"
        event: Record = {
            "id": f"events/{145000000 + number}",
            "timestamp": moment.replace(tzinfo=None).isoformat(timespec=timespec) + "Z",
            "type": kind,
            "resourceId": self._random.identifier(),
            "resourceType": resource_type,
            "resourceName": f"{resource_type.replace('_', ' ')} {self._random.randrange(500)}",
        }
        if self._random.happens(0.3):
            return event | {"actor": f"public-api-token/{self._random.identifier(8)}"}
        user = self._random.choice(self._users)
        return event | {"actor": f"user/{user['id']}", "actorEmail": self._random.choice((user["email"], None))}


@dataclass(frozen=True, kw_only=True)
class AuditEvents(Endpoint):
    """The events of a time window, newest first; the cursor fixes the end of the window."""

    path: str = "/audit-events"
    stream: str = "audit_events"
    gate: str | None = "audit-trail"
    trail: AuditTrail
    paging: Cursors = Cursors(with_total=False, required=False)  # noqa: RUF009 # it cannot change

    def answer(self, request: Request, present: Present) -> Record:
        """Return a page of the events of the requested window."""
        given = parameters(
            request, present, self.paging.parameters | {"startTime", "endTime", "resourceId", "resourceType"}
        )
        page = self.paging.page(request, given, present)
        end = page.cursor.end or moment(given, "endTime", present.now)
        start = moment(given, "startTime", present.now - RETENTION)
        window(present, start, end, earliest=present.now - RETENTION)
        events = self.trail.between(start, min(end, present.now))
        for name in given.keys() & {"resourceId", "resourceType"}:
            events = [event for event in events if event[name] == given[name]]
        return page.pinned(min(end, present.now)).answer("events", events)

    def rows(self, present: Present, start: datetime) -> list[Record]:
        """Return the retained events from `start` on."""
        return self.trail.between(max(start, present.now - RETENTION), present.now)
