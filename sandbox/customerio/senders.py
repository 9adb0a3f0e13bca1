"""The sender identities of the simulated workspace, and the addresses that its e-mail provider suppresses."""

from random import Random

from sandbox.customerio.history import DAY, Entry, Row, Table

SUPPRESSION_CATEGORIES = {
    "bounces": "bounces",
    "blocks": "blocks",
    "spam_reports": "spam",
    "invalid_emails": "invalid",
}
SENDING_DOMAINS = ("example.com", "example.org")
QUIET_DOMAIN = "quiet.example.com"
"""A domain that one hidden sender has, and for which nothing is suppressed."""

_REASONS = {
    "bounces": ("550", "mailbox unavailable"),
    "blocks": ("421", "temporarily blocked"),
    "spam_reports": ("", "marked as spam"),
    "invalid_emails": ("", "no such domain"),
}


def generate_senders(start: int) -> Table:
    """24 visible and 5 hidden senders, one of them a phone number; one more appears a day after `start`."""
    entries = []
    for number in range(1, 31):
        hidden = number % 6 == 0
        domain = QUIET_DOMAIN if number == 12 else SENDING_DOMAINS[number % 2]  # noqa: PLR2004 # any hidden one
        row: Row = {
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
        entries.append(Entry(start + DAY if number == 29 else 0, row))  # noqa: PLR2004 # any visible one
    return Table(entries)


def generate_suppressions(random: Random, start: int, count: int) -> dict[tuple[str, str], Table]:
    """The suppressed addresses by type and domain, ordered by address.

    `count` at `start`; in the four days after it, one in fifty is new and one in fifty is lifted. Most bounce.
    """
    kinds = random.choices(tuple(SUPPRESSION_CATEGORIES), (82, 10, 5, 3), k=count + count // 50)
    tables: dict[tuple[str, str], Table] = {
        (kind, domain): Table() for kind in SUPPRESSION_CATEGORIES for domain in SENDING_DOMAINS
    }
    for number, kind in enumerate(kinds):
        status, reason = _REASONS[kind]
        appears = start + random.randrange(4 * DAY) if number >= count else start - random.randrange(300 * DAY)
        vanishes = start + random.randrange(4 * DAY) if number < count and number % 50 == 0 else None
        row: Row = {"email": f"lost-{number:06d}@example.net", "reason": reason, "status": status, "created": appears}
        tables[kind, SENDING_DOMAINS[number % 3 == 0]].entries.append(Entry(appears, row, vanishes=vanishes))
    return tables
