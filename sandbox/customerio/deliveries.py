"""The deliveries (messages) of the simulated workspace."""

import base64
from dataclasses import dataclass
from random import Random

from sandbox.api.timeline import DAY, HOUR, MINUTE, Record
from sandbox.customerio.content import broadcast_actions, campaign_actions
from sandbox.customerio.people import Person

_TYPES = ("email", "push", "twilio", "in_app", "webhook")
_ADDRESSES = {"email": "reader-{}@example.com", "push": "device-{}-0", "twilio": "+1555{:07d}"}


@dataclass(frozen=True)
class Delivery:
    """The complete history of a delivery; `at` returns the API's row."""

    number: int
    created: int
    kind: str
    person: Person | None
    """None for a person whose data was erased."""
    origin: Record
    """The sender: the ids of a campaign and its action, a newsletter, a broadcast, or a transactional message."""
    metrics: dict[str, int]
    """The times at which metrics are recorded, including future ones."""
    failure: str | None

    @property
    def delivery_id(self) -> str:
        """An opaque string, as the API's are."""
        return base64.urlsafe_b64encode(
            b"dl" + self.number.to_bytes(7, "big") + self.created.to_bytes(5, "big")
        ).decode()

    def at(self, now: int) -> Record:
        """The delivery as `GET /v1/messages` returns it."""
        metrics = {name: moment for name, moment in self.metrics.items() if moment <= now}
        identifiers = self.person.identifiers if self.person else None
        template = _ADDRESSES.get(self.kind)
        row: Record = {
            "id": self.delivery_id,
            "deduplicate_id": f"{self.delivery_id}:{max(metrics.values(), default=self.created)}",
            "created": self.created,
            "type": self.kind,
            "recipient": template.format(self.person.number) if template and self.person else None,
            "subject": f"News, issue {self.number % 97}" if self.kind == "email" else None,
            "customer_id": identifiers["id"] if identifiers else None,
            "customer_identifiers": identifiers,
            "metrics": metrics,
            "failure_message": self.failure,
            "campaign_id": None,
            "action_id": None,
            "parent_action_id": None,
            "newsletter_id": None,
            "content_id": None,
            "broadcast_id": None,
            "msg_template_id": 100 + self.number % 60,
            "trigger_event_id": f"01J{self.number:023d}" if self.number % 5 == 0 else None,
            "forgotten": self.person is None,
        }
        if "clicked" in metrics and self.number % 3 == 0:
            row["tracked_responses"] = {"yes": {"id": 1, "ts": metrics["clicked"]}}
        return row | self.origin


def generate_deliveries(
    random: Random, start: int, count: int, people: list[Person], newsletters: int
) -> list[Delivery]:
    """Deliveries, oldest first: `count` in the eight months before `start`, and as many per day in four days after."""
    moments = _moments(random, start, count)
    return [_delivery(random, number, moment, people, newsletters) for number, moment in enumerate(moments)]


def generate_later_deliveries(
    random: Random, start: int, count: int, people: list[Person], newsletters: int
) -> list[Delivery]:
    """Deliveries of ten more days, oldest first, at the rate of `count` in eight months."""
    first, last = start + 4 * DAY, start + 14 * DAY
    moments = sorted(random.randrange(first, last) for _ in range(max(count * 10 // 240, 1)))
    return [_delivery(random, 2_000_000 + n, moment, people, newsletters) for n, moment in enumerate(moments)]


def _delivery(random: Random, number: int, moment: int, people: list[Person], newsletters: int) -> Delivery:
    return Delivery(
        number=number,
        created=moment,
        kind=(kind := random.choices(_TYPES, (70, 12, 6, 8, 4))[0]),
        person=random.choice(people) if random.random() > 1 / 200 else None,
        origin=_origin(random, newsletters),
        metrics=(metrics := _metrics(random, moment, kind)),
        failure="mailbox unavailable" if "bounced" in metrics else None,
    )


def generate_drafts(random: Random, start: int, count: int, people: list[Person]) -> list[Delivery]:
    """Campaign e-mails that wait to be sent manually, over the same time as `generate_deliveries`."""
    return [
        Delivery(
            number=1_000_000 + number,
            created=moment,
            kind="email",
            person=random.choice(people),
            origin=_campaign_action(random),
            metrics={"created": moment, "drafted": moment + random.randrange(1, MINUTE)},
            failure=None,
        )
        for number, moment in enumerate(_moments(random, start, count))
    ]


def _moments(random: Random, start: int, count: int) -> list[int]:
    total = count + max(count * 4 // 240, 1)
    return sorted(random.randrange(start - 240 * DAY, start + 4 * DAY) for _ in range(total))


def _campaign_action(random: Random) -> Record:
    campaign = random.randrange(1, 41)
    return {"campaign_id": campaign, "action_id": random.choice(campaign_actions(campaign))["id"]}


def _origin(random: Random, newsletters: int) -> Record:
    sent_by = random.choices(("campaign", "newsletter", "broadcast", "transactional"), (50, 35, 5, 10))[0]
    if sent_by == "campaign":
        return _campaign_action(random)
    if sent_by == "newsletter":
        newsletter = random.randrange(1, newsletters + 1)
        return {"newsletter_id": newsletter, "content_id": newsletter * 2}
    if sent_by == "broadcast":
        broadcast = random.randrange(1, 13)
        return {"broadcast_id": broadcast, "action_id": random.choice(broadcast_actions(broadcast))["id"]}
    return {"transactional_message_id": random.randrange(1, 16)}


def _metrics(random: Random, created: int, kind: str) -> dict[str, int]:
    metrics = {"created": created, "attempted": created + 1, "sent": created + random.randrange(2, MINUTE)}
    if random.random() < 1 / 40:
        metrics["bounced"] = metrics["sent"] + random.randrange(HOUR)
        return metrics
    metrics["delivered"] = metrics["sent"] + random.randrange(1, HOUR)
    if kind == "email" and random.random() < 2 / 5:
        opened = metrics["delivered"] + int(random.expovariate(1 / (2 * DAY)))
        metrics |= {"opened": opened, "human_opened" if random.random() < 2 / 3 else "prefetch_opened": opened}
        if random.random() < 1 / 3:
            link = random.randrange(1, 4)
            clicked = opened + random.randrange(HOUR)
            metrics |= {
                "clicked": clicked,
                "human_clicked": clicked,
                f"link:{link}": clicked,
                f"human_link:{link}": clicked,
            }
    if random.random() < 1 / 20:
        metrics["converted"] = metrics["delivered"] + random.randrange(14 * DAY)
    return metrics
