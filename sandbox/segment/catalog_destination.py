"""The entries of the destination catalog."""

from typing import Literal, TypeAlias

from sandbox.api.timeline import Record, Seeded
from sandbox.segment.catalog_entry import entry, options

DeliveryMode: TypeAlias = Literal["actions", "cloud", "device", "storage"]
"""The way in which a destination receives its data; `actions` is the newer kind of `cloud`."""

STATUSES = ("PUBLIC",) * 14 + (
    "DEPRECATED",
    "PRIVATE_BETA",
    "PRIVATE_BUILDING",
    "PRIVATE_SUBMITTED",
    "PUBLIC_BETA",
    "UNAVAILABLE",
)
_ACTIONS = (
    ("Track event", "trackEvent", 'type = "track"'),
    ("Upsert profile", "upsertProfile", 'type = "identify"'),
    ("Record page view", "recordPageView", 'type = "page"'),
)


def catalog_destination(chance: Seeded, name: str, category: str, mode: DeliveryMode) -> Record:
    """Return a kind of destination; only those of the mode `actions` have actions and presets."""
    full_name = f"{name} (Actions)" if mode == "actions" else name
    identifier = f"{chance.getrandbits(96):024x}"
    common = entry(chance, identifier, full_name, f"{name} receives your events for {category.lower()}.")
    actions = [_action(chance, *action) for action in _ACTIONS] if mode == "actions" else []
    return {
        **common,
        "options": options(chance, chance.randrange(1, 6)),
        "status": chance.choice(STATUSES),
        "previousNames": [name] if chance.happens(0.6) else [],
        "categories": [category] if chance.happens(0.8) else [category, "Analytics"],
        "website": f"https://{common['slug']}.example.com",
        "components": _components(chance, mode, common["slug"]),
        "supportedFeatures": _supported_features(chance, mode),
        "supportedMethods": {
            "track": True,
            "identify": chance.happens(0.9),
            "pageview": chance.happens(0.7),
            "group": chance.choice((True, False, None)),
            "alias": False,
        },
        "supportedPlatforms": {
            "browser": mode != "storage",
            "server": mode != "device",
            "mobile": chance.happens(0.5),
            "warehouse": mode == "actions",
            "cloudAppObject": chance.choice((False, None)),
            "linkedAudiences": mode == "actions",
        },
        "actions": actions,
        "presets": [_preset(action) for action in actions[:1]],
        **_optional(chance, name),
    }


def _components(chance: Seeded, mode: DeliveryMode, slug: str) -> list[Record]:
    kinds = ("BROWSER", "IOS", "ANDROID") if mode == "device" else ("SERVER",)
    components: list[Record] = [{"type": kind, "code": f"https://code.example.com/{slug}"} for kind in kinds]
    if chance.happens(0.5):
        components[0]["owner"] = chance.choice(("SEGMENT", "PARTNER"))
    return components


def _supported_features(chance: Seeded, mode: DeliveryMode) -> Record:
    features: Record = {
        "cloudModeInstances": "0" if mode == "device" else chance.choice(("1", "MULTIPLE", "SINGLE")),
        "deviceModeInstances": chance.choice(("1", "SINGLE")) if mode == "device" else "NONE",
        "replay": mode == "cloud",
    }
    if chance.happens(0.8):
        features |= {"browserUnbundling": mode == "device", "browserUnbundlingPublic": True}
    return features


def _optional(chance: Seeded, name: str) -> Record:
    optional: Record = {}
    if chance.happens(0.5):
        contact = {"name": f"{name} support", "email": "support@example.com", "isPrimary": True}
        optional["contacts"] = chance.choice(([contact], [{**contact, "role": "engineering"}], None))
    if chance.happens(0.7):
        optional |= {
            "partnerOwned": chance.happens(0.4),
            "supportedRegions": ["us-west-2", "eu-west-1"],
            "regionEndpoints": chance.choice((["US", "EU"], ["US"], None)),
            "multiInstanceSupportedVersion": chance.choice(("4.0.0", None)),
        }
    return optional


def _action(chance: Seeded, name: str, slug: str, trigger: str) -> Record:
    return {
        "id": chance.identifier(),
        "slug": slug,
        "name": name,
        "description": f"{name} in the destination.",
        "platform": chance.choice(("CLOUD", "WEB", "MOBILE")),
        "hidden": False,
        "defaultTrigger": chance.choice((trigger, None)),
        "fields": [
            _field(chance, 1, "userId", "STRING", default={"@path": "$.userId"}, choices=None),
            _field(chance, 2, "event", "STRING", default="Viewed", choices=["Viewed", "Bought"]),
            _field(chance, 3, "consent", "BOOLEAN", default=False, choices=[{"label": "Granted", "value": True}]),
            _field(chance, 4, "value", "NUMBER", default=1.5, choices={"dynamic": "currencies"}),
        ],
    }


def _field(chance: Seeded, order: int, key: str, kind: str, *, default: object, choices: object) -> Record:
    field: Record = {
        "id": chance.identifier(),
        "sortOrder": order,
        "fieldKey": key,
        "label": key.capitalize(),
        "type": kind,
        "description": f"The {key} to send.",
        "defaultValue": default,
        "required": order == 1,
        "multiple": False,
        "choices": choices,
        "dynamic": False,
        "allowNull": False,
    }
    return field if order % 2 else {**field, "placeholder": f"your {key}", "hidden": False}


def _preset(action: Record) -> Record:
    return {
        "actionId": action["id"],
        "name": f"{action['name']} by default",
        "fields": {"userId": {"@path": "$.userId"}, "consent": True},
        "trigger": 'type = "track"',
    }
