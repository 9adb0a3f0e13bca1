"""The content of messages: actions of campaigns and broadcasts, variants of newsletters and transactional messages."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from random import Random

from sandbox.api.timeline import DAY, HOUR, Dated, Record, epoch, first_versions, visible
from sandbox.customerio.revisions import revisions

SENDERS_IN_USE = 12
"""The number of sender identities that send anything; two of them are hidden, and one is a phone number."""

_ACTION_TYPES = ("email", "email", "twilio", "webhook", "push")
LANGUAGES = ("", "fr", "de", "es", "ja", "pt-BR", "nl", "it", "da", "sv", "fi", "pl")


def campaign_actions(campaign: int) -> list[Record]:
    """The ids of a campaign's actions: three, but thirteen for every twentieth."""
    count = 13 if campaign % 20 == 0 else 3
    return [{"id": campaign * 100 + n, "type": _ACTION_TYPES[(campaign + n) % 5]} for n in range(count)]


def broadcast_actions(broadcast: int) -> list[Record]:
    """The ids of a broadcast's actions: one or two, but twelve for the fifth."""
    count = 12 if broadcast == 5 else 1 + broadcast % 2  # noqa: PLR2004 # any one
    return [{"id": 10_000 + broadcast * 100 + n, "type": "email"} for n in range(count)]


def branch_of(action: int) -> int | None:
    """Return the action that a campaign's action is a language variant of (the second and third are), or None."""
    return action - action % 100 if action % 100 in {1, 2} else None


class Content:
    """The children of all senders of messages, by the parent's list and id."""

    def __init__(self, random: Random, start: int, parents: Mapping[str, list[Dated]]) -> None:
        """Generate the children of `campaigns`, `broadcasts`, `newsletters`, and `transactional`.

        Children change more often than their parent, whose `updated` does not reflect it.
        """
        self._random = random
        self._start = start
        self._parents = parents
        self._tables: dict[str, dict[int, list[Dated]]] = {
            kind: {
                parent.record["id"]: self._table(make(parent.record), epoch(parent.since))
                for parent in first_versions(parents[kind])
            }
            for kind, make in _MAKERS.items()
        }

    def rows(self, kind: str, parent: int, now: datetime) -> list[Record]:
        """Return the children of a parent."""
        return visible(self._tables[kind][parent], now)

    def senders(self, kind: str, parent: int, now: datetime) -> set[int]:
        """Return the ids of the sender identities that a parent's children use."""
        return {row["from_id"] for row in self.rows(kind, parent, now) if "from_id" in row}

    def test_groups(self, newsletter: int, now: datetime) -> list[Record]:
        """Return the test groups of a newsletter."""
        return _test_groups(next(row for row in visible(self._parents["newsletters"], now) if row["id"] == newsletter))

    def _table(self, rows: Iterator[Record], created: int) -> list[Dated]:
        return [version for row in rows for version in self._versions(row | {"created": created}, created)]

    def _versions(self, row: Record, created: int) -> list[Dated]:
        updates = [created + self._random.randrange(HOUR, 30 * DAY)] if created < self._start - 30 * DAY else []
        if self._random.random() < 1 / 5:
            updates.append(max(created, self._start) + self._random.randrange(HOUR, 4 * DAY))
        return revisions(row, created, updates, "updated", "name")


def _campaign_actions(campaign: Record) -> Iterator[Record]:
    """Action ids are strings here, but integers in the campaign itself."""
    for number, action in enumerate(campaign["actions"]):
        row = _MESSAGES.get(action["type"], _email)(action["id"], f"Step {number + 1}")
        row |= {"id": str(action["id"]), "type": action["type"], "campaign_id": campaign["id"]}
        yield row | {"sending_state": ("automatic", "draft", "off")[number % 3], "deduplicate_id": ""}


def _broadcast_actions(broadcast: Record) -> Iterator[Record]:
    """One row per language; the row does not contain the broadcast's id."""
    for action, language in zip(broadcast["actions"], LANGUAGES, strict=False):
        row = _email(action["id"], f"Announcement {language}") | {"id": str(action["id"]), "language": language}
        yield row | {"sending_state": "automatic", "deduplicate_id": ""}


def _is_tested(newsletter: Record) -> bool:
    return bool(newsletter["id"] % 4 == 0)


def _newsletter_variants(newsletter: Record) -> Iterator[Record]:
    for group, content in enumerate(newsletter["content_ids"]):
        row = _email(content, f"Variant {content}") | {"newsletter_id": newsletter["id"], "deduplicate_id": ""}
        row |= {"cc": "", "body_plain": f"Issue {newsletter['id']}"}
        yield row | ({"test_group_id": group} if _is_tested(newsletter) else {"language": LANGUAGES[group]})


def _test_groups(newsletter: Record) -> list[Record]:
    if not _is_tested(newsletter):
        return []
    return [
        {
            "id": group,
            "name": "AB"[group],
            "label": f"test {group + 1}",
            "winner": "sent_at" in newsletter and group == 1,
            "content_ids": [content],
        }
        for group, content in enumerate(newsletter["content_ids"])
    ]


def _transactional_variants(message: Record) -> Iterator[Record]:
    """One row per language; the row does not contain the message's id."""
    for number, language in enumerate(LANGUAGES[: 1 + message["id"] % 3]):
        yield _email(message["id"] * 10 + number, message["name"]) | {"language": language}


def _email(identifier: int, name: str) -> Record:
    sender = identifier % SENDERS_IN_USE + 1
    return {
        "id": identifier,
        "name": name,
        "layout": "<html><body>{{ content }}</body></html>",
        "body": f"<p>Content {identifier}</p>",
        "body_amp": "",
        "language": "",
        "type": "email",
        "from": f"desk-{sender}@example.com",
        "from_id": sender,
        "reply_to": "",
        "reply_to_id": 1 if identifier % 3 == 0 else None,
        "preprocessor": "premailer",
        "recipient": "{{customer.email}}",
        "subject": f"News {identifier}",
        "bcc": "",
        "fake_bcc": False,
        "preheader_text": "",
        "headers": json.dumps([{"name": "X-Mailgun-Tag", "value": f"tag-{identifier}"}] if identifier % 2 else []),
    }


def _text_message(identifier: int, name: str) -> Record:
    return {
        "name": name,
        "layout": "",
        "body": f"Content {identifier}",
        "language": "",
        "image_url": "",
        "recipient": "{{customer.phone}}",
        "parent_action_id": identifier - 1,
    }


def _webhook(identifier: int, name: str) -> Record:
    return {
        "name": name,
        "layout": "",
        "body": json.dumps({"person": "{{customer.id}}", "action": identifier}),
        "url": f"https://relay:relay-password@collector.example.com/actions/{identifier}?token=relay-token",
        "headers": json.dumps([{"name": "Authorization", "value": "relay-token"}]),
        "method": "post",
    }


_MESSAGES: dict[str, Callable[[int, str], Record]] = {"twilio": _text_message, "webhook": _webhook}
_MAKERS: dict[str, Callable[[Record], Iterator[Record]]] = {
    "campaigns": _campaign_actions,
    "broadcasts": _broadcast_actions,
    "newsletters": _newsletter_variants,
    "transactional": _transactional_variants,
}
