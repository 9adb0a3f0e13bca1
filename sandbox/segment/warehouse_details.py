"""Details of warehouses: syncs, selective syncs, schedules and states."""

from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing, Single
from sandbox.api.present import Arguments
from sandbox.api.timeline import Record, Seeded, timestamp
from sandbox.segment.connections import Connections
from sandbox.segment.workspace import Workspace

_EVERY = timedelta(hours=12)
_BEHIND = timedelta(days=10)
_COLLECTIONS = ("identifies", "tracks", "pages", "order_completed", "order_cancelled")
_STATES = ("CONNECTED", "CONNECTED", "CONNECTED", "FAILED")
_PER_MINUTE = 2


class WarehouseDetails:
    """The details of warehouses; every connected source syncs twice a day, from ten days before the clock starts.

    A sync runs for up to an hour and has no end time until it finishes; that of a warehouse's first source is running
    when the clock starts.
    """

    def __init__(self, workspace: Workspace, connections: Connections) -> None:
        self._workspace = workspace
        self._connections = connections

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tag Selective Sync, and those of the tag Warehouses below a warehouse."""
        each, added = self._connections.each_warehouse, {"warehouseId": "warehouseId"}
        return [
            Listing(
                path="/warehouses/{warehouseId}/connected-sources",
                stream="warehouse_connected_sources",
                primary_key=("warehouseId", "id"),
                key="sources",
                records=lambda arguments, now: self._sources(arguments["warehouseId"], now),
                of=each,
                adds=added,
                removes=("writeKeys",),
            ),
            Single(
                path="/warehouses/{warehouseId}/connection-state",
                stream="warehouse_connection_states",
                primary_key=("warehouseId",),
                data=lambda arguments, _: {"connectionState": self._chance("state", arguments).choice(_STATES)},
                of=each,
                adds=added,
                per_minute=200,
            ),
            Single(
                path="/warehouses/{warehouseId}/advanced-sync-schedule",
                stream="warehouse_sync_schedules",
                primary_key=("warehouseId",),
                data=lambda arguments, _: _schedule(self._chance("schedule", arguments)),
                of=each,
                adds=added,
                per_minute=_PER_MINUTE,
            ),
            Listing(
                path="/warehouses/{warehouseId}/syncs",
                stream="warehouse_syncs",
                primary_key=("warehouseId", "sourceId", "start"),
                key="reports",
                records=self._syncs,
                of=each,
                adds=added,
                paging=Cursors(LastNext.NULL, with_total=False),
                per_minute=_PER_MINUTE,
            ),
            Listing(
                path="/warehouses/{warehouseId}/connected-sources/{sourceId}/selective-syncs",
                stream="warehouse_selective_syncs",
                primary_key=("warehouseId", "sourceId", "collection"),
                key="items",
                records=lambda arguments, _: _selective_syncs(self._chance("selective-syncs", arguments), arguments),
                of=self._each_pair,
                paging=Cursors(LastNext.NULL),
                per_minute=_PER_MINUTE,
            ),
        ]

    def _chance(self, part: str, arguments: Arguments) -> Seeded:
        return self._workspace.chance(f"{part}/{arguments['warehouseId']}/{arguments.get('sourceId')}")

    def _each_pair(self, now: datetime) -> list[Arguments]:
        linked = self._connections.linked(now)
        return [{"warehouseId": warehouse["id"], "sourceId": source["id"]} for warehouse, source in linked]

    def _sources(self, warehouse_id: str, now: datetime) -> list[Record]:
        linked = self._connections.linked(now)
        return [source for warehouse, source in linked if warehouse["id"] == warehouse_id]

    def _syncs(self, arguments: Arguments, now: datetime) -> list[Record]:
        """Return the syncs of all sources of a warehouse, newest first."""
        syncs: list[Record] = []
        for place, source in enumerate(self._sources(arguments["warehouseId"], now)):
            chance = self._chance("syncs", {**arguments, "sourceId": source["id"]})
            minutes = chance.randrange(710) if place else 710
            first = self._workspace.origin - _BEHIND + timedelta(minutes=minutes)
            syncs += [_sync(chance, source["id"], first + number * _EVERY, now) for number in range(100)]
        started = [sync for sync in syncs if sync["start"] <= timestamp(now)]
        return sorted(started, key=lambda sync: str(sync["start"]), reverse=True)


def _sync(chance: Seeded, source_id: str, start: datetime, now: datetime) -> Record:
    duration, outcome = timedelta(seconds=chance.randrange(900, 3600)), chance.choice(("SUCCESS",) * 5 + ("FAILED",))
    rows, done = chance.randrange(20_000), start + duration <= now
    seconds = int(min(duration, max(timedelta(0), now - start)).total_seconds())
    failed = done and outcome == "FAILED"
    notice = {"level": "ERROR", "message": "The warehouse did not answer.", "createdAt": timestamp(start)}
    return {
        "sourceId": source_id,
        "start": timestamp(start),
        "end": timestamp(start + duration) if done else None,
        "status": outcome if done else "RUNNING",
        "duration": seconds,
        "humanDuration": f"{seconds // 60} minutes",
        "count": 0 if failed else rows * seconds // 3600,
        "notices": [notice] if failed else [],
    }


def _schedule(chance: Seeded) -> Record:
    """Return an advanced schedule; if there is none, it is null or absent."""
    if chance.happens(0.4):
        return chance.choice(({"enabled": False}, {"enabled": False, "schedule": None}))
    times = [{"hourOfDay": hour, "enabled": chance.happens(0.7)} for hour in sorted(chance.sample(range(24), k=3))]
    return {"enabled": True, "schedule": {"times": times, "timezone": chance.choice(("Europe/Berlin", "UTC"))}}


def _selective_syncs(chance: Seeded, arguments: Arguments) -> list[Record]:
    seen = "2025-11-04T09:00:00.000Z"
    return [
        {
            "sourceId": arguments["sourceId"],
            "collection": collection,
            "warehouseId": arguments["warehouseId"],
            "enabled": chance.happens(0.8),
            "properties": {
                "received_at": {"enabled": True, "type": "timestamp", "createdAt": seen, "lastSeenAt": seen},
                "amount": {"enabled": chance.happens(0.5), "type": "integer", "createdAt": seen, "lastSeenAt": seen},
            },
        }
        for collection in _COLLECTIONS[: chance.randrange(1, len(_COLLECTIONS) + 1)]
    ]
