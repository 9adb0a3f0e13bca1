"""Activations: the destinations of audiences."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Record, Seeded, timestamp, visible
from sandbox.segment.connections import Connections
from sandbox.segment.workspace import Workspace

_TYPES = ("Audience Entered", "Audience Exited", "Audience Membership Changed", "Entity Added", "Entity Removed")


class Activations:
    """The activations of audiences: each has up to two destinations, with up to two activations each."""

    def __init__(
        self, workspace: Workspace, audiences: Callable[[datetime], list[Arguments]], connections: Connections
    ) -> None:
        self._workspace = workspace
        self._each = audiences
        self._destinations = visible(connections.destinations, workspace.origin)

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tag Activations."""
        below = {"spaceId": "spaceId", "audienceId": "audienceId"}
        return [
            Listing(
                path="/spaces/{spaceId}/audiences/{audienceId}/destination-connections",
                stream="audience_destination_connections",
                primary_key=("audienceId", "id"),
                key="connections",
                records=lambda arguments, _: self._connections(arguments),
                of=self._each,
                adds=below,
                paging=Cursors(LastNext.NULL, with_total=False, required=False),
                gate="audience",
                per_minute=50,
            ),
            Listing(
                path="/spaces/{spaceId}/audiences/{audienceId}/activations",
                stream="audience_activations",
                key="activations",
                records=lambda arguments, _: self._activations(arguments),
                of=self._each,
                adds=below,
                paging=Cursors(required=False),
                per_minute=60,
            ),
        ]

    def by_destination(self, now: datetime) -> dict[str, list[Record]]:
        """Return the activations by the id of their destination."""
        found: dict[str, list[Record]] = {}
        for arguments in self._each(now):
            destinations = {each["id"]: each["destinationId"] for each in self._connections(arguments)}
            for activation in self._activations(arguments):
                found.setdefault(destinations[activation["connectionId"]], []).append(activation)
        return found

    def _chance(self, arguments: Arguments, part: str) -> Seeded:
        return self._workspace.chance(f"{part}/{arguments['audienceId']}")

    def _connections(self, arguments: Arguments) -> list[Record]:
        chance = self._chance(arguments, "connections")
        count = min(len(self._destinations), chance.choice((0, 0, 1, 2)))
        return [self._connection(chance, each) for each in chance.sample(self._destinations, k=count)]

    def _connection(self, chance: Seeded, destination: Record) -> Record:
        created = self._workspace.past(chance)
        connection: Record = {
            "id": chance.identifier(),
            "sourceId": destination["sourceId"],
            "destinationId": destination["id"],
            "enabled": chance.happens(0.9),
            "createdAt": timestamp(created),
            "updatedAt": timestamp(created + timedelta(hours=1)),
            "settings": {"apiKey": "•" * 12},
        }
        if chance.happens(0.7):
            connection |= {
                "name": destination.get("name"),
                "metadata": {name: destination["metadata"][name] for name in ("id", "name", "slug")},
                "idSyncConfiguration": chance.choice(
                    (
                        [{"externalId": "email", "strategy": "last", "mapTo": "email_address"}],
                        [{"externalId": "user_id", "strategy": "all"}],
                        None,
                    )
                ),
                "connectionSettings": {"audienceName": "Buyers"},
            }
        return connection

    def _activations(self, arguments: Arguments) -> list[Record]:
        chance = self._chance(arguments, "activations")
        return [
            self._activation(chance, arguments, connection["id"])
            for connection in self._connections(arguments)
            for _ in range(chance.randrange(3))
        ]

    def _activation(self, chance: Seeded, arguments: Arguments, connection_id: str) -> Record:
        kind = chance.choice(_TYPES)
        entity = {"properties": ["total"], "relationshipSlug": "orders"}
        activation: Record = {
            "id": f"act_{chance.identifier()}",
            "enabled": chance.happens(0.9),
            "workspaceId": self._workspace.id,
            "spaceId": arguments["spaceId"],
            "audienceId": arguments["audienceId"],
            "connectionId": connection_id,
            "activationType": kind,
            "activationName": kind.lower().replace(" ", "_"),
            "personalization": {
                "profile": {"properties": ["email"], "mapping": chance.choice(({"email": "EMAIL"}, None))},
                "entities": chance.choice(([entity], [], None)),
                "syncEntityPropertyChanges": chance.choice((True, None)),
            },
        }
        if chance.happens(0.6):
            activation |= {
                "displayName": chance.choice((kind, None)),
                "destinationMapping": {"actionId": chance.identifier(), "settings": {"email": "$.email"}},
                "performResync": chance.choice((True, False, None)),
            }
        return activation
