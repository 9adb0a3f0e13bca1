"""The endpoints of message content: actions, variants and test groups."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from sandbox.api.endpoints import Endpoint, Listing, Parents
from sandbox.api.present import Arguments
from sandbox.api.timeline import Record
from sandbox.api.tokens import Tokens
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.content import Content, branch_of


def content_endpoints(content: Content, each: Mapping[str, Parents], behaviour: Behaviour) -> list[Endpoint]:
    """Return the lists of actions, variants and test groups; `each` contains the parents by the name of their list."""

    def contained_in(kind: str, argument: str) -> Callable[[Arguments, datetime], list[Record]]:
        return lambda arguments, now: content.rows(kind, arguments[argument], now)

    def campaign_actions_of(arguments: Arguments, now: datetime) -> list[Record]:
        rows = content.rows("campaigns", arguments["campaign_id"], now)
        return [_with_branch(row) for row in rows] if behaviour.language_variants else rows

    return [
        Listing(
            path="/campaigns/{campaign_id}/actions",
            stream="campaign_actions",
            primary_key=("campaign_id", "id"),
            key="actions",
            records=campaign_actions_of,
            makes=_emitted_action,
            of=each["campaigns"],
            adds={"campaign_id": "campaign_id"},
            paging=Tokens("cac", default=10, largest=10, ignores_limit=True),
        ),
        Listing(
            path="/broadcasts/{broadcast_id}/actions",
            stream="broadcast_actions",
            primary_key=("broadcast_id", "id"),
            key="actions",
            records=contained_in("broadcasts", "broadcast_id"),
            makes=_emitted_action,
            of=each["broadcasts"],
            adds={"broadcast_id": "broadcast_id"},
            paging=Tokens("bac", default=10, largest=10, ignores_limit=True, bare_end=True),
        ),
        Listing(
            path="/newsletters/{newsletter_id}/contents",
            stream="newsletter_variants",
            primary_key=("newsletter_id", "id"),
            key="contents",
            records=contained_in("newsletters", "newsletter_id"),
            of=each["newsletters"],
            adds={"newsletter_id": "newsletter_id"},
            paging=None,
        ),
        Listing(
            path="/newsletters/{newsletter_id}/test_groups",
            stream="newsletter_test_groups",
            primary_key=("newsletter_id", "id"),
            key="test_groups",
            records=lambda arguments, now: content.test_groups(arguments["newsletter_id"], now),
            of=each["newsletters"],
            adds={"newsletter_id": "newsletter_id"},
            paging=None,
            null_if_empty=True,
        ),
        Listing(
            path="/transactional/{transactional_id}/contents",
            stream="transactional_variants",
            primary_key=("transactional_id", "id"),
            key="contents",
            records=contained_in("transactional", "transactional_id"),
            of=each["transactional"],
            adds={"transactional_id": "transactional_id"},
            paging=None,
        ),
    ]


def _with_branch(row: Record) -> Record:
    branch = branch_of(int(row["id"]))
    return row if branch is None else row | {"multi_language_branch_action_id": branch}


def _emitted_action(row: Record) -> list[Record]:
    """Return the row with an integer id, and without the parts of a webhook that can be credentials."""
    row = row | {"id": int(row["id"])}
    return [row | _without_credentials(row["id"]) if row["type"] == "webhook" else row]


def _without_credentials(identifier: int) -> Record:
    return {
        "url": f"https://collector.example.com/actions/{identifier}?token=***",
        "headers": json.dumps([{"name": "Authorization", "value": "***"}]),
    }
