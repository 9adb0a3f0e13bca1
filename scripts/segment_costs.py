"""`python -m scripts.segment_costs`: rewrite the table of requests in Segment's README from the manifest."""

from collections.abc import Iterator, Mapping
from math import prod

from scripts.stream_tables import ROOT, SOURCES, Component, declared, limit_per_minute, parents

README = ROOT / "source_segment" / "README.md"
START, END = "<!-- costs:start -->", "<!-- costs:end -->"
METRICS = "destination_delivery_metrics_summary"
WITHOUT_METRICS = "destinations without metrics"
DEFAULT_PER_MINUTE = 3000

EXAMPLE: Mapping[str, int] = {
    "sources": 200,
    "destinations": 150,
    WITHOUT_METRICS: 50,
    "destination_subscriptions": 10,
    "warehouses": 4,
    "warehouse_connected_sources": 120,
    "tracking_plans": 20,
    "functions": 40,
    "spaces": 3,
    "audiences": 200,
    "profiles_warehouses": 2,
    "users": 60,
    "groups": 10,
}
"""Rows per parent in a workspace of medium size; of the subscriptions, those with a model."""

LARGE: Mapping[str, int] = {
    **EXAMPLE,
    "sources": 2000,
    "destinations": 500,
    WITHOUT_METRICS: 150,
    "warehouse_connected_sources": 1000,
}

WINDOWS = {  # of a first sync without a start date, and of one a day later
    "usage_stream": (12, 2),
    "audit_events": (13, 1),
    "events_volume": (13, 1),
    METRICS: (14, 3),
}


def costs(workspace: Mapping[str, int]) -> dict[str, tuple[int, int, int]]:
    """The requests of a first and of a daily sync per stream, if every list fits on one page, and the limit a minute.

    Args:
        workspace: the number of rows per stream with children.
    """
    manifest = SOURCES["source_segment"]().resolved_manifest
    return {stream["name"]: _cost(stream, manifest, workspace) for stream in declared(manifest["streams"])}


def _cost(stream: Component, manifest: Component, workspace: Mapping[str, int]) -> tuple[int, int, int]:
    name = stream["name"]
    each = prod(workspace.get(parent, 1) for parent in parents(stream))
    types = len((stream["retriever"].get("partition_router") or {}).get("values", [None]))
    first, later = WINDOWS.get("usage_stream" if name.startswith("usage_") else name, (1, 1))
    once = workspace[WITHOUT_METRICS] if name == METRICS else 0
    return (
        (each - once) * first * types + once,
        (each - once) * later * types + once,
        limit_per_minute(stream, manifest) or DEFAULT_PER_MINUTE,
    )


def table(workspace: Mapping[str, int] = EXAMPLE) -> str:
    """One row per stream, the slowest first; streams that take fewer than ten requests are one row."""
    found = costs(workspace)
    small = [name for name, (first, _, limit) in found.items() if first < 10 and limit == DEFAULT_PER_MINUTE]  # noqa: PLR2004 # as the docstring says
    rows = sorted((name for name in found if name not in small), key=lambda name: -found[name][1] / found[name][2])
    together = sum(found[name][0] for name in small)
    return "\n".join(
        [
            "| stream | requests, first sync | minutes | requests, daily sync | minutes |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(f"| `{name}` | {' | '.join(_cells(*found[name]))} |" for name in rows),
            f"| {len(small)} other streams together | {' | '.join(_cells(together, together, DEFAULT_PER_MINUTE))} |",
        ]
    )


def _cells(first: int, later: int, limit: int) -> Iterator[str]:
    for requests in (first, later):
        yield f"{requests:,}"
        yield f"{requests / limit:,.1f}"


def rewritten() -> str:
    """Segment's README with the table as it should be."""
    before, _, rest = README.read_text().partition(START)
    return f"{before}{START}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    README.write_text(rewritten())
