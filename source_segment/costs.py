"""The number of requests per stream, computed from the manifest for a workspace of a given size."""

from collections.abc import Mapping
from math import prod

from cdp_connectors.costs import Count, StreamCost
from cdp_connectors.manifests import Component, declared, limit_per_minute, parents
from cdp_connectors.source import ManifestSource
from source_segment.source import SourceSegment

COUNTED: Mapping[str, Mapping[str, str]] = {
    name: {}
    for name in (
        *("sources", "destinations", "destination_subscriptions", "warehouses", "warehouse_connected_sources"),
        *("tracking_plans", "functions", "spaces", "audiences", "profiles_warehouses", "users", "groups"),
    )
}
"""The streams whose row counts determine the requests of others; no lists within their rows do."""
WITHOUT_METRICS = "destinations without metrics"
_METRICS = "destination_delivery_metrics_summary"
_DEFAULT_PER_MINUTE = 3000
_WINDOWS = {  # in a first sync without a start date, and in a sync a day later
    "usage_stream": (12, 2),
    "audit_events": (13, 1),
    "events_volume": (13, 1),
    _METRICS: (14, 3),
}


def account_costs(_source: ManifestSource, count: Count) -> dict[str, StreamCost]:
    """Return the cost of each stream, for the workspace whose lists `count` counts."""
    return stream_costs(count(COUNTED))


def stream_costs(rows: Mapping[str, int]) -> dict[str, StreamCost]:
    """Return the cost of each stream if every list fits on one page.

    Args:
        rows: the number of rows per stream of `COUNTED`, and of `WITHOUT_METRICS` if known.
    """
    manifest = SourceSegment().resolved_manifest
    return {stream["name"]: _cost(stream, manifest, rows) for stream in declared(manifest["streams"])}


def _cost(stream: Component, manifest: Component, rows: Mapping[str, int]) -> StreamCost:
    name = stream["name"]
    each = prod(rows.get(parent, 1) for parent in parents(stream))
    types = len((stream["retriever"].get("partition_router") or {}).get("values", [None]))
    first, later = _WINDOWS.get("usage_stream" if name.startswith("usage_") else name, (1, 1))
    once = rows.get(WITHOUT_METRICS, 0) if name == _METRICS else 0
    return StreamCost(
        first_sync=(each - once) * first * types + once,
        daily_sync=(each - once) * later * types + once,
        per_minute=limit_per_minute(stream, manifest) or _DEFAULT_PER_MINUTE,
    )
