"""The workspace's Protocols transformations."""

from datetime import timedelta

from sandbox.api.timeline import Dated, Record, visible
from sandbox.segment.connections import Connections
from sandbox.segment.workspace import Workspace

_EFFECTS: tuple[Record, ...] = (
    {"drop": True, "propertyDrops": []},
    {"newEventName": "order_cancelled", "propertyRenames": []},
    {"propertyRenames": [{"oldName": "Category", "newName": "category"}], "drop": False},
    {"propertyValueTransformations": [{"propertyPaths": ["properties.currency"], "propertyValue": "EUR"}]},
    {"fqlDefinedProperties": [{"fql": "lowercase(properties.email)", "propertyName": "email"}]},
    {"allowProperties": ["properties.orderId", "properties.value"]},
    {"hashPropertiesConfiguration": {"algorithm": "SHA256", "encoding": "HEX", "paths": ["properties.email"]}},
    {
        "hashPropertiesConfiguration": {
            "algorithm": "HMAC_SHA512",
            "key": "•" * 12,
            "encoding": "BASE64URL",
            "paths": ["context.ip"],
        }
    },
    {"hashPropertiesConfiguration": {"algorithm": "MD5", "key": None, "encoding": None, "paths": ["userId"]}},
    {
        "drop": None,
        "newEventName": None,
        "propertyRenames": None,
        "propertyValueTransformations": None,
        "fqlDefinedProperties": None,
        "allowProperties": None,
        "hashPropertiesConfiguration": None,
    },
    {"propertyDrops": ["properties.password"]},
)
_EVENTS = ("Order Cancelled", "Order Completed", "User Clicked", "Signed Up")


def transformations(workspace: Workspace, connections: Connections) -> list[Dated]:
    """Generate transformations of every shape, each for a source that exists when the clock starts.

    Like live records, they have `workspaceId`, and some have `destinationId` and `propertyDrops`, which the vendor's
    documentation does not mention.
    """
    chance, origin = workspace.chance("transformations"), workspace.origin
    sources = visible(connections.sources, origin)
    generated = []
    for number in range(workspace.scaled(44)):
        event = chance.choice(_EVENTS)
        transformation: Record = {
            "id": chance.identifier(),
            "workspaceId": workspace.id,
            "name": f"{event} rule {number + 1}",
            "sourceId": chance.choice(sources)["id"],
            "enabled": chance.happens(0.8),
            "if": f"event = '{event}'",
        }
        if number % 3 == 0:
            destination = chance.choice(visible(connections.destinations, origin))
            transformation["destinationMetadataId"] = destination["metadata"]["id"]
            transformation["destinationId"] = destination["id"]
        elif number % 3 == 1:
            transformation["destinationMetadataId"] = None
        since = chance.moment(origin - timedelta(days=200), origin)
        generated.append(Dated(transformation | _EFFECTS[number % len(_EFFECTS)], since))
    return generated
