"""The sender identities of the simulated workspace, and the addresses that its e-mail provider suppresses."""

from collections.abc import Mapping
from datetime import datetime
from random import Random

from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.errors import invalid
from sandbox.api.paging import Offsets
from sandbox.api.present import Arguments
from sandbox.api.timeline import DAY, FOREVER, Dated, Record, at, visible
from sandbox.api.tokens import Tokens
from sandbox.customerio.behaviour import Behaviour

SUPPRESSION_CATEGORIES = {
    "bounces": "bounces",
    "blocks": "blocks",
    "spam_reports": "spam",
    "invalid_emails": "invalid",
}
SENDING_DOMAINS = ("example.com", "example.org")
QUIET_DOMAIN = "quiet.example.com"
"""The domain of a hidden sender, for which nothing is suppressed."""

Suppressed = Mapping[tuple[str, str], list[Dated]]
"""The suppressed addresses by type and domain, ordered by address."""
_REASONS = {
    "bounces": ("550", "mailbox unavailable"),
    "blocks": ("421", "temporarily blocked"),
    "spam_reports": ("", "marked as spam"),
    "invalid_emails": ("", "no such domain"),
}


def generate_senders(start: int) -> list[Dated]:
    """24 visible and 5 hidden senders, one of them a phone number; one more appears a day after `start`."""
    senders = []
    for number in range(1, 31):
        hidden = number % 6 == 0
        domain = QUIET_DOMAIN if number == 12 else SENDING_DOMAINS[number % 2]  # noqa: PLR2004 # any hidden one
        row: Record = {
            "id": number,
            "deduplicate_id": f"{number}:{start - (40 - number) * DAY}",
            "name": f"Desk {number}",
            "email": f"desk-{number}@{domain.upper() if number == 5 else domain}",  # noqa: PLR2004 # any one
            "address": f"Desk {number} <desk-{number}@{domain}>",
            "template_type": "email",
            "auto_generated": number == 1,
            "hidden": hidden,
        }
        if number == 9:  # noqa: PLR2004 # any visible one
            row |= {"email": "", "address": "+15550100", "template_type": "phone"}
        senders.append(Dated(row, at(start + DAY if number == 29 else 0)))  # noqa: PLR2004 # any visible one
    return senders


def generate_suppressions(random: Random, start: int, count: int) -> Suppressed:
    """Suppress addresses.

    `count` at `start`; in the four days after it, one in fifty is added and one in fifty is lifted. Most are bounces.
    """
    kinds = random.choices(tuple(SUPPRESSION_CATEGORIES), (82, 10, 5, 3), k=count + count // 50)
    tables: dict[tuple[str, str], list[Dated]] = {
        (kind, domain): [] for kind in SUPPRESSION_CATEGORIES for domain in SENDING_DOMAINS
    }
    for number, kind in enumerate(kinds):
        status, reason = _REASONS[kind]
        appears = start + random.randrange(4 * DAY) if number >= count else start - random.randrange(300 * DAY)
        vanishes = at(start + random.randrange(4 * DAY)) if number < count and number % 50 == 0 else FOREVER
        row: Record = {
            "email": f"lost-{number:06d}@example.net",
            "reason": reason,
            "status": status,
            "created": appears,
        }
        tables[kind, SENDING_DOMAINS[number % 3 == 0]].append(Dated(row, at(appears), vanishes))
    return tables


def sender_endpoints(senders: list[Dated], suppressed: Suppressed, behaviour: Behaviour) -> list[Endpoint]:
    """Return the lists of senders and of suppressed addresses."""

    def listed(arguments: Arguments, now: datetime) -> list[Record]:
        hidden = arguments.get("hidden") == "true"
        rows = [sender for sender in visible(senders, now) if sender["hidden"] == hidden]
        return [_with_phone(row) for row in rows] if behaviour.fields_of_2026 else rows

    def suppressions(arguments: Arguments, now: datetime) -> list[Record]:
        rows = [
            row
            for (kind, domain), addresses in suppressed.items()
            if kind == arguments["kind"] and arguments.get("domain") in {None, "", domain}
            for row in visible(addresses, now)
        ]
        return sorted(rows, key=lambda row: str(row["email"]))

    def categorized(arguments: Arguments, _: datetime, data: Record) -> Record:
        category = SUPPRESSION_CATEGORIES[arguments["kind"]]
        return {"category": category, **data} if data["suppressions"] else {"suppressions": None}

    return [
        Listing(
            path="/sender_identities",
            stream="sender_identities",
            key="sender_identities",
            records=listed,
            of=lambda _: [{"hidden": "false"}, {"hidden": "true"}],
            paging=Tokens("snd", default=50, largest=100, ends_empty=True),
        ),
        Listing(
            path="/esp/suppression/{kind}",
            stream="eps_suppression",
            primary_key=("suppression_type", "domain", "email"),
            key="suppressions",
            records=suppressions,
            of=lambda _: [{"kind": kind, "domain": domain} for kind in _REASONS for domain in ("", *SENDING_DOMAINS)],
            resolve=_of_known_type,
            adds={"suppression_type": "kind", "domain": "domain"},
            envelope=categorized,
            paging=Offsets(default=100, largest=1000),
        ),
    ]


def _with_phone(sender: Record) -> Record:
    return sender | {"phone": sender["address"] if sender["template_type"] == "phone" else ""}


def _of_known_type(arguments: Arguments) -> Arguments:
    if arguments["kind"] not in SUPPRESSION_CATEGORIES:
        raise invalid(f"unknown suppression type {arguments['kind']}")
    return arguments
