"""The catalogs: which kinds of sources, destinations and warehouses the vendor offers."""

from itertools import cycle, islice, product
from typing import Literal, TypeAlias

from sandbox.segment.seeded import Record, Seeded, scaled

DeliveryMode: TypeAlias = Literal["actions", "cloud", "device", "storage"]

_BRANDS = (
    "Alder Birch Cedar Clover Fennel Hazel Heather Iris Juniper Larch Larkspur Laurel Linden Maple Myrtle Olive "
    "Poplar Rowan Saffron Sorrel Tansy Thistle Willow Yarrow Zinnia"
).split()
_PRODUCTS = {
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
    "Azure SQL Data Warehouse",
    "Azure SQL Database",
    "BigQuery",
    "Databricks",
    "DB2",
    "Postgres",
    "Redshift",
    "Snowflake",
)
_NETWORKS = (
    "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 "
    "eu-central-1 eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3 me-south-1 sa-east-1 us-east-1 us-east-2 "
    "us-west-1 us-west-2 asia-east1 asia-south1 europe-north1 europe-west1 europe-west4 northamerica-northeast1 us-central1"
).split()
_STATUSES = ("PUBLIC",) * 14 + ("PUBLIC_BETA", "PUBLIC_BETA", "PRIVATE_BETA", "DEPRECATED", "UNAVAILABLE")
_STATUSES += ("PRIVATE_BUILDING", "PRIVATE_SUBMITTED")
_TRIGGERS = ('type = "track"', 'type = "identify"', 'type = "page"', 'type = "track" and event = "Order Completed"')
_OPTION_DEFAULTS = {"boolean": False, "map": {}, "number": 2, "string": "", "select": "events", "array": []}


class Catalog:
    """The three catalogs, and what the workspace must know of their entries."""

    def __init__(self, seed: int, scale: float) -> None:
        self._random = Seeded(f"{seed}/catalog")
        self._modes: dict[str, DeliveryMode] = {}
        kinds = product(_BRANDS, _PRODUCTS.items())
        self.destinations = [
            self._destination(brand, *kind) for brand, kind in islice(cycle(kinds), scaled(460, scale))
        ]
        kinds = product(_BRANDS, _SOURCES.items())
        self.sources = [self._source(brand, *kind) for brand, kind in islice(cycle(kinds), scaled(424, scale))]
        places = product(_NETWORKS, _WAREHOUSES)
        self.warehouses = [
            self._warehouse(name, network) for network, name in islice(cycle(places), scaled(212, scale))
        ]

    def delivery_mode(self, metadata_id: str) -> DeliveryMode:
        """Return how the kind of destination with this metadata id receives its data."""
        return self._modes[metadata_id]

    def _entry(self, identifier: str, name: str, description: str) -> Record:
        slug = "-".join(name.lower().replace("(", "").replace(")", "").split())
        logos: Record = {"default": f"https://cdn.example.com/logos/{slug}-default.svg"}
        for size in ("mark", "alt"):
            if self._random.happens(0.7):
                logos[size] = self._random.choice((f"https://cdn.example.com/logos/{slug}-{size}.svg", "", None))
        return {"id": identifier, "name": name, "slug": slug, "description": description, "logos": logos}

    def _options(self, most: int) -> list[Record]:
        options = []
        for name in self._random.sample(("apiKey", "endpoint", "events", "region", "sampleRate", "version"), k=most):
            kind = "string" if name == "apiKey" else self._random.choice(tuple(_OPTION_DEFAULTS))
            option: Record = {"name": name, "type": kind, "required": name == "apiKey", "label": name.capitalize()}
            if self._random.happens(0.8):
                option |= {"description": f"The {name} of your account.", "defaultValue": _OPTION_DEFAULTS[kind]}
            options.append(option)
        return options

    def _destination(self, brand: str, category: str, product_name: str) -> Record:
        identifier = f"{self._random.getrandbits(96):024x}"
        mode = self._mode(category)
        self._modes[identifier] = mode
        name = f"{brand} {product_name}" + (" (Actions)" if mode == "actions" else "")
        entry = self._entry(identifier, name, f"{name} receives your events for {category.lower()}.")
        actions = [self._action(position) for position in range(1, 4)] if mode == "actions" else []
        entry |= {
            "options": self._options(self._random.randrange(1, 6)),
            "status": self._random.choice(_STATUSES),
            "previousNames": [name] if self._random.happens(0.6) else [],
            "categories": [category] if self._random.happens(0.8) else [category, "Analytics"],
            "website": f"https://{brand.lower()}.example.com",
            "components": self._components(mode, entry["slug"]),
            "supportedFeatures": {
                "cloudModeInstances": "0" if mode == "device" else self._random.choice(("1", "MULTIPLE", "SINGLE")),
                "deviceModeInstances": self._random.choice(("1", "SINGLE")) if mode == "device" else "NONE",
                "replay": mode == "cloud",
                "browserUnbundling": mode == "device",
                "browserUnbundlingPublic": True,
            },
            "supportedMethods": {
                "track": True,
                "identify": self._random.happens(0.9),
                "pageview": self._random.happens(0.7),
                "group": self._random.choice((True, False, None)),
                "alias": False,
            },
            "supportedPlatforms": {
                "browser": mode != "storage",
                "server": mode != "device",
                "mobile": self._random.happens(0.5),
                "warehouse": mode == "actions",
                "cloudAppObject": self._random.choice((False, None)),
                "linkedAudiences": mode == "actions",
            },
            "actions": actions,
            "presets": [_preset(action) for action in actions[:1]],
        }
        return entry | self._optional_destination_fields(brand)

    def _mode(self, category: str) -> DeliveryMode:
        if category == "Raw Data":
            return "storage"
        if category in {"Heatmaps & Recordings", "Tag Managers"}:
            return "device"
        return self._random.choice(("actions", "cloud", "cloud", "cloud", "device"))

    def _components(self, mode: DeliveryMode, slug: str) -> list[Record]:
        kinds = ("BROWSER", "IOS", "ANDROID") if mode == "device" else ("SERVER",)
        components: list[Record] = [{"type": kind, "code": f"https://code.example.com/{slug}"} for kind in kinds]
        if self._random.happens(0.5):
            components[0]["owner"] = self._random.choice(("SEGMENT", "PARTNER"))
        return components

    def _optional_destination_fields(self, brand: str) -> Record:
        optional: Record = {}
        if self._random.happens(0.5):
            contact = {"name": f"{brand} support", "email": f"support@{brand.lower()}.example.com", "isPrimary": True}
            optional["contacts"] = self._random.choice(([contact], [contact | {"role": "engineering"}], None))
        if self._random.happens(0.7):
            optional |= {"partnerOwned": self._random.happens(0.4), "supportedRegions": ["us-west-2", "eu-west-1"]}
            optional["regionEndpoints"] = self._random.choice((["US", "EU"], ["US"], None))
            optional["multiInstanceSupportedVersion"] = self._random.choice(("4.0.0", None))
        return optional

    def _action(self, position: int) -> Record:
        name = ("Track event", "Upsert profile", "Record page view")[position - 1]
        slug = name.replace(" ", "")
        return {
            "id": self._random.identifier(),
            "slug": slug[0].lower() + slug[1:],
            "name": name,
            "description": f"{name} in the destination.",
            "platform": self._random.choice(("CLOUD", "WEB", "MOBILE")),
            "hidden": False,
            "defaultTrigger": self._random.choice((_TRIGGERS[position - 1], None)),
            "fields": [
                self._field(1, "userId", "STRING", {"@path": "$.userId"}, None),
                self._field(2, "event", "STRING", "Order Completed", ["Order Completed", "Order Cancelled"]),
                self._field(3, "consent", "BOOLEAN", False, [{"label": "Granted", "value": True}]),
                self._field(4, "value", "NUMBER", 1.5, {"dynamic": "currencies"}),
            ],
        }

    def _field(self, order: int, key: str, kind: str, default: object, choices: object) -> Record:
        field: Record = {
            "id": self._random.identifier(),
            "sortOrder": order,
            "fieldKey": key,
            "label": key,
            "type": kind,
            "description": f"The {key} to send.",
            "defaultValue": default,
            "required": order == 1,
            "multiple": False,
            "choices": choices,
            "dynamic": False,
            "allowNull": False,
        }
        return field if order % 2 else field | {"placeholder": f"your {key}", "hidden": False}

    def _source(self, brand: str, category: str, product_name: str) -> Record:
        name = f"{brand} {product_name}"
        entry = self._entry(self._random.identifier(10), name, f"Collects events and objects from {name}.")
        entry |= {
            "options": self._options(self._random.randrange(3)),
            "categories": [category],
            "isCloudEventSource": category not in {"Mobile", "Server", "Website"},
            "status": self._random.choice(_STATUSES),
        }
        if self._random.happens(0.6):
            entry["partnerOwned"] = self._random.choice((True, False, None))
        return entry

    def _warehouse(self, name: str, network: str) -> Record:
        entry = self._entry(
            self._random.identifier(10), f"{name} ({network})", f"{name} through the private network {network}."
        )
        keys = ("port", "database", "hostname", "password", "username", "ciphertext")
        return entry | {"options": [{"name": key, "type": "string", "required": True} for key in keys]}


def _preset(action: Record) -> Record:
    return {
        "actionId": action["id"],
        "name": f"{action['name']} by default",
        "fields": {"userId": {"@path": "$.userId"}, "consent": True},
        "trigger": _TRIGGERS[0],
    }
