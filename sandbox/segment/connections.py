"""The workspace's connections: its sources, destinations and warehouses, and the links between them."""

from datetime import datetime, timedelta
from itertools import count

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, visible
from sandbox.segment.catalog import Catalog
from sandbox.segment.catalog_destination import DeliveryMode
from sandbox.segment.subscriptions import subscriptions
from sandbox.segment.workspace import Workspace

_MASKED = "•" * 12
_TEAMS = ("Checkout", "Search", "Onboarding", "Billing", "Support", "Loyalty", "Content", "Logistics")
_PLATFORMS = {"web": "Website", "iOS": "Mobile", "Android": "Mobile", "server": "Server"}
_PLATFORMS |= {"CRM": "CRM", "payments": "Payments"}
_STAGES = ("production", "staging", "development")
_MODES: tuple[DeliveryMode, ...] = ("cloud", "actions", "cloud", "device", "cloud", "actions", "storage", "cloud")


class Connections:
    """Sources, destinations and warehouses, which are created, change and are deleted.

    Most of the workspace exists at `origin`, the time at which the sandbox's clock starts. After that, a source with a
    destination is created every two days, the first after twenty hours; one destination is disabled after a day, and
    another is deleted after a day and a half.
    """

    def __init__(self, catalog: Catalog, workspace: Workspace, sources: int, destinations: int) -> None:
        """Generate the given numbers of sources and destinations, and thirteen warehouses times the scale."""
        self._catalog = catalog
        self._workspace_id = workspace.id
        self._random = workspace.chance("connections")
        self._numbers = count(1)
        self._founded = workspace.origin - timedelta(days=550)
        self._origin = origin = workspace.origin
        first = max(1, round(sources * 20 / 64))
        births = [self._founded] * first + [self._past() for _ in range(max(1, sources - first))]
        births += [origin + timedelta(hours=20, days=days) for days in range(0, 30, 2)]
        self.sources = [Dated(self._source(), birth) for birth in births]
        self.warehouses = [Dated(self._warehouse(), self._past()) for _ in range(workspace.scaled(13))]
        self._warehouse_links = {
            dated.record["id"]: self._links(number, dated.since) for number, dated in enumerate(self.sources)
        }
        self.destinations = self._connected(destinations)
        self._subscriptions = subscriptions(self._random, self.destinations)
        self._delete(self.destinations[1], origin + timedelta(days=1, hours=12))
        self._disable(self.destinations[0], origin + timedelta(days=1))

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the workspace's connections and of the links between them."""
        return [
            Listing(
                path="/sources",
                stream="sources",
                key="sources",
                records=lambda _, now: visible(self.sources, now),
                paging=Cursors(LastNext.NULL),
            ),
            Listing(
                path="/destinations",
                stream="destinations",
                key="destinations",
                records=lambda _, now: visible(self.destinations, now),
            ),
            Listing(
                path="/warehouses",
                stream="warehouses",
                key="warehouses",
                records=lambda _, now: visible(self.warehouses, now),
            ),
            Listing(
                path="/sources/{sourceId}/connected-destinations",
                stream="source_connected_destinations",
                primary_key=("sourceId", "id"),
                key="destinations",
                records=lambda arguments, now: self.destinations_of(arguments["sourceId"], now),
                of=self.each_source,
            ),
            Listing(
                path="/sources/{sourceId}/connected-warehouses",
                stream="source_connected_warehouses",
                primary_key=("sourceId", "id"),
                key="warehouses",
                records=lambda arguments, now: self.warehouses_of(arguments["sourceId"], now),
                of=self.each_source,
                adds={"sourceId": "sourceId"},
                paging=Cursors(LastNext.NULL),
            ),
            Listing(
                path="/destinations/{destinationId}/subscriptions",
                stream="destination_subscriptions",
                key="subscriptions",
                records=lambda arguments, now: self.subscriptions_of(arguments["destinationId"], now),
                of=self.each_destination,
                paging=Cursors(required=False),
                gate="destination-subscriptions",
            ),
        ]

    def each_source(self, now: datetime) -> list[Arguments]:
        """Return the id of each source that exists."""
        return [{"sourceId": record["id"]} for record in visible(self.sources, now)]

    def each_destination(self, now: datetime) -> list[Arguments]:
        """Return the id of each destination that exists."""
        return [{"destinationId": record["id"]} for record in visible(self.destinations, now)]

    def each_warehouse(self, now: datetime) -> list[Arguments]:
        """Return the id of each warehouse that exists."""
        return [{"warehouseId": record["id"]} for record in visible(self.warehouses, now)]

    def warehouses_of(self, source_id: str, now: datetime) -> list[Record]:
        """Return the warehouses that the source is connected to."""
        linked = {link["warehouseId"] for link in visible(self._warehouse_links[source_id], now)}
        return [warehouse for warehouse in visible(self.warehouses, now) if warehouse["id"] in linked]

    def destination(self, identifier: str, now: datetime) -> Record:
        """Return the destination with this id, which exists."""
        return next(record for record in visible(self.destinations, now) if record["id"] == identifier)

    def is_device_mode(self, destination: Record) -> bool:
        """Return whether the events go to the destination without passing the vendor's servers."""
        return self._catalog.delivery_mode(destination["metadata"]["id"]) == "device"

    def destinations_of(self, source_id: str, now: datetime) -> list[Record]:
        """Return the destinations that the source is connected to."""
        return [record for record in visible(self.destinations, now) if record["sourceId"] == source_id]

    def subscriptions_of(self, destination_id: str, now: datetime) -> list[Record]:
        """Return the destination's subscriptions; none unless it is an actions destination."""
        return visible(self._subscriptions[destination_id], now)

    def modelled(self, now: datetime) -> list[tuple[Record, Record]]:
        """Return the subscriptions that have a reverse ETL model, each with its destination."""
        return [
            (subscription, destination)
            for destination in visible(self.destinations, now)
            for subscription in self.subscriptions_of(destination["id"], now)
            if subscription.get("modelId")
        ]

    def linked(self, now: datetime) -> list[tuple[Record, Record]]:
        """Return every warehouse with every source that is connected to it."""
        return [
            (warehouse, source)
            for source in visible(self.sources, now)
            for warehouse in self.warehouses_of(source["id"], now)
        ]

    def _past(self) -> datetime:
        return self._random.moment(self._founded, self._origin - timedelta(days=1))

    def _source(self) -> Record:
        number = next(self._numbers)
        platform, category = self._random.choice(tuple(_PLATFORMS.items()))
        team, stage = self._random.choice(_TEAMS), self._random.choice(_STAGES)
        name = f"{team} {platform} {stage}"
        source: Record = {
            "id": self._random.identifier(),
            "slug": f"{name.lower().replace(' ', '_')}_{number}",
            "workspaceId": self._workspace_id,
            "enabled": number % 9 != 0,
            "writeKeys": [f"sandbox-write-key-{number:04d}"]
            + [f"sandbox-write-key-{number:04d}-b"] * (number % 11 == 0),
            "metadata": self._random.choice(self._catalog.sources_of(category)),
            "labels": self._random.choice(
                (
                    [],
                    [{"key": "environment", "value": stage}],
                    [{"key": "team", "value": team.lower(), "description": "Who owns it"}],
                )
            ),
        }
        if number % 7:
            source["name"] = name if number % 5 else ""
        if number % 3:
            source["settings"] = {"website_url": "https://shop.example.com", "track": {}} if number % 4 else None
        return source

    def _warehouse(self) -> Record:
        metadata = self._random.choice(self._catalog.warehouses)
        settings = {
            "name": f"{metadata['slug']} reporting",
            "hostname": "warehouse.example.com",
            "port": "5432",
            "database": "events",
            "username": "segment",
            "password": _MASKED,
            "ciphertext": _MASKED,
        }
        return {
            "id": self._random.identifier(),
            "workspaceId": self._workspace_id,
            "enabled": self._random.happens(0.9),
            "metadata": metadata,
            "settings": settings if self._random.happens(0.8) else {},
        }

    def _links(self, number: int, since: datetime) -> list[Dated]:
        """Connect every fourth source to several warehouses, another fourth to none, and the others to one."""
        several = min(3, len(self.warehouses))
        linked = self._random.sample(self.warehouses, k=(1, several, 1, 0)[number % 4])
        return [Dated({"warehouseId": warehouse.record["id"]}, since) for warehouse in linked]

    def _connected(self, at_origin: int) -> list[Dated]:
        """Connect destinations to random existing sources, and one destination to every later source."""
        past = [source for source in self.sources if source.since < self._origin]
        chosen = [self._random.choice(past) for _ in range(at_origin)] + self.sources[len(past) :]
        return [
            Dated(self._destination(number, source.record["id"]), source.since) for number, source in enumerate(chosen)
        ]

    def _destination(self, number: int, source_id: str) -> Record:
        mode = _MODES[number % len(_MODES)]
        metadata = self._random.choice(self._catalog.destinations_of(mode))
        destination: Record = {
            "id": self._random.identifier(),
            "enabled": bool((number + 1) % 10),
            "sourceId": source_id,
            "metadata": metadata,
            "settings": {
                "apiKey": _MASKED,
                "endpoint": f"https://{metadata['slug']}.example.com/v1",
                "sampleRate": 1,
                "mappings": {"Order Completed": "purchase"},
                "regions": ["eu-west-1"],
            },
        }
        if number % 6:
            destination["name"] = metadata["name"] if number % 4 else ""
        return destination

    def _disable(self, destination: Dated, moment: datetime) -> None:
        index = self.destinations.index(destination)
        changed = destination.record | {"enabled": False}
        self.destinations[index : index + 1] = [
            Dated(destination.record, destination.since, moment),
            Dated(changed, moment),
        ]

    def _delete(self, destination: Dated, moment: datetime) -> None:
        self.destinations[self.destinations.index(destination)] = Dated(destination.record, destination.since, moment)
