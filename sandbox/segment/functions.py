"""Functions of every kind, their versions and their instances."""

from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, timestamp, visible
from sandbox.segment.connections import Connections
from sandbox.segment.workspace import Workspace

_PREFIXES = {
    "SOURCE": "sfnc",
    "DESTINATION": "dfnc",
    "INSERT_SOURCE": "isfn",
    "INSERT_DESTINATION": "ifnd",
    "INSERT_TRANSFORMATION": "itfn",
}
_TYPES = tuple(_PREFIXES)
_CODE = "async function onRequest(request) {\n  Segment.track({ event: 'Version %d' });\n}\n"


class Functions:
    """Functions of each kind in turn; a new version of the first is deployed a day after the clock starts."""

    def __init__(self, workspace: Workspace, connections: Connections, users: list[Record]) -> None:
        self._chance = workspace.chance("functions")
        self._users = users
        births = [workspace.past(self._chance) for _ in range(workspace.scaled(15))]
        births += [workspace.origin + timedelta(hours=30, days=days) for days in range(0, 30, 5)]
        self._functions = [Dated(self._function(number, birth), birth) for number, birth in enumerate(births)]
        self._types = {dated.record["id"]: _TYPES[number % 5] for number, dated in enumerate(self._functions)}
        self._versions = {dated.record["id"]: self._versions_of(dated.since) for dated in self._functions}
        first = self._functions[0].record["id"]
        self._versions[first] = self._versions_of(self._functions[0].since, workspace.origin + timedelta(days=1))
        self._instances = {
            dated.record["id"]: [
                self._instance(dated, destination) for destination in self._hosts(connections, workspace.origin)
            ]
            for dated in self._functions
        }

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tag Functions."""
        return [
            Listing(
                path="/functions",
                stream="functions",
                key="functions",
                records=self._of_type,
                of=lambda _: [{"resourceType": kind} for kind in _TYPES],
                required=("resourceType",),
                choices={"resourceType": _TYPES},
                adds={"resourceType": "resourceType"},
                paging=Cursors(with_total=False),
                gate="functions",
            ),
            Listing(
                path="/functions/{functionId}/versions",
                stream="function_versions",
                primary_key=("functionId", "id"),
                key="versions",
                records=lambda arguments, now: visible(self._versions[arguments["functionId"]], now),
                of=self._each,
                adds={"functionId": "functionId"},
                removes=("code",),
                gate="functions",
            ),
            Listing(
                path="/insert-function-instances",
                stream="insert_function_instances",
                key="instances",
                records=lambda arguments, now: visible(self._instances[arguments["functionId"]], now),
                of=lambda now: [
                    arguments
                    for arguments in self._each(now)
                    if self._types[arguments["functionId"]].startswith("INSERT_")
                ],
                required=("functionId",),
                adds={"functionId": "functionId"},
                removes=("settings", "encryptedSettings"),
                paging=Cursors(LastNext.EMPTY),
                gate="functions",
            ),
        ]

    def _each(self, now: datetime) -> list[Arguments]:
        return [{"functionId": function["id"]} for function in visible(self._functions, now)]

    def _of_type(self, arguments: Arguments, now: datetime) -> list[Record]:
        functions = visible(self._functions, now)
        return [function for function in functions if self._types[function["id"]] == arguments["resourceType"]]

    def _function(self, number: int, birth: datetime) -> Record:
        """Return a function; every seventh record lacks the kind."""
        kind = _TYPES[number % len(_TYPES)]
        catalog_id = self._chance.identifier()
        function: Record = {
            "id": f"{_PREFIXES[kind]}_{catalog_id}",
            "displayName": f"{kind.replace('_', ' ').capitalize()} function {number + 1}",
            "createdAt": timestamp(birth),
            "createdBy": self._chance.choice(self._users)["id"],
        }
        if number % 7 != 6:  # noqa: PLR2004 # every seventh
            function["resourceType"] = kind
        if number % 2:
            function |= {
                "description": ("", None, "Enriches events")[number % 3],
                "logoUrl": self._chance.choice(("https://cdn.example.com/logos/function.svg", None)),
                "catalogId": catalog_id,
            }
        return function

    def _versions_of(self, birth: datetime, latest: datetime | None = None) -> list[Dated]:
        """Return the versions of a function, each deployed until the next one."""
        moments = [birth + timedelta(days=days) for days in range(self._chance.randrange(1, 4))]
        moments += [latest] if latest else []
        versions = []
        for number, moment in enumerate(moments):
            version: Record = {
                "id": self._chance.identifier(),
                "code": _CODE % (number + 1),
                "isDeployed": True,
                "createdAt": timestamp(moment),
                "deployedAt": timestamp(moment),
            }
            if number % 2 == 0:
                version |= {"author": self._chance.choice(self._users)["id"], "updatedAt": timestamp(moment)}
            following = moments[number + 1 : number + 2]
            versions.append(Dated(version, moment, *following))
            versions += [Dated(version | {"isDeployed": self._chance.choice((False, None))}, end) for end in following]
        return versions

    def _hosts(self, connections: Connections, now: datetime) -> list[Record]:
        destinations = visible(connections.destinations, now)
        return self._chance.sample(destinations, k=min(len(destinations), self._chance.randrange(4)))

    def _instance(self, function: Dated, destination: Record) -> Dated:
        instance: Record = {
            "id": self._chance.identifier(),
            "integrationId": destination["id"],
            "classId": function.record["id"],
            "enabled": self._chance.happens(0.8),
            "createdAt": timestamp(function.since),
            "updatedAt": timestamp(function.since),
            "settings": {"endpoint": "https://enrich.example.com"},
            "encryptedSettings": {"apiKey": "•" * 12},
        }
        if self._chance.happens(0.7):
            instance["name"] = self._chance.choice(("Enrichment", "", None))
        return Dated(instance, function.since)
