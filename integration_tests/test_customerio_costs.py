"""The formulas for the requests of a Customer.io sync, compared with the sandbox's counts."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from math import ceil

import pytest

from cdp_connectors.costs import Account
from integration_tests.rows import JsonObject
from sandbox.airbyte import Attempt, BulkCdkLike, Connector, configured, run_sync
from sandbox.clock import Clock
from sandbox.customerio.world import CustomerioWorld
from sandbox.server import Sandbox
from source_customerio.costs import COSTS, COUNTED

DAY = 86_400
LOOKBACK = 30 * DAY
HALF_A_YEAR = 183 * DAY
FAMILIES = {  # of which one parent's metrics are requested by whichever stream comes first
    "campaign": "campaigns",
    "broadcast": "broadcasts",
    "newsletter": "newsletters",
    "transactional": "transactional_messages",
}
BELOW = {
    "campaign": ("campaign_actions", "actions"),
    "broadcast": ("broadcast_actions", "actions"),
    "newsletter": ("newsletter_variants", "content_ids"),
}
PAGES = {  # whose rows are distributed unevenly over the parents, so that some have several pages
    "campaign_actions": 10,
    "broadcast_actions": 10,
    "broadcast_trigger_errors": 100,
    "object_relationships": 50,  # a hundred, but some are listed twice
}
METRICS = re.compile(r"(campaign|broadcast|newsletter|transactional)(_action|_variant)?(_link)?_metrics")
OTHERS = [name for name in COSTS if not METRICS.fullmatch(name)]


@pytest.fixture(scope="module")
def counted() -> Iterator[tuple[dict[str, int], Account, dict[str, int], Account, dict[str, Account]]]:
    """The requests of a first sync and of one a day later, and the size of the workspace at each.

    The last item has the sizes at the second sync for each metrics stream, since each has its own window.
    """
    with Sandbox(Clock(datetime.now(timezone.utc) - timedelta(days=3)), scale=0.02) as workspace:
        world = workspace.customerio
        source = Connector("source_customerio", {**workspace.configs()["source-customerio"], "people_detail": True})
        catalog, destination = configured(source.discover()), BulkCdkLike()
        begun = world.now
        first = run_sync(source, destination, catalog)
        account = account_of(world, begun)
        workspace.clock.advance(timedelta(days=1))
        second = run_sync(source, destination, catalog, first.state_list())
        assert (first.failures, second.failures) == ([], [])
        later = account_of(world, begun)
        own = {
            name: replace(later, sizes={**later.sizes, **changing(world, window_of(first, name))})
            for name in COSTS
            if name.endswith("_metrics")
        }
        yield requests(first), account, requests(second), later, own


def requests(attempt: Attempt) -> dict[str, int]:
    """The number of requests of each stream, from its final log line."""
    lines = (re.match(r"Stream (\w+): [\d,]+ rows, ([\d,]+) requests", log["message"]) for log in attempt.logs)
    return {line[1]: int(line[2].replace(",", "")) for line in lines if line}


def window_of(attempt: Attempt, stream: str) -> int:
    """The start of the window that a metrics stream reads next, in epoch seconds."""
    position = attempt.stream_state(stream).get("state", {}).get("period_start")
    return int(datetime.fromisoformat(position.replace("Z", "+00:00")).timestamp()) - LOOKBACK if position else 0


def account_of(world: CustomerioWorld, since: int) -> Account:
    """The current sizes of the workspace; `since` is the start of the last sync."""
    sizes: dict[str, float] = {name: len(world.expected(name)) for name in COSTS}
    for stream, fields in COUNTED.items():
        for field, name in fields.items():
            sizes[name] = sum(len(row.get(field) or []) for row in world.expected(stream))
    sizes["customers_search"] = sizes["customers"]
    addresses = (row.get("email") or "" for row in world.expected("sender_identities"))
    sizes["sending_domains"] = len({address.split("@")[-1].lower() for address in addresses if "@" in address})
    sizes["sent_newsletters"] = sum(bool(row.get("sent_at")) for row in world.expected("newsletters"))
    for name in ("messages", "draft_messages"):
        sizes[f"recent_{name}"] = sum(row["created"] >= since - LOOKBACK for row in world.expected(name))
    sizes["new_activities"] = sum(row["timestamp"] >= since - DAY for row in world.expected("activities"))
    sizes |= where_counted(world, "ever", "months", 0)
    sizes |= where_counted(world, "recent", "days", 0)
    return Account(sizes)


def changing(world: CustomerioWorld, window: int) -> dict[str, float]:
    """The sizes that depend on the start of a stream's window."""
    newsletters, campaigns = world.expected("newsletters"), world.expected("campaigns")
    return {
        "changing_newsletters": sum((row.get("sent_at") or 0) + HALF_A_YEAR >= window for row in newsletters),
        "is_behind": float(window < world.now - 90 * DAY),
        "running_campaigns": sum(row["state"] == "running" or row["updated"] + 2 * DAY >= window for row in campaigns),
        **where_counted(world, "active", "days", window - DAY),
    }


def where_counted(world: CustomerioWorld, since: str, resolution: str, window: int) -> dict[str, float]:
    """The numbers of parents with counts since the start of the window, and of their children."""
    sizes: dict[str, float] = {}
    first = datetime.fromtimestamp(max(window, 0), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    for family, parents in FAMILIES.items():
        for linked, stream in (("", f"{family}_metrics"), ("linked_", f"{family}_link_metrics")):
            rows = [row for row in world.expected(stream, resolution) if row["period_start"] >= first]
            ids = {row[f"{family}_id"] for row in rows}
            name = parents if family != "transactional" else family
            sizes[f"{since}_{linked}{name}"] = len(ids)
            if below := BELOW.get(family):
                sizes[f"{since}_{linked}{below[0]}"] = children(world.expected(parents), ids, below[1])
    return sizes


def children(rows: Iterable[JsonObject], ids: set[int], field: str) -> int:
    return sum(len(row.get(field) or []) for row in rows if row["id"] in ids)


def assert_as_computed(name: str, counts: Mapping[str, int], computed: float, account: Account) -> None:
    """The number is exact, except for additional pages of children: at most as many as all rows together would fill."""
    spare = account.rows(name) // PAGES[name] if name in PAGES else 0
    assert computed <= counts[name] <= computed + spare, name


@pytest.mark.parametrize("name", OTHERS)
def test_a_first_sync_makes_the_number_of_requests_in_the_formula(name: str, counted: tuple) -> None:
    counts, account, *_ = counted
    assert_as_computed(name, counts, COSTS[name].first(account), account)


@pytest.mark.parametrize("name", OTHERS)
def test_a_sync_on_the_next_day_makes_the_number_of_requests_in_the_formula(name: str, counted: tuple) -> None:
    _, _, counts, account, own = counted
    if name == "draft_messages":  # the window begins thirty days before the newest draft, of which there are few
        assert COSTS[name].daily(account) <= counts[name] <= COSTS[name].daily(account) + ceil(LOOKBACK / DAY / 7)
    else:
        assert_as_computed(name, counts, COSTS[name].daily(own.get(name, account)), account)


@pytest.mark.parametrize("family", FAMILIES)
def test_metrics_make_the_number_of_requests_in_the_formulas_together(family: str, counted: tuple) -> None:
    """A parent with counts is requested again for its own stream if a stream of its children was read first.

    The parents are also requested again for a stream whose newest row is older than the period of such a request, and
    for one that never had a row: it begins at the start date on every sync.
    """
    first, account, second, later, own = counted
    names = [name for name in COSTS if name.startswith(family) and name not in OTHERS]
    parents = FAMILIES[family] if family != "transactional" else family
    again = account.rows(f"recent_{parents}") + account.rows(f"ever_{parents}")
    behind = later.rows(FAMILIES[family]) if any(own[name].rows("is_behind") for name in names) else 0

    computed = sum(COSTS[name].first(account) for name in names)
    assert computed <= sum(first[name] for name in names) <= computed + again
    computed = sum(COSTS[name].daily(own[name]) for name in names)
    active = max(own[name].rows(f"active_{parents}") for name in names)
    assert computed <= sum(second[name] for name in names) <= computed + active + behind
