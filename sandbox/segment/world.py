"""The simulated workspace: its content over time, and the behaviour of its API."""

from datetime import date, datetime, timedelta, timezone

from sandbox.api.endpoints import Endpoint, Single
from sandbox.api.present import Present
from sandbox.api.timeline import Record, Seeded, midnight, visible
from sandbox.clock import Clock
from sandbox.segment.audiences import Audiences
from sandbox.segment.audit_trail import AuditEvents, AuditTrail
from sandbox.segment.behaviour import Behaviour
from sandbox.segment.catalog import Catalog
from sandbox.segment.connections import Connections
from sandbox.segment.credentials import credentials
from sandbox.segment.deletion_and_suppression import DeletionAndSuppression
from sandbox.segment.delivery import Delivery, DeliveryMetrics
from sandbox.segment.delivery_overview import DeliveryOverview, Overview
from sandbox.segment.filters import Filters
from sandbox.segment.functions import Functions
from sandbox.segment.iam import Iam
from sandbox.segment.protocols import Protocols
from sandbox.segment.reverse_etl import ReverseEtl
from sandbox.segment.source_details import SourceDetails
from sandbox.segment.space_schema import SpaceSchema
from sandbox.segment.spaces import Spaces
from sandbox.segment.usage import Usage
from sandbox.segment.volume import EventsVolume, Volume
from sandbox.segment.warehouse_details import WarehouseDetails
from sandbox.segment.workspace import Workspace


class SegmentWorld(Behaviour):
    """One Segment workspace, reachable through both regions with one token per region.

    All content is generated up front, from the seed and the clock's start; the clock determines how much of it is
    visible. The switches of the API's behaviour are attributes that can be set at any time.

    Attributes:
        region_tokens: the API token of each region.
        endpoints: the paths of the API.
    """

    def __init__(
        self, clock: Clock, *, seed: int, scale: float, sources: int | None = None, destinations: int | None = None
    ) -> None:
        """Generate the workspace; `scale` multiplies the number of its objects and events.

        `sources` and `destinations` are their initial numbers, which by default depend on the scale.
        """
        super().__init__()
        self.clock = clock
        self.region_tokens = {"us": "sandbox-token-us", "eu": "sandbox-token-eu"}
        origin = clock.now
        identifier = Seeded(f"{seed}/workspace").identifier()
        self.workspace: Record = {"id": identifier, "slug": "sandbox-shop", "name": "Sandbox Shop"}
        self.catalog = Catalog(seed, scale)
        workspace = Workspace(identifier, origin, seed, scale)
        self.connections = Connections(
            self.catalog, workspace, sources or workspace.scaled(64), destinations or workspace.scaled(86)
        )
        self._iam = Iam(workspace, [source["id"] for source in self.sources])
        self.usage = Usage(self.connections.sources, origin, seed=seed)
        self.delivery = Delivery(self.connections.destinations, origin, seed=seed)
        self.spaces = Spaces(workspace, self.connections)
        self.volume = Volume(workspace, self.usage, self.connections.sources)
        self._audit_trail = AuditTrail(self.users, origin, seed=seed, scale=scale)
        self.endpoints = self._endpoints(workspace)

    def _endpoints(self, workspace: Workspace) -> list[Endpoint]:
        audiences = Audiences(workspace, self.spaces, self.connections, self.users)
        return [
            Single(
                path="/",
                stream="workspace",
                data=lambda *_: {"workspace": self.workspace},
                row=lambda data: data["workspace"],
            ),
            AuditEvents(trail=self._audit_trail),
            DeliveryMetrics(
                of=self.connections.each_destination,
                delivery=self.delivery,
                connections=self.connections,
                catalog=self.catalog,
            ),
            EventsVolume(workspace_id=workspace.id, volume=self.volume),
            *self.catalog.endpoints(),
            *self.connections.endpoints(),
            *self._iam.endpoints(),
            *self.usage.endpoints(),
            *self.spaces.endpoints(),
            *Protocols(workspace, self.connections).endpoints(),
            *Functions(workspace, self.connections, self.users).endpoints(),
            *Filters(workspace, self.connections, self.spaces).endpoints(),
            *SourceDetails(workspace, self.connections, self.users).endpoints(),
            *ReverseEtl(workspace, self.connections).endpoints(),
            *WarehouseDetails(workspace, self.connections).endpoints(),
            *DeletionAndSuppression(workspace, self.connections).endpoints(),
            *DeliveryOverview(self.volume, self.connections, audiences.activations).endpoints(),
            *audiences.endpoints(),
            *SpaceSchema(workspace, self.spaces).endpoints(),
            *credentials(workspace),
        ]

    @property
    def present(self) -> Present:
        """The current time and behaviour of the API."""
        return Present(
            self.clock.now - timedelta(seconds=self.seconds_behind),
            largest_count=self.largest_count,
            largest_page=self.largest_page,
            pagination_required=self.pagination_required,
            after_last_page=self.after_last_page,
            repeat_records=self.repeat_records,
            unnamed_groups=self.unnamed_groups,
            reject_future=self.reject_future,
            removed=frozenset(self.removed_ids),
        )

    @property
    def sources(self) -> list[Record]:
        """The sources that exist now."""
        return visible(self.connections.sources, self.clock.now)

    @property
    def destinations(self) -> list[Record]:
        """The destinations that exist now."""
        return visible(self.connections.destinations, self.clock.now)

    @property
    def warehouses(self) -> list[Record]:
        """The warehouses that exist now."""
        return visible(self.connections.warehouses, self.clock.now)

    @property
    def users(self) -> list[Record]:
        """The users who have joined by now."""
        return visible(self._iam.users, self.clock.now)

    def expected(
        self, stream_name: str, start: date | None = None, *, granularity: str = "DAY", groups: tuple[str, ...] = ()
    ) -> list[Record]:
        """Return the rows that a complete read of a stream must contain at the clock's current time.

        They are the vendor's records with the keys that a connector adds, such as parent ids, and without the fields
        that it leaves out. Delivery metrics and daily series cover every day from the earliest that the vendor still
        serves to today. `start`, a day or a time in UTC, drops the audit events, the days of metrics and series and
        the usage months that end before it. Gates are ignored; `removed_ids` are respected.
        `granularity` (`DAY` or `HOUR`) and further `groups` are those of Delivery Overview.

        Raises:
            KeyError: for an unknown stream.
        """
        streams = {endpoint.stream: endpoint for endpoint in self.endpoints}
        first = start or datetime.min.replace(tzinfo=timezone.utc)
        first = first if isinstance(first, datetime) else midnight(first)
        endpoint = streams[stream_name]
        if isinstance(endpoint, Overview):
            return endpoint.rows_by(granularity, groups, self.present, first)
        return endpoint.rows(self.present, first)
