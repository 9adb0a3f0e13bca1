"""The configuration of the simulated workspace: campaigns, newsletters, segments and so on."""

import json
from collections.abc import Callable
from random import Random

from sandbox.api.timeline import DAY, HOUR, Dated, Record, at
from sandbox.customerio.content import broadcast_actions, campaign_actions
from sandbox.customerio.revisions import revisions

_CAMPAIGN_KINDS: tuple[Record, ...] = (
    {"type": "segment", "trigger_segment_ids": [1, 4]},
    {"type": "event", "event_name": "purchase"},
    {"type": "form"},
    {
        "type": "date",
        "frequency": "yearly",
        "date_attribute": "birthday",
        "timezone": "Europe/Vienna",
        "use_customer_timezone": True,
        "start_hour": 9,
        "start_minutes": 30,
    },
    {
        "type": "relationship",
        "object_type_id": 1,
        "filter_object_attributes": json.dumps({"and": [{"field": "size", "operator": "exists"}]}),
        "audience": {"type": 0, "person_filters": {}, "relationship_filters": {}},
        "relationship_attribute_triggers": {"role": "owner"},
    },
    {"type": "object", "object_type_id": 2, "audience": {"type": 1}, "object_attribute_triggers": {"state": "open"}},
    {"type": "webhook", "webhook_id": 7},
    {"type": "seg_attr", "trigger_segment_ids": [2]},  # observed, although no list of types contains it
)
_SCHEDULE: Record = {
    "scheduled_start": 0,
    "scheduled_start_should_backfill": False,
    "scheduled_stop": 0,
    "scheduled_stop_should_sunset": False,
}
_CONDITIONS: tuple[Record, ...] = (
    {"and": [{"event": {"name": "purchase", "filters": {}}}]},
    {"or": [{"attribute": {"field": "plan", "operator": "eq", "value": "team"}}, {"not": {"segment": {"id": 1}}}]},
)


class Configuration:
    """Every list of the workspace's configuration, by the name of its stream."""

    def __init__(self, random: Random, start: int, scale: float) -> None:
        """Generate the configuration at `start` (epoch seconds) and its changes in the four days after."""
        self._random = random
        self._start = start
        self._scale = scale
        self.tables: dict[str, list[Dated]] = {
            "campaigns": self._table(40, self._campaign),
            "broadcasts": self._table(12, self._broadcast),
            "newsletters": self._table(240, self._newsletter),
            "segments": self._table(30, self._segment, "updated_at"),
            "transactional_messages": self._table(15, self._transactional, "updated_at"),
            "exports": self._table(9, self._export, "updated_at", "description"),
            "collections": self._table(5, self._collection, "updated_at"),
            "snippets": self._table(12, self._snippet, "updated_at", "value"),
            "topics": self._fixed(4, self._topic),
            "types": self._fixed(3, self._object_type),
            "reporting_webhooks": self._fixed(3, self._reporting_webhook),
        }
        self.ip_addresses = [f"192.0.2.{number}" for number in range(1, 9)]

    def _table(
        self, count: int, make: Callable[[int, int], Record], stamp: str = "updated", label: str = "name"
    ) -> list[Dated]:
        """`count` rows made by `make(number, created)`, plus some that are added, changed or deleted later."""
        size = max(count if count < 100 else int(count * self._scale), 1)  # noqa: PLR2004 # only long lists grow
        rows: list[Dated] = []
        for number in range(1, size + 1 + max(size // 20, 1)):
            created = self._moment_after() if number > size else self._moment_before(400)
            updates = [min(created + self._random.randrange(60 * DAY), self._start - 1)] if number <= size else []
            if number % 7 == 0:
                updates.append(max(self._moment_after(), created + 1))
            record = make(number, created)
            vanishes = self._moment_after() if number % 11 == 0 else None
            rows += revisions(record, created, updates, stamp, label, vanishes)
        return rows

    @staticmethod
    def _fixed(count: int, make: Callable[[int], Record]) -> list[Dated]:
        return [Dated(make(number), at(0)) for number in range(1, count + 1)]

    def _moment_before(self, days: int) -> int:
        return self._start - self._random.randrange(HOUR, days * DAY)

    def _moment_after(self) -> int:
        return self._start + self._random.randrange(HOUR, 4 * DAY)

    def _tags(self, number: int) -> list[str] | None:
        return None if number % 3 == 0 else ["sample", f"team {number % 5}"]

    def _campaign(self, number: int, created: int) -> Record:
        return {
            "id": number,
            "deduplicate_id": "",
            "name": f"Campaign {number}",
            "description": "",
            **_CAMPAIGN_KINDS[number % len(_CAMPAIGN_KINDS)],
            "created": created,
            "active": number % 4 != 0,
            "state": ("draft", "running", "stopped")[number % 3],
            "actions": campaign_actions(number),
            "first_started": 0 if number % 3 == 0 else created + HOUR,
            "tags": self._tags(number),
            "filter_segment_ids": [3],
            **_SCHEDULE,
        }

    def _broadcast(self, number: int, created: int) -> Record:
        return {
            "id": number,
            "deduplicate_id": "",
            "name": f"Broadcast {number}",
            "description": "Sent through the API",
            "type": "triggered_broadcast",
            "created": created,
            "active": True,
            "state": "running",
            "actions": broadcast_actions(number),
            "first_started": created + HOUR,
            "tags": self._tags(number),
            **_SCHEDULE,
        }

    def _newsletter(self, number: int, created: int) -> Record:
        row: Record = {
            "id": number,
            "deduplicate_id": "",
            "name": f"Newsletter {number}",
            "content_ids": [number * 2, number * 2 + 1],
            "created": created,
            "type": "email",
            "tags": self._tags(number),
            "recipient_segment_ids": [number % 7 + 1],
        }
        if number % 10 == 0:
            return row
        is_sent_again = number % 3 == 0
        return row | {"sent_at": max(created, self._start - 40 * DAY if is_sent_again else 0) + DAY}

    def _segment(self, number: int, created: int) -> Record:
        row: Record = {
            "id": number,
            "deduplicate_id": "",
            "name": f"Segment {number}",
            "description": "People who matter",
            "state": "finished",
            "progress": None,
            "type": "manual" if number % 5 == 0 else "dynamic",
            "tags": self._tags(number),
            "created_at": created,
        }
        return row if number % 5 == 0 else row | {"conditions": _CONDITIONS[number % len(_CONDITIONS)]}

    @staticmethod
    def _transactional(number: int, created: int) -> Record:
        return {
            "id": number,
            "name": f"Receipt {number}",
            "description": "",
            "send_to_unsubscribed": True,
            "link_tracking": False,
            "open_tracking": number % 2 == 0,
            "hide_message_body": False,
            "queue_drafts": False,
            "created_at": created,
        }

    @staticmethod
    def _export(number: int, created: int) -> Record:
        return {
            "id": number,
            "deduplicate_id": "",
            "type": ("customers", "deliveries")[number % 2],
            "status": "done",
            "failed": False,
            "total": number * 1000,
            "downloads": 1,
            "description": f"Export {number}",
            "user_id": 1,
            "user_email": "analyst@example.com",
            "created_at": created,
        }

    @staticmethod
    def _collection(number: int, created: int) -> Record:
        return {
            "id": number,
            "name": f"Collection {number}",
            "schema": ["sku", "price"],
            "rows": number * 10,
            "bytes": number * 1234,
            "created_at": created,
        }

    @staticmethod
    def _snippet(number: int, created: int) -> Record:  # noqa: ARG004 # a snippet has no creation time
        return {"name": f"Snippet {number}", "value": f"<p>Part {number}</p>"}

    @staticmethod
    def _topic(number: int) -> Record:
        return {
            "id": number,
            "identifier": f"topic_{number}",
            "name": f"Topic {number}",
            "description": "",
            "subscribed_by_default": number % 2 == 0,
        }

    @staticmethod
    def _object_type(number: int) -> Record:
        name = ("Company", "Course", "Account")[number - 1]
        row: Record = {
            "id": str(number),
            "name": f"{name}s",
            "singular_name": name,
            "slug": f"{name.lower()}s",
            "singular_slug": name.lower(),
            "enabled": number > 1,
        }
        return row | {"icon": "building"} if number == 1 else row

    @staticmethod
    def _reporting_webhook(number: int) -> Record:
        return {
            "id": number,
            "name": f"Webhook {number}",
            "type": "webhook",
            "endpoint": (
                "https://collector.example.com/cio",
                "https://relay:relay-password@collector.example.com/cio",
                "https://collector.example.com/cio?team=data&token=collector-token",
            )[number - 1],
            "events": ["email_sent", "email_opened"],
            "disabled": False,
            "full_resolution": number == 1,
            "with_content": False,
        }
