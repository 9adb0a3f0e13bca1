"""The catalogs: the kinds of sources, destinations and warehouses that the vendor offers."""

from collections.abc import Callable
from datetime import datetime
from itertools import cycle, islice, product

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Record, Seeded, scaled
from sandbox.segment.catalog_destination import STATUSES, DeliveryMode, catalog_destination
from sandbox.segment.catalog_entry import entry, options

_BRANDS = (
    *("Alder", "Birch", "Cedar", "Clover", "Fennel", "Hazel", "Heather", "Iris", "Juniper", "Larch", "Larkspur"),
    *("Laurel", "Linden", "Maple", "Myrtle", "Olive", "Poplar", "Rowan", "Saffron", "Sorrel", "Tansy", "Thistle"),
    *("Willow", "Yarrow", "Zinnia"),
)
_DESTINATIONS = {
    "A/B Testing": "Experiments",
    "Advertising": "Ads",
    "Analytics": "Analytics",
    "Attribution": "Attribution",
    "CRM": "CRM",
    "Customer Success": "Success",
    "Email Marketing": "Mail",
    "Enrichment": "Enrich",
    "Feature Flagging": "Flags",
    "Heatmaps & Recordings": "Replay",
    "Livechat": "Chat",
    "Marketing Automation": "Journeys",
    "Performance Monitoring": "Monitor",
    "Personalization": "Personal",
    "Raw Data": "Object Storage",
    "Referrals": "Referrals",
    "SMS & Push Notifications": "Push",
    "Surveys": "Surveys",
    "Tag Managers": "Tags",
    "Video": "Video",
}
_SOURCES = {
    "Advertising": "Ads",
    "Analytics": "Insights",
    "CRM": "CRM",
    "E-commerce": "Shop",
    "Email Marketing": "Mail",
    "Feature Flagging": "Flags",
    "Helpdesk": "Desk",
    "Livechat": "Chat",
    "Marketing Automation": "Journeys",
    "Mobile": "Mobile SDK",
    "Payments": "Pay",
    "Referrals": "Referrals",
    "Reverse ETL": "Reverse ETL",
    "Server": "Server Library",
    "Surveys": "Surveys",
    "Video": "Video",
    "Website": "Web SDK",
}
_WAREHOUSES = (
    *("Azure SQL Data Warehouse", "Azure SQL Database", "BigQuery", "Databricks", "DB2", "Postgres", "Redshift"),
    "Snowflake",
)
_NETWORKS = (
    *("af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("asia-east1", "asia-south1", "ca-central-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1"),
    *("eu-west-2", "eu-west-3", "europe-north1", "europe-west1", "europe-west4", "me-south-1", "sa-east-1"),
    *("us-central1", "us-east-1", "us-east-2", "us-east4", "us-west-1", "us-west-2"),
)
_CREDENTIALS = ("database", "hostname", "password", "username", "ciphertext")
_DEVICE_CATEGORIES = frozenset({"Heatmaps & Recordings", "Tag Managers"})
_LIBRARY_CATEGORIES = frozenset({"Mobile", "Server", "Website"})


class Catalog:
    """The three catalogs, and how each kind of destination receives its data."""

    def __init__(self, seed: int, scale: float) -> None:
        chance = Seeded(f"{seed}/catalog")
        self._modes: dict[str, DeliveryMode] = {}
        self.destinations: list[Record] = []
        for brand, (category, product_name) in islice(
            cycle(product(_BRANDS, _DESTINATIONS.items())), scaled(1160, scale)
        ):
            mode = _mode(chance, category)
            destination = catalog_destination(chance, f"{brand} {product_name}", category, mode)
            self._modes[destination["id"]] = mode
            self.destinations.append(destination)
        self.sources = [
            _source(chance, f"{brand} {product_name}", category)
            for brand, (category, product_name) in islice(
                cycle(product(_BRANDS, _SOURCES.items())), scaled(1060, scale)
            )
        ]
        self.warehouses = [
            _warehouse(chance, name, network)
            for network, name in islice(cycle(product(_NETWORKS, _WAREHOUSES)), scaled(1024, scale))
        ]

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tag Catalog."""
        kinds: tuple[tuple[str, list[Record], Cursors], ...] = (
            ("destinations", self.destinations, Cursors()),
            ("sources", self.sources, Cursors(with_total=False)),
            ("warehouses", self.warehouses, Cursors(LastNext.NULL)),
        )
        return [
            Listing(
                path=f"/catalog/{name}",
                stream=f"catalog_{name}",
                key=f"{name}Catalog",
                records=_always(kind),
                paging=paging,
            )
            for name, kind, paging in kinds
        ]

    def sources_of(self, category: str) -> list[Record]:
        """Return the kinds of sources in a category, or all if a small catalog has none in it."""
        return [kind for kind in self.sources if category in kind["categories"]] or self.sources

    def destinations_of(self, mode: DeliveryMode) -> list[Record]:
        """Return the kinds of destinations with a mode, or all if a small catalog has none with it."""
        return [kind for kind in self.destinations if self.delivery_mode(kind["id"]) == mode] or self.destinations

    def delivery_mode(self, metadata_id: str) -> DeliveryMode:
        """Return the way in which the kind of destination with this metadata id receives its data."""
        return self._modes[metadata_id]

    def has_event_delivery(self, metadata_id: str) -> bool:
        """Return whether the vendor measures delivery, which it does if its own servers stream the events."""
        return self._modes[metadata_id] in {"actions", "cloud"}


def _always(records: list[Record]) -> Callable[[Arguments, datetime], list[Record]]:
    return lambda _, __: records


def _mode(chance: Seeded, category: str) -> DeliveryMode:
    if category == "Raw Data":
        return "storage"
    return "device" if category in _DEVICE_CATEGORIES else chance.choice(("actions", "cloud", "cloud", "device"))


def _source(chance: Seeded, name: str, category: str) -> Record:
    source = {
        **entry(chance, chance.identifier(10), name, f"Collects events and objects from {name}."),
        "options": options(chance, chance.randrange(3)),
        "categories": [category],
        "isCloudEventSource": category not in _LIBRARY_CATEGORIES,
        "status": chance.choice(STATUSES),
    }
    return {**source, "partnerOwned": chance.choice((True, False, None))} if chance.happens(0.6) else source


def _warehouse(chance: Seeded, name: str, network: str) -> Record:
    return {
        **entry(chance, chance.identifier(10), f"{name} ({network})", f"{name} in the private network {network}."),
        "options": [
            {
                "name": "port",
                "type": "number",
                "required": True,
                "defaultValue": 5432,
                "label": "Port",
                "description": "",
            },
            *({"name": key, "type": "string", "required": True} for key in _CREDENTIALS),
        ],
    }
