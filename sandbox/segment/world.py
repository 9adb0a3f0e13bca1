"""The simulated workspace: its content over time, and how its API is told to behave."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta, timezone

from sandbox.clock import Clock
from sandbox.segment.audit_trail import RETENTION, AuditTrail
from sandbox.segment.catalog import Catalog
from sandbox.segment.connections import Connections
from sandbox.segment.delivery import Delivery
from sandbox.segment.iam import Iam
from sandbox.segment.paging import LARGEST_COUNT
from sandbox.segment.seeded import Record, Seeded, visible
from sandbox.segment.transformations import transformations
from sandbox.segment.usage import Usage, UsageRows

DELIVERY_METRICS_REACH = timedelta(days=14)
"""How far back delivery metrics of a day can start."""

GATES = {
    "audit-trail": "Audit Trail",
    "delivery-metrics": "Event Delivery",
    "destination-subscriptions": "Destination Subscriptions",
    "protocols": "Protocols",
}
"""The features that a workspace may lack, with the vendor's names for them."""


class SegmentWorld:
    """One Segment workspace, reachable through both regions with a token each.

    All content is generated at once, from the seed and from the moment of the clock; the clock decides what of it
    can be seen. The public attributes that are not documented as fixed can be changed at any time.

    Attributes:
        region_tokens: the API token of each region (fixed).
        gates: the features that the workspace's plan lacks; their endpoints answer 403.
        rate_limit: requests that a region answers in a minute, or None for any number.
        token_limited: whether a 429 carries `Retry-After`, as it does when the token is what is limited.
        largest_count: the largest page that is granted; the vendor's own was 200 until 2024.
        removed_ids: sources and destinations that are listed but gone when their own endpoints are asked.
    """

    def __init__(self, clock: Clock, *, seed: int, scale: float) -> None:
        """Generate the workspace; `scale` multiplies the number of its objects and events."""
        self.clock = clock
        self.region_tokens = {"us": "sandbox-token-us", "eu": "sandbox-token-eu"}
        self.gates: set[str] = set()
        self.rate_limit: int | None = None
        self.token_limited = False
        self.largest_count = LARGEST_COUNT
        self.removed_ids: set[str] = set()
        origin = clock.now
        identifier = Seeded(f"{seed}/workspace").identifier()
        self.workspace: Record = {"id": identifier, "slug": "sandbox-shop", "name": "Sandbox Shop"}
        self.catalog = Catalog(seed, scale)
        self.connections = Connections(self.catalog, identifier, origin, seed=seed, scale=scale)
        source_ids = [source["id"] for source in self.sources]
        self._iam = Iam(identifier, source_ids, origin, seed=seed, scale=scale)
        self._transformations = transformations(self.connections, identifier, origin, seed=seed, scale=scale)
        self.usage = Usage(self.connections.sources, origin, seed=seed)
        self.delivery = Delivery(self.connections.destinations, origin, seed=seed)
        self._audit_trail = AuditTrail(self.users, origin, seed=seed, scale=scale)

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
    def transformations(self) -> list[Record]:
        """The transformations that exist now."""
        return visible(self._transformations, self.clock.now)

    @property
    def users(self) -> list[Record]:
        """The users who have joined by now."""
        return visible(self._iam.users, self.clock.now)

    @property
    def groups(self) -> list[Record]:
        """The user groups that exist now."""
        return visible(self._iam.groups, self.clock.now)

    def audit_events(self, start: datetime, end: datetime) -> list[Record]:
        """Return the events from `start` to `end`, both inclusive, newest first; the retention is the API's affair."""
        return self._audit_trail.between(start, min(end, self.clock.now))

    def is_reachable(self, record: Record) -> bool:
        """Return whether the endpoints below a source or a destination answer."""
        return record["id"] not in self.removed_ids

    def expected(self, stream_name: str, start: date | None = None) -> list[Record]:
        """Return the rows that a complete read of a stream must contain at the clock's present.

        They are the vendor's records with the keys that a connector adds: `sourceId` of connected warehouses, `period`
        (`YYYY-MM-01`) of usage, and `destinationId`, `granularity`, `startTime` and `endTime` of delivery metrics,
        which are given for every day from the first that the vendor still answers for to today. `start`, a day or a
        moment in UTC, drops the audit events, the days of delivery metrics and the usage months that end before it.
        Gates are not considered; `removed_ids` are.

        Raises:
            KeyError: for an unknown stream.
        """
        from_moment = start if isinstance(start, datetime) else _midnight(start or date.min)
        from_day = from_moment.date()
        streams: dict[str, Callable[[], list[Record]]] = {
            "audit_events": lambda: self.audit_events(max(from_moment, self.clock.now - RETENTION), self.clock.now),
            "catalog_destinations": lambda: self.catalog.destinations,
            "catalog_sources": lambda: self.catalog.sources,
            "catalog_warehouses": lambda: self.catalog.warehouses,
            "destination_delivery_metrics_summary": lambda: list(self._expected_delivery_metrics(from_day)),
            "destination_subscriptions": lambda: list(self._expected_subscriptions()),
            "destinations": lambda: self.destinations,
            "groups": lambda: self.groups,
            "source_connected_destinations": lambda: list(self._expected_connected_destinations()),
            "source_connected_warehouses": lambda: list(self._expected_connected_warehouses()),
            "sources": lambda: self.sources,
            "transformations": lambda: self.transformations,
            "usage_api_calls_per_source_daily": lambda: self._expected_usage(self.usage.api_calls_per_source, from_day),
            "usage_api_calls_workspace_daily": lambda: self._expected_usage(self.usage.api_calls_workspace, from_day),
            "usage_mtu_per_source_daily": lambda: self._expected_usage(self.usage.mtu_per_source, from_day),
            "usage_mtu_workspace_daily": lambda: self._expected_usage(self.usage.mtu_workspace, from_day),
            "users": lambda: self.users,
            "warehouses": lambda: self.warehouses,
            "workspace": lambda: [self.workspace],
        }
        return streams[stream_name]()

    def _expected_connected_destinations(self) -> Iterator[Record]:
        for source in filter(self.is_reachable, self.sources):
            yield from self.connections.destinations_of(source["id"], self.clock.now)

    def _expected_connected_warehouses(self) -> Iterator[Record]:
        for source in filter(self.is_reachable, self.sources):
            for warehouse in self.connections.warehouses_of(source["id"], self.clock.now):
                yield {**warehouse, "sourceId": source["id"]}

    def _expected_subscriptions(self) -> Iterator[Record]:
        for destination in filter(self.is_reachable, self.destinations):
            yield from self.connections.subscriptions_of(destination["id"], self.clock.now)

    def _expected_delivery_metrics(self, from_day: date) -> Iterator[Record]:
        now = self.clock.now
        first_midnight = now - DELIVERY_METRICS_REACH + timedelta(days=1, microseconds=-1)
        first = max(from_day, first_midnight.date())
        days = [first + timedelta(days=index) for index in range((now.date() - first).days + 1)]
        for destination in filter(self.is_reachable, self.destinations):
            if not self.catalog.has_event_delivery(destination["metadata"]["id"]):
                continue
            for day in days:
                start, end = _midnight(day), _midnight(day + timedelta(days=1))
                yield {
                    **self.delivery.summary(destination, start, min(end, now)),
                    "destinationId": destination["id"],
                    "granularity": "DAY",
                    "startTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "endTime": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }

    def _expected_usage(self, rows: UsageRows, from_day: date) -> list[Record]:
        month, expected = max(from_day.replace(day=1), self.usage.first_month), []
        while month <= self.clock.now.date():
            expected += [{**row, "period": month.isoformat()} for row in rows(month, self.clock.now)]
            month = (month + timedelta(days=31)).replace(day=1)
        return expected


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.utc)
