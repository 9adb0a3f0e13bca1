"""The subscriptions of actions destinations: which events trigger which action."""

from collections.abc import Iterator
from itertools import count

from sandbox.api.timeline import Dated, Record, Seeded

_SCHEDULES: tuple[Record | None, ...] = (
    {"strategy": "PERIODIC", "config": {"interval": "3600s"}},
    {"strategy": "SPECIFIC_DAYS", "config": {"days": [1, 3, 5], "hours": [6, 18], "timezone": "Europe/Berlin"}},
    {"strategy": "CRON", "config": {"spec": "0 */4 * * *", "timezone": "UTC"}},
    {"strategy": "DBT_CLOUD", "config": {"jobId": "70403103", "accountId": "120001"}},
    {"strategy": "MANUAL"},
    {"strategy": "MANUAL", "config": None},
    None,
)


def subscriptions(chance: Seeded, destinations: list[Dated]) -> dict[str, list[Dated]]:
    """Generate up to five subscriptions for every actions destination, and none for the others.

    Some have a reverse ETL model, with each schedule strategy in turn.
    """
    numbers = count()
    generated = {}
    for destination in destinations:
        actions = destination.record["metadata"]["actions"]
        generated[destination.record["id"]] = [
            Dated(_subscription(chance, numbers, destination.record, actions), destination.since)
            for _ in range(chance.randrange(1, 6) if actions else 0)
        ]
    return generated


def _subscription(chance: Seeded, numbers: Iterator[int], destination: Record, actions: list[Record]) -> Record:
    action = chance.choice(actions)
    subscription: Record = {
        "id": chance.identifier(),
        "name": action["name"],
        "actionId": action["id"],
        "actionSlug": action["slug"],
        "destinationId": destination["id"],
        "enabled": chance.happens(0.9),
        "settings": {"userId": {"@path": "$.userId"}, "batch_size": 100},
        "trigger": action["defaultTrigger"] or 'type = "track"',
    }
    if chance.happens(0.3):
        schedule = _SCHEDULES[next(numbers) % len(_SCHEDULES)]
        subscription |= {"modelId": chance.identifier(), "reverseETLSchedule": schedule}
    elif chance.happens(0.3):
        subscription["modelId"] = None
    return subscription
