"""Audiences with their children, and computed traits."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.api.cursors import Cursors
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, timestamp, visible
from sandbox.segment.activations import Activations
from sandbox.segment.connections import Connections
from sandbox.segment.spaces import Spaces
from sandbox.segment.workspace import Workspace

_SIZES = (205, 9)
_TRAITS = 14
_SUMMARY = (
    *("id", "spaceId", "name", "description", "key", "enabled", "definition", "status", "createdBy", "updatedBy"),
    *("createdAt", "updatedAt", "audienceType", "options"),
)
_CONFIGS: tuple[tuple[str, Any], ...] = (
    ("PERIODIC", {"interval": "86400s"}),
    ("SPECIFIC_DAYS", {"days": [1, 4], "hours": [5], "timezone": "Europe/Berlin"}),
    ("PERIODIC", None),
)


class Audiences:
    """The audiences of all spaces: more than fit on a page in the first space, a few in the others.

    An audience is created in the first space every day, and its first audience is disabled after a day. Every
    twentieth audience is referenced by the next one.
    """

    def __init__(self, workspace: Workspace, spaces: Spaces, connections: Connections, users: list[Record]) -> None:
        self._chance = workspace.chance("audiences")
        self._workspace = workspace
        self._spaces = spaces
        self._users = users
        self._schedules: dict[str, list[Record]] = {}
        self._audiences = {
            space.record["id"]: [
                dated
                for number, birth in enumerate(self._births(place, _SIZES[min(place, 1)], space))
                for dated in self._audience(place, number, space.record["id"], birth)
            ]
            for place, space in enumerate(spaces.spaces)
        }
        self._traits = {
            space.record["id"]: [
                self._computed_trait(number, space.record["id"], birth)
                for number, birth in enumerate(self._births(place, _TRAITS, space))
            ]
            for place, space in enumerate(spaces.spaces)
        }
        self.activations = Activations(workspace, self.each, connections)

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tags Audiences, Activations and Computed Traits."""
        below = {"spaceId": "spaceId", "audienceId": "audienceId"}
        return [
            Listing(
                path="/spaces/{spaceId}/audiences",
                stream="audiences",
                primary_key=("spaceId", "id"),
                key="audiences",
                records=self._listed,
                makes=lambda audience: [self._with_schedules(audience)],
                of=self._spaces.each,
                choices={"include": ("schedules",)},
                adds={"spaceId": "spaceId"},
                paging=Cursors(largest=200),
                gate="audience",
                per_minute=60,
            ),
            Listing(
                path="/spaces/{spaceId}/audiences/{audienceId}/schedules",
                stream="audience_schedules",
                primary_key=("audienceId", "id"),
                key="audienceSchedules",
                records=lambda arguments, _: self._schedules[arguments["audienceId"]],
                of=self.each,
                adds=below,
                paging=None,
                gate="audience",
            ),
            Listing(
                path="/spaces/{spaceId}/audiences/{audienceId}/audience-references",
                stream="audience_references",
                primary_key=("audienceId", "id"),
                key="audiences",
                records=self._references,
                of=self.each,
                adds=below,
                paging=Cursors(with_total=False),
                gate="audience",
                per_minute=25,
            ),
            *self.activations.endpoints(),
            Listing(
                path="/spaces/{spaceId}/computed-traits",
                stream="computed_traits",
                primary_key=("spaceId", "id"),
                key="computedTraits",
                records=lambda arguments, now: visible(self._traits[arguments["spaceId"]], now),
                of=self._spaces.each,
                adds={"spaceId": "spaceId"},
                gate="computed-trait",
                per_minute=25,
            ),
        ]

    def each(self, now: datetime) -> list[Arguments]:
        """Return the ids of each audience that exists, and of its space."""
        return [
            {**arguments, "audienceId": audience["id"]}
            for arguments in self._spaces.each(now)
            for audience in visible(self._audiences[arguments["spaceId"]], now)
        ]

    def _births(self, place: int, count: int, space: Dated) -> list[datetime]:
        births = self._workspace.births(self._chance, count)
        return [max(birth, space.since) for birth in births if place == 0 or birth < self._workspace.origin]

    def _listed(self, arguments: Arguments, now: datetime) -> list[Record]:
        audiences = visible(self._audiences[arguments["spaceId"]], now)
        return list(map(self._with_schedules, audiences)) if "include" in arguments else audiences

    def _with_schedules(self, audience: Record) -> Record:
        """Return the record with its schedules; audiences that are computed in real time have none."""
        batch = audience["computeCadence"]["type"] == "BATCH"
        return audience | {"schedules": self._schedules[audience["id"]]} if batch else audience

    def _references(self, arguments: Arguments, now: datetime) -> list[Record]:
        audiences = visible(self._audiences[arguments["spaceId"]], now)
        number = next(number for number, each in enumerate(audiences) if each["id"] == arguments["audienceId"])
        referring = audiences[number + 1 : number + 2 + number % 40 // 20] if number % 20 == 0 else []
        return [{name: each[name] for name in _SUMMARY if name in each} for each in referring]

    def _summary(self, prefix: str, name: str, space_id: str, birth: datetime) -> Record:
        author = self._chance.choice(self._users)["id"]
        summary: Record = {
            "id": f"{prefix}_{self._chance.identifier(27)}",
            "spaceId": space_id,
            "name": name,
            "key": name.lower().replace(" ", "_"),
            "enabled": self._chance.happens(0.8),
            "createdBy": author,
            "updatedBy": author,
            "createdAt": timestamp(birth),
            "updatedAt": timestamp(birth),
        }
        if self._chance.happens(0.7):
            summary["description"] = self._chance.choice(("", None, f"{name} of the shop"))
        if self._chance.happens(0.7):
            summary["status"] = self._chance.choice(("Live", "Computing", "Disabled", None))
        return summary

    def _audience(self, place: int, number: int, space_id: str, birth: datetime) -> list[Dated]:
        kind = ("USERS", "ACCOUNTS", "LINKED")[number % 3]
        batch = number % 4 == 0
        audience = self._summary("aud", f"Audience {number + 1}", space_id, birth) | {
            "audienceType": kind,
            "computeCadence": {"type": "BATCH" if batch else "REALTIME"},
            "definition": None if number % 9 == 8 else {"query": "event('Order Completed').count() >= 1"},  # noqa: PLR2004 # every ninth
        }
        if kind == "LINKED" and audience["definition"]:
            audience["definition"]["targetEntity"] = self._chance.choice(("order", None))
        if number % 2:
            count = self._chance.randrange(90_000)
            audience["size"] = {"type": {"LINKED": "ENTITIES"}.get(kind, kind), "count": count}
            audience["options"] = {"filterByExternalIds": ["user_id"], "includeHistoricalData": True}
        if number % 2 and kind == "USERS":
            audience["size"] |= {"uniqueCount": audience["size"]["count"]}
            audience["options"] = {"filterByExternalIds": [], "backfillEventDataDays": self._chance.choice((30, None))}
        if number % 8 == 0:
            audience["size"] = audience["options"] = None
        self._schedules[audience["id"]] = [self._schedule(each) for each in range(number % 3 * batch)]
        if place == 0 and number == 0:
            moment = max(self._workspace.origin, birth) + timedelta(days=1)
            return self._workspace.changed(audience, birth, moment, enabled=not audience["enabled"])
        return [Dated(audience, birth)]

    def _schedule(self, number: int) -> Record:
        strategy, config = self._chance.choice(_CONFIGS[:2]) if number == 0 else _CONFIGS[2]
        schedule = {"id": self._chance.identifier(), "strategy": strategy, "config": config}
        following = timestamp(self._workspace.origin + timedelta(days=40))
        return schedule | {"nextExecution": following} if self._chance.happens(0.7) else schedule

    def _computed_trait(self, number: int, space_id: str, birth: datetime) -> Dated:
        kind = ("USERS", "ACCOUNTS")[number % 2]
        query = {"query": "event('Order Completed').count()", "type": kind}
        trait = self._summary("com", f"Computed trait {number + 1}", space_id, birth)
        trait["definition"] = None if number % 9 == 8 else query  # noqa: PLR2004 # every ninth
        if number % 3:
            trait["options"] = {
                "includeHistoricalData": True,
                "includeAnonymousUsers": self._chance.choice((True, False, None)),
                "backfillDurationDays": self._chance.choice((90, None)),
            }
        return Dated(trait, birth)
