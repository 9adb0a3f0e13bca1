"""What is sent: the actions of campaigns and broadcasts, and the variants of newsletters and transactional messages."""

import json
from collections.abc import Callable, Iterator, Mapping
from random import Random

from sandbox.customerio.history import DAY, HOUR, Entry, Row, Table, versioned
from sandbox.customerio.paging import Pages
from sandbox.customerio.resources import ChildList, Resource

SENDERS_IN_USE = 12
"""Only the first sender identities send anything; two of them are hidden, and one is a phone number."""

_CAMPAIGN_ACTION_PAGES = Pages[Row]("cac", default=10, maximum=10, ignores_limit=True)
_BROADCAST_ACTION_PAGES = Pages[Row]("bac", default=10, maximum=10, ignores_limit=True)
_ACTION_TYPES = ("email", "email", "twilio", "webhook", "push")
_LANGUAGES = ("", "fr", "de", "es", "ja", "pt-BR", "nl", "it", "da", "sv", "fi", "pl")


def campaign_actions(campaign: int) -> list[Row]:
    """The actions that a campaign names: three, but thirteen in every twentieth."""
    count = 13 if campaign % 20 == 0 else 3
    return [{"id": campaign * 100 + n, "type": _ACTION_TYPES[(campaign + n) % 5]} for n in range(count)]


def broadcast_actions(broadcast: int) -> list[Row]:
    """The actions that a broadcast names: one or two, but twelve in the fifth."""
    count = 12 if broadcast == 5 else 1 + broadcast % 2  # noqa: PLR2004 # any one
    return [{"id": 10_000 + broadcast * 100 + n, "type": "email"} for n in range(count)]


class Content:
    """The children of everything that sends, by the list that the parent is in and the parent's id."""

    def __init__(self, random: Random, start: int, parents: Mapping[str, Table]) -> None:
        """Generate what the `campaigns`, `broadcasts`, `newsletters`, and `transactional` contain.

        It changes more often than what contains it, and without a trace there.
        """
        self._random = random
        self._start = start
        self._tables: dict[str, dict[int, Table]] = {
            kind: {entry.row["id"]: self._table(make(entry.row), entry.appears) for entry in parents[kind].entries}
            for kind, make in _MAKERS.items()
        }

    def rows(self, kind: str, parent: int, now: int) -> list[Row]:
        """What a parent contains now."""
        return self._tables[kind][parent].at(now)

    def senders(self, kind: str, parent: int, now: int) -> set[int]:
        """The sender identities that send what a parent contains now."""
        return {row["from_id"] for row in self.rows(kind, parent, now) if "from_id" in row}

    def _table(self, rows: Iterator[Row], created: int) -> Table:
        return Table([self._entry(row | {"created": created}, created) for row in rows])

    def _entry(self, row: Row, created: int) -> Entry:
        updates = [created + self._random.randrange(HOUR, 30 * DAY)] if created < self._start - 30 * DAY else []
        if self._random.random() < 1 / 5:
            updates.append(max(created, self._start) + self._random.randrange(HOUR, 4 * DAY))
        return versioned(row, created, updates, "updated", "name")


def content_resources(content: Content, now: Callable[[], int]) -> list[Resource]:
    """The streams of actions and variants."""

    def contained_in(kind: str) -> Callable[[Row], list[Row]]:
        return lambda parent: content.rows(kind, parent["id"], now())

    return [
        ChildList(
            "campaign_actions",
            "campaigns/{campaign_id}/actions",
            "actions",
            contained_in("campaigns"),
            _CAMPAIGN_ACTION_PAGES,
            emitted=_emitted_action,
        ),
        ChildList(
            "broadcast_actions",
            "broadcasts/{broadcast_id}/actions",
            "actions",
            contained_in("broadcasts"),
            _BROADCAST_ACTION_PAGES,
            bare_end=True,
            emitted=_emitted_action,
        ),
        ChildList(
            "newsletter_variants", "newsletters/{newsletter_id}/contents", "contents", contained_in("newsletters")
        ),
        ChildList(
            "newsletter_test_groups",
            "newsletters/{newsletter_id}/test_groups",
            "test_groups",
            _test_groups,
            null_when_empty=True,
        ),
        ChildList(
            "transactional_variants",
            "transactional/{transactional_id}/contents",
            "contents",
            contained_in("transactional"),
        ),
    ]


def _emitted_action(row: Row) -> Row:
    """With an integer for an id, and without what can be a credential in a webhook."""
    row = row | {"id": int(row["id"])}
    return row | _without_credentials(row["id"]) if row["type"] == "webhook" else row


def _campaign_actions(campaign: Row) -> Iterator[Row]:
    """Actions have texts for ids here, although the campaign itself has integers."""
    for number, action in enumerate(campaign["actions"]):
        row = _MESSAGES.get(action["type"], _email)(action["id"], f"Step {number + 1}")
        row |= {"id": str(action["id"]), "type": action["type"], "campaign_id": campaign["id"]}
        yield row | {"sending_state": ("automatic", "draft", "off")[number % 3], "deduplicate_id": ""}


def _broadcast_actions(broadcast: Row) -> Iterator[Row]:
    """One row a language; nothing in it tells the broadcast."""
    for action, language in zip(broadcast["actions"], _LANGUAGES, strict=False):
        row = _email(action["id"], f"Announcement {language}") | {"id": str(action["id"]), "language": language}
        yield row | {"sending_state": "automatic", "deduplicate_id": ""}


def _is_tested(newsletter: Row) -> bool:
    return bool(newsletter["id"] % 4 == 0)


def _newsletter_variants(newsletter: Row) -> Iterator[Row]:
    for group, content in enumerate(newsletter["content_ids"]):
        row = _email(content, f"Variant {content}") | {"newsletter_id": newsletter["id"], "deduplicate_id": ""}
        row |= {"cc": "", "body_plain": f"Issue {newsletter['id']}"}
        yield row | ({"test_group_id": group} if _is_tested(newsletter) else {"language": _LANGUAGES[group]})


def _test_groups(newsletter: Row) -> list[Row]:
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


def _transactional_variants(message: Row) -> Iterator[Row]:
    """One row a language; nothing in it tells the message."""
    for number, language in enumerate(_LANGUAGES[: 1 + message["id"] % 3]):
        yield _email(message["id"] * 10 + number, message["name"]) | {"language": language}


def _email(identifier: int, name: str) -> Row:
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


def _text_message(identifier: int, name: str) -> Row:
    return {
        "name": name,
        "layout": "",
        "body": f"Content {identifier}",
        "language": "",
        "image_url": "",
        "recipient": "{{customer.phone}}",
        "parent_action_id": identifier - 1,
    }


def _webhook(identifier: int, name: str) -> Row:
    return {
        "name": name,
        "layout": "",
        "body": json.dumps({"person": "{{customer.id}}", "action": identifier}),
        "url": f"https://relay:relay-password@collector.example.com/actions/{identifier}?token=relay-token",
        "headers": json.dumps([{"name": "Authorization", "value": "relay-token"}]),
        "method": "post",
    }


def _without_credentials(identifier: int) -> Row:
    return {
        "url": f"https://collector.example.com/actions/{identifier}?token=***",
        "headers": json.dumps([{"name": "Authorization", "value": "***"}]),
    }


_MESSAGES: dict[str, Callable[[int, str], Row]] = {"twilio": _text_message, "webhook": _webhook}
_MAKERS: dict[str, Callable[[Row], Iterator[Row]]] = {
    "campaigns": _campaign_actions,
    "broadcasts": _broadcast_actions,
    "newsletters": _newsletter_variants,
    "transactional": _transactional_variants,
}
