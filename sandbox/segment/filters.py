"""Filters of destinations and of spaces."""

from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.timeline import Dated, Record, timestamp, visible
from sandbox.segment.connections import Connections
from sandbox.segment.spaces import Spaces
from sandbox.segment.workspace import Workspace

_ACTIONS: tuple[list[Record], ...] = (
    [{"type": "DROP"}],
    [{"type": "SAMPLE", "percent": 0.25, "path": "userId"}],
    [{"type": "DROP_PROPERTIES", "fields": {"context": {"fields": ["ip"]}}}],
    [{"type": "ALLOW_PROPERTIES", "fields": {"properties": {"fields": ["orderId", "value"]}}}, {"type": "DROP"}],
)
_CONDITIONS = ('type = "identify"', '!(type = "track")', "event = 'Order Cancelled'")


class Filters:
    """Filters: up to three per destination; many in the first space, none in the second.

    A day after the clock starts, a filter of each kind is toggled; new filters of spaces are added over time.
    """

    def __init__(self, workspace: Workspace, connections: Connections, spaces: Spaces) -> None:
        self._chance = workspace.chance("filters")
        self._workspace = workspace
        self._connections = connections
        self._spaces = spaces
        self._of_destinations: dict[str, list[Dated]] = {}
        for number, destination in enumerate(connections.destinations):
            filters = [self._of_destination(destination.record, destination.since) for _ in range(number % 4)]
            self._of_destinations.setdefault(destination.record["id"], filters)
        self._of_spaces = {
            space.record["id"]: [
                self._of_space(number, space)
                for number in range((workspace.scaled(23), 0, workspace.scaled(4))[place % 3])
            ]
            for place, space in enumerate(spaces.spaces)
        }
        for owned in (self._of_destinations, self._of_spaces):
            filters = max(owned.values(), key=len)
            record = filters[0].record
            moment = max(workspace.origin, filters[0].since) + timedelta(days=1)
            switched = not record.get("enabled")
            filters[:1] = workspace.changed(record, filters[0].since, moment, enabled=switched)

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tags Destination Filters and Space Filters."""
        return [
            Listing(
                path="/destination/{destinationId}/filters",
                stream="destination_filters",
                key="filters",
                records=lambda arguments, now: visible(self._of_destinations[arguments["destinationId"]], now),
                of=self._connections.each_destination,
                adds={"destinationId": "destinationId"},
                paging=Cursors(LastNext.NULL),
            ),
            Listing(
                path="/filters",
                stream="space_filters",
                key="filters",
                records=lambda arguments, now: visible(self._of_spaces[arguments["integrationId"]], now),
                of=lambda now: [{"integrationId": each["spaceId"]} for each in self._spaces.each(now)],
                required=("integrationId",),
                adds={"spaceId": "integrationId"},
                paging=Cursors(with_previous=False, largest=10, default=10, counts=True, required=False),
                null_if_empty=True,
                gate="space-filters",
            ),
        ]

    def _of_destination(self, destination: Record, since: datetime) -> Dated:
        born = max(since, self._workspace.past(self._chance))
        number = self._chance.randrange(100)
        made: Record = {
            "id": self._chance.identifier(),
            "sourceId": destination["sourceId"],
            "destinationId": destination["id"],
            "if": self._chance.choice(_CONDITIONS),
            "actions": self._chance.choice(_ACTIONS),
            "title": f"Filter {number}",
            "enabled": self._chance.happens(0.8),
            "createdAt": timestamp(born),
            "updatedAt": timestamp(born + timedelta(hours=3)),
        }
        if number % 3:
            made["description"] = (None, "", "Keeps what the destination may not have")[number // 3 % 3]
        return Dated(made, born)

    def _of_space(self, number: int, space: Dated) -> Dated:
        """Return a filter of a space; every sixth one is added after the clock has started."""
        added = self._workspace.origin + timedelta(hours=20 * (number // 6 + 1))
        born = max(space.since, added if number % 6 == 5 else self._workspace.past(self._chance))  # noqa: PLR2004 # every sixth
        made: Record = {
            "id": self._chance.identifier(),
            "workspaceId": self._workspace.id,
            "integrationId": space.record["id"],
            "createdAt": timestamp(born),
            "updatedAt": timestamp(born),
        }
        if number % 5:
            made |= {
                "enabled": self._chance.happens(0.7),
                "name": f"Space filter {number + 1}",
                "description": self._chance.choice(("", None, "No tests in production")),
                "if": self._chance.choice((*_CONDITIONS, None)),
                "drop": self._chance.choice((True, False, None)),
            }
        return Dated(made, born)
