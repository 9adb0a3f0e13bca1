"""To which destinations audiences are sent, and how."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.segment.connections import Connections
from sandbox.segment.endpoints import Asked, Endpoint, Listing
from sandbox.segment.paging import LastNext, Paging
from sandbox.segment.seeded import Record, Seeded, timestamp, visible
from sandbox.segment.workspace import Workspace

_TYPES = ("Audience Entered", "Audience Exited", "Audience Membership Changed", "Entity Added", "Entity Removed")


class Activations:
    """An audience is connected to up to two destinations, each with up to two activations."""

    def __init__(
        self, workspace: Workspace, audiences: Callable[[datetime], list[Asked]], connections: Connections
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
                key="connections",
                records=lambda asked, _: self._connections(asked),
                of=self._each,
                adds=below,
                paging=Paging(LastNext.NULL, with_total=False),
                gate="audience",
                per_minute=50,
            ),
            Listing(
                path="/spaces/{spaceId}/audiences/{audienceId}/activations",
                stream="audience_activations",
                key="activations",
                records=lambda asked, _: self._activations(asked),
                of=self._each,
                adds=below,
                per_minute=60,
            ),
        ]

    def _chance(self, asked: Asked, part: str) -> Seeded:
        return self._workspace.chance(f"{part}/{asked['audienceId']}")

    def _connections(self, asked: Asked) -> list[Record]:
        chance = self._chance(asked, "connections")
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

    def _activations(self, asked: Asked) -> list[Record]:
        chance = self._chance(asked, "activations")
        return [
            self._activation(chance, asked, connection["id"])
            for connection in self._connections(asked)
            for _ in range(chance.randrange(3))
        ]

    def _activation(self, chance: Seeded, asked: Asked, connection_id: str) -> Record:
        kind = chance.choice(_TYPES)
        entity = {"properties": ["total"], "relationshipSlug": "orders"}
        activation: Record = {
            "id": f"act_{chance.identifier()}",
            "enabled": chance.happens(0.9),
            "workspaceId": self._workspace.id,
            "spaceId": asked["spaceId"],
            "audienceId": asked["audienceId"],
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
