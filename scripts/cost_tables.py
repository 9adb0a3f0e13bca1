"""`python -m scripts.cost_tables`: regenerate the tables of requests in the READMEs from the sources' formulas."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cdp_connectors.costs import Account, StreamCost
from source_customerio.costs import COSTS, REQUESTS_PER_MINUTE
from source_segment.costs import WITHOUT_METRICS, stream_costs

ROOT = Path(__file__).parent.parent
START, END = "<!-- costs:start -->", "<!-- costs:end -->"
_FEW_REQUESTS = 10

SEGMENT_MEDIUM: Mapping[str, int] = {
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
"""Rows per parent in a medium-sized workspace; for subscriptions, only those with a model."""

CUSTOMERIO_LARGE = Account(
    sizes={
        "campaigns": 2_000,
        "actions_of_campaigns": 20_000,
        "campaign_actions": 20_000,
        "active_campaigns": 200,
        "active_campaign_actions": 2_000,
        "active_linked_campaign_actions": 2_000,
        "running_campaigns": 250,
        "newsletters": 3_000,
        "sent_newsletters": 2_900,
        "changing_newsletters": 300,
        "active_newsletters": 50,
        "variants_of_newsletters": 5_800,
        "active_newsletter_variants": 100,
        "active_linked_newsletter_variants": 100,
        "broadcasts": 50,
        "actions_of_broadcasts": 100,
        "broadcast_actions": 100,
        "broadcast_triggers": 5_000,
        "active_broadcasts": 10,
        "active_broadcast_actions": 20,
        "active_linked_broadcast_actions": 20,
        "transactional_messages": 100,
        "active_transactional": 60,
        "customers_search": 5_000_000,
        "optouts": 20_000,
        "eps_suppression": 200_000,
        "sending_domains": 3,
        "messages": 50_000_000,
        "recent_messages": 8_000_000,
        "activities": 10_000_000,
        "new_activities": 300_000,
        "segments": 500,
        "segment_memberships": 15_000_000,
        "sender_identities": 100,
        "collections": 20,
        "types": 5,
        "objects": 50_000,
        "design_studio_folders": 20,
        "asset_folders": 50,
        "assets": 5_000,
    }
)
"""A large workspace."""


def _segment() -> dict[str, StreamCost]:
    return stream_costs(SEGMENT_MEDIUM)


def _customerio() -> dict[str, StreamCost]:
    return {
        name: StreamCost(round(cost.first(CUSTOMERIO_LARGE)), round(cost.daily(CUSTOMERIO_LARGE)), REQUESTS_PER_MINUTE)
        for name, cost in COSTS.items()
    }


PACKAGES: Mapping[str, Callable[[], dict[str, StreamCost]]] = {
    "source_segment": _segment,
    "source_customerio": _customerio,
}


def table(costs: Mapping[str, StreamCost]) -> str:
    """One row per stream, the slowest daily sync first; streams with few requests share a row."""
    usual = max(cost.per_minute for cost in costs.values())
    small = [
        name
        for name, cost in costs.items()
        if max(cost.first_sync, cost.daily_sync) < _FEW_REQUESTS and cost.per_minute == usual
    ]
    rows = sorted(costs.keys() - set(small), key=lambda name: (-costs[name].daily_minutes, name))
    together = StreamCost(
        sum(costs[name].first_sync for name in small), sum(costs[name].daily_sync for name in small), usual
    )
    return "\n".join(
        [
            "| stream | requests, first sync | minutes | requests, daily sync | minutes |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(f"| `{name}` | {' | '.join(_cells(costs[name]))} |" for name in rows),
            f"| {len(small)} other streams together | {' | '.join(_cells(together))} |",
        ]
    )


def _cells(cost: StreamCost) -> Iterator[str]:
    yield f"{cost.first_sync:,}"
    yield f"{cost.first_minutes:,.1f}"
    yield f"{cost.daily_sync:,}"
    yield f"{cost.daily_minutes:,.1f}"


def rewritten(package: str) -> str:
    """A connector's README with the current table."""
    before, _, rest = (ROOT / package / "README.md").read_text().partition(START)
    return f"{before}{START}\n{table(PACKAGES[package]())}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Rewrite both READMEs."""
    for package in PACKAGES:
        (ROOT / package / "README.md").write_text(rewritten(package))


if __name__ == "__main__":
    main()
