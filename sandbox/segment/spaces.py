"""Spaces, and the warehouses that their profiles are synced to."""

from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, visible
from sandbox.segment.connections import Connections
from sandbox.segment.workspace import Workspace

_NAMES = ("Shop", "Wholesale", "Marketplace", "Outlet")
_COLLECTIONS = ("identifies", "tracks", "user_traits", "user_identifiers")


class Spaces:
    """The spaces, of which the first is large; another one is created thirty hours after the clock starts."""

    def __init__(self, workspace: Workspace, connections: Connections) -> None:
        chance = workspace.chance("spaces")
        births = sorted(workspace.past(chance) for _ in range(workspace.scaled(3)))
        births.append(workspace.origin + timedelta(hours=30))
        self.spaces = []
        for number, birth in enumerate(births):
            name = f"{_NAMES[number % len(_NAMES)]}{f' {number}' * (number >= len(_NAMES))}"
            record = {"id": f"spa_{chance.identifier()}", "slug": name.lower().replace(" ", "-"), "name": name}
            self.spaces.append(Dated(record, birth))
        self._warehouses = {
            space.record["id"]: [
                Dated(_profiles_warehouse(chance.identifier(), space.record, warehouse.record, number), space.since)
                for number, warehouse in enumerate(connections.warehouses[: place % 3 + 1])
            ]
            for place, space in enumerate(self.spaces)
        }

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tags Spaces and Profiles Sync."""
        return [
            Listing(
                path="/spaces",
                stream="spaces",
                key="spaces",
                records=lambda _, now: visible(self.spaces, now),
                gate="spaces",
            ),
            Listing(
                path="/spaces/{spaceId}/profiles-warehouses",
                stream="profiles_warehouses",
                primary_key=("spaceId", "id"),
                key="profilesWarehouses",
                records=lambda arguments, now: visible(self._warehouses[arguments["spaceId"]], now),
                of=self.each,
                adds={"spaceId": "spaceId"},
                paging=Cursors(required=False),
            ),
            Listing(
                path="/spaces/{spaceId}/profiles-warehouses/{warehouseId}/selective-syncs",
                stream="profiles_warehouse_selective_syncs",
                primary_key=("spaceId", "warehouseId", "collection"),
                key="items",
                records=lambda arguments, _: _selective_syncs(arguments["warehouseId"]),
                envelope=lambda arguments, _, data: data | {"enableEventTables": arguments["warehouseId"] < "T"},
                of=self._each_warehouse,
                adds={"spaceId": "spaceId", "warehouseId": "warehouseId"},
            ),
        ]

    def each(self, now: datetime) -> list[Arguments]:
        """Return the id of each space that exists."""
        return [{"spaceId": space["id"]} for space in visible(self.spaces, now)]

    def _each_warehouse(self, now: datetime) -> list[Arguments]:
        return [
            {**arguments, "warehouseId": warehouse["id"]}
            for arguments in self.each(now)
            for warehouse in visible(self._warehouses[arguments["spaceId"]], now)
        ]


def _profiles_warehouse(identifier: str, space: Record, warehouse: Record, number: int) -> Record:
    made = {**warehouse, "id": identifier, "spaceId": space["id"]}
    return made if number % 2 else {**made, "schemaName": f"profiles_{space['slug']}" if number == 0 else None}


def _selective_syncs(warehouse_id: str) -> list[Record]:
    return [
        {
            "collection": collection,
            "warehouseId": warehouse_id,
            "enabled": collection != "tracks",
            "properties": {"received_at": {"enabled": True, "type": "timestamp"}},
        }
        for collection in _COLLECTIONS
    ]
