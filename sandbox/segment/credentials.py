"""The credentials with which the workspace logs in to warehouses and sources."""

from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.timeline import Dated, timestamp, visible
from sandbox.segment.workspace import Workspace

_MASKED = "•" * 12
_TYPES = ("Snowflake", "Redshift", "BigQuery", "Databricks")


def credentials(workspace: Workspace) -> list[Endpoint]:
    """Return the endpoint of the tag Credentials; secrets in the settings are redacted."""
    chance = workspace.chance("credentials")
    dated = []
    for number, birth in enumerate(workspace.births(chance, 7)):
        kind = _TYPES[number % len(_TYPES)]
        record = {
            "id": f"cred_{chance.identifier()}",
            "workspaceId": workspace.id,
            "name": f"{kind} {number + 1}",
            "settings": {"type": kind, "username": "segment", "password": _MASKED},
            "createdAt": timestamp(birth),
            "updatedAt": timestamp(birth),
        }
        dated.append(Dated(record, birth))
    return [
        Listing(
            path="/credentials",
            stream="credentials",
            key="credentials",
            records=lambda _, now: visible(dated, now),
            removes=("settings",),
        )
    ]
