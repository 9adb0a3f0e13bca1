"""The number of requests per stream, for an account of a given size.

In addition to the numbers of rows of streams, the formulas use the sizes of: `customers_search` (all people),
`new_activities` (since a day before the last sync), `recent_messages` and `recent_draft_messages` (created within the
lookback), `sending_domains`, `actions_of_campaigns` and so on (`actions` of all campaigns or broadcasts, `content_ids`
of all newsletters), `sent_newsletters`, `changing_newsletters` (sent within half a year before the lookback), and
`running_campaigns` (including those changed within the lookback).

Metrics also depend on where anything was counted: `active_newsletters` within the lookback, `recent_newsletters` within
the days that a first sync reads, and `ever_newsletters`; `…_linked_newsletter_variants` are those of newsletters with
clicked links. If such a size is unknown, the formulas assume all that exist, or none for `active_…`. A parent that
counted anything may be requested twice: for its own stream, and before that for a stream within it.
"""

import math
from collections.abc import Mapping

from cdp_connectors.costs import Account, Cost, Count, Formula, StreamCost, always
from cdp_connectors.source import ManifestSource

REQUESTS_PER_MINUTE = 600
_WEEK = 7
_LOOKBACK_DAYS = 30
_PATIENCE = 10  # pages of activities that are older than needed


def _one(_: Account) -> float:
    return 1


def _pages(name: str, size: int) -> Formula:
    return lambda account: account.pages(name, size)


def _below(parents: Formula, name: str) -> Formula:
    """The list of the parents, and one request per parent."""
    return lambda account: parents(account) + account.rows(name)


def _deliveries(name: str) -> Cost:
    def windows(days: float, rows: float) -> float:
        weeks = math.ceil(days / _WEEK)
        return max(weeks, math.ceil(rows / 1000))

    return Cost(
        lambda account: windows(account.days, account.rows(name)),
        lambda account: windows(_LOOKBACK_DAYS + 1, account.rows(f"recent_{name}")),
    )


def _folders(rows: str, folders: str) -> Formula:
    """The lists of rows and of folders, each read at the root and in every folder."""
    return lambda account: account.pages(rows, 1000) + account.pages(folders, 1000) + 2 * account.rows(folders)


def _metrics(parents: Formula, kind: str, below: str, *, by_months: bool = True) -> Cost:
    """Metrics that are requested only if the metrics that contain them counted anything.

    The containing metrics are not included: the streams of a family request them once, whichever of them are read.
    """

    def first(account: Account) -> float:
        everything = account.rows(below)
        recent, ever = (account.sizes.get(f"{since}_{kind}", everything) for since in ("recent", "ever"))
        return parents(account) + recent + (ever if by_months else 0)

    return Cost(first, lambda account: parents(account) + account.rows(f"active_{kind}"))


# The last page of these lists is followed by an empty one. Senders are two lists: visible and hidden ones.
_NEWSLETTERS: Formula = lambda account: 1 + account.pages("newsletters", 100)  # noqa: E731 # as in the table below
_SENDERS: Formula = lambda account: 3 + account.pages("sender_identities", 100)  # noqa: E731 # as in the table below
_PEOPLE = _pages("customers_search", 1000)
_OBJECTS: Formula = lambda account: 1 + max(account.rows("types"), math.ceil(account.rows("objects") / 100))  # noqa: E731 # as in the table below
_TRIGGERS = _below(_one, "broadcasts")

COSTS: Mapping[str, Cost] = {
    **dict.fromkeys(
        [
            *("workspaces", "ip_addresses", "reporting_webhooks", "exports", "segments", "campaigns", "broadcasts"),
            *("transactional_messages", "topics", "subscription_channels", "snippets", "collections", "types"),
            "collection_sources",
        ],
        always(_one),
    ),
    "customers": always(lambda account: _PEOPLE(account) + math.ceil(account.rows("customers_search") / 100)),
    "activities": Cost(
        _pages("activities", 100),
        lambda account: min(account.pages("activities", 100), account.pages("new_activities", 100) + _PATIENCE),
    ),
    "optouts": always(_pages("optouts", 1000)),
    "eps_suppression": always(
        lambda account: (
            _SENDERS(account)
            + max(4 * (1 + account.rows("sending_domains")), math.ceil(account.rows("eps_suppression") / 1000))
        )
    ),
    "messages": _deliveries("messages"),
    "draft_messages": _deliveries("draft_messages"),
    "segment_memberships": always(
        lambda account: 1 + max(account.rows("segments"), math.ceil(account.rows("segment_memberships") / 30_000))
    ),
    "segment_counts": always(_below(_one, "segments")),
    "segment_usage": always(_below(_one, "segments")),
    "campaign_actions": always(
        lambda account: 1 + max(account.rows("campaigns"), math.ceil(account.rows("campaign_actions") / 10))
    ),
    "broadcast_actions": always(
        lambda account: 1 + max(account.rows("broadcasts"), math.ceil(account.rows("broadcast_actions") / 10))
    ),
    "broadcast_triggers": always(_TRIGGERS),
    "broadcast_trigger_errors": always(_below(_TRIGGERS, "broadcast_triggers")),
    "newsletters": always(_NEWSLETTERS),
    "newsletter_variants": always(_below(_NEWSLETTERS, "newsletters")),
    "newsletter_test_groups": always(_below(_NEWSLETTERS, "newsletters")),
    "transactional_variants": always(_below(_one, "transactional_messages")),
    "sender_identities": always(_SENDERS),
    "sender_usage": always(_below(_SENDERS, "sender_identities")),
    "design_studio_emails": always(_folders("design_studio_emails", "design_studio_folders")),
    "design_studio_folders": always(_folders("design_studio_folders", "design_studio_folders")),
    "design_studio_components": always(_folders("design_studio_components", "design_studio_folders")),
    "assets": always(_folders("assets", "asset_folders")),
    "asset_folders": always(_folders("asset_folders", "asset_folders")),
    "collection_contents": always(_below(_one, "collections")),
    "collection_syncs": always(_below(_one, "collections")),
    "collection_sync_rejects": always(_below(_one, "collections")),
    "objects": always(_OBJECTS),
    "object_attributes": always(_below(_OBJECTS, "objects")),
    "object_relationships": always(_below(_OBJECTS, "objects")),
    **dict.fromkeys(
        ["person_segments", "person_relationships", "person_subscription_preferences", "person_optouts"],
        always(_below(_PEOPLE, "customers_search")),
    ),
    "campaign_metrics": always(_below(_one, "campaigns")),
    "campaign_journey_metrics": Cost(
        _below(_one, "campaigns"),
        lambda account: 1 + account.sizes.get("running_campaigns", account.rows("campaigns")),
    ),
    "campaign_action_metrics": _metrics(_one, "campaign_actions", "actions_of_campaigns", by_months=False),
    "campaign_link_metrics": Cost(  # the months of the campaigns are requested for their links only
        lambda account: account.rows("campaigns") + _metrics(_one, "campaigns", "campaigns").first(account),
        _metrics(_one, "campaigns", "campaigns").daily,
    ),
    "campaign_action_link_metrics": _metrics(_one, "linked_campaign_actions", "actions_of_campaigns"),
    "broadcast_metrics": Cost(lambda account: 1 + 2 * account.rows("broadcasts"), _below(_one, "broadcasts")),
    "broadcast_link_metrics": _metrics(_one, "broadcasts", "broadcasts"),
    "broadcast_action_metrics": _metrics(_one, "broadcast_actions", "actions_of_broadcasts"),
    "broadcast_action_link_metrics": _metrics(_one, "linked_broadcast_actions", "actions_of_broadcasts"),
    "newsletter_metrics": Cost(
        lambda account: _NEWSLETTERS(account) + 2 * account.rows("sent_newsletters"),
        _below(_NEWSLETTERS, "changing_newsletters"),
    ),
    "newsletter_link_metrics": _metrics(_NEWSLETTERS, "newsletters", "sent_newsletters"),
    "newsletter_variant_metrics": _metrics(_NEWSLETTERS, "newsletter_variants", "variants_of_newsletters"),
    "newsletter_variant_link_metrics": _metrics(_NEWSLETTERS, "linked_newsletter_variants", "variants_of_newsletters"),
    "transactional_metrics": Cost(
        lambda account: 1 + 2 * account.rows("transactional_messages"), _below(_one, "transactional_messages")
    ),
    "transactional_link_metrics": _metrics(_one, "transactional", "transactional_messages"),
}
"""The cost of every stream; first syncs are upper bounds unless it is known where anything was counted."""

COUNTED: Mapping[str, Mapping[str, str]] = {
    "campaigns": {"actions": "actions_of_campaigns"},
    "broadcasts": {"actions": "actions_of_broadcasts"},
    "newsletters": {"content_ids": "variants_of_newsletters"},
    **{
        name: {}
        for name in (
            *("transactional_messages", "segments", "sender_identities", "collections", "types"),
            *("design_studio_folders", "asset_folders"),
        )
    },
}
"""The streams whose row counts determine the requests of others, and size names for the lists in their rows."""

_BY_VOLUME = {
    *("customers", "activities", "messages", "draft_messages", "optouts", "eps_suppression", "segment_memberships"),
    *("objects", "object_attributes", "object_relationships", "person_segments", "person_relationships"),
    *("person_subscription_preferences", "person_optouts"),
}


def account_costs(_source: ManifestSource, count: Count) -> dict[str, StreamCost]:
    """Return the cost of each stream, for the workspace whose lists `count` counts."""
    return stream_costs(count(COUNTED))


def stream_costs(rows: Mapping[str, int]) -> dict[str, StreamCost]:
    """Return the cost of each stream that does not depend on the number of people, objects or deliveries.

    The daily cost is that of a quiet day, on which nothing was sent, opened or clicked.

    Args:
        rows: the sizes of `COUNTED`.
    """
    account = Account({**rows, "sent_newsletters": rows.get("newsletters", 0)})
    return {
        name: StreamCost(round(cost.first(account)), round(cost.daily(account)), REQUESTS_PER_MINUTE)
        for name, cost in COSTS.items()
        if name not in _BY_VOLUME
    }
