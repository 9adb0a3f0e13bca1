"""The triggers of broadcasts through the API, and the errors in the submitted data."""

from datetime import datetime
from random import Random

from sandbox.api.endpoints import Endpoint, Listing, Parents
from sandbox.api.present import Arguments
from sandbox.api.timeline import DAY, HOUR, MINUTE, Dated, Record, at, epoch, first_versions, versions, visible
from sandbox.api.tokens import Tokens


class Triggers:
    """The triggers of each broadcast, numbered from 1."""

    def __init__(self, random: Random, start: int, broadcasts: list[Dated]) -> None:
        """Generate up to three triggers per broadcast, and one more in the four days after `start`."""
        self._tables = {each.record["id"]: _triggers(random, start, each) for each in first_versions(broadcasts)}

    def endpoints(self, each_broadcast: Parents) -> list[Endpoint]:
        """Return the lists of triggers and of their errors; the latter's path is `campaigns` with a broadcast's id."""

        def each_trigger(now: datetime) -> list[Arguments]:
            return [
                {**broadcast, "trigger_id": trigger["id"]}
                for broadcast in each_broadcast(now)
                for trigger in visible(self._tables[broadcast["broadcast_id"]], now)
            ]

        return [
            Listing(
                path="/broadcasts/{broadcast_id}/triggers",
                stream="broadcast_triggers",
                primary_key=("broadcast_id", "id"),
                key="triggers",
                records=lambda arguments, now: visible(self._tables[arguments["broadcast_id"]], now),
                of=each_broadcast,
                adds={"broadcast_id": "broadcast_id"},
                paging=None,
                null_if_empty=True,
            ),
            Listing(
                path="/campaigns/{broadcast_id}/triggers/{trigger_id}/errors",
                stream="broadcast_trigger_errors",
                primary_key=("broadcast_id", "trigger_id", "index"),
                key="errors",
                records=lambda arguments, _: _errors(arguments["broadcast_id"], arguments["trigger_id"]),
                makes=lambda error: [{"error": error}],
                numbered_by="index",
                of=each_trigger,
                kind="broadcasts",
                adds={"broadcast_id": "broadcast_id", "trigger_id": "trigger_id"},
                paging=Tokens("err", default=50, largest=1000, clamps=True),
                null_if_empty=True,
            ),
        ]


def _errors(broadcast: int, trigger: int) -> list[str]:
    """Return the errors of a trigger: none for most, and 120 for the first trigger of the third broadcast."""
    count = 120 if (broadcast, trigger) == (3, 1) else (broadcast + trigger) % 3 * 2
    return [f"line {line}: could not find person" for line in range(1, count + 1)]


def _triggers(random: Random, start: int, broadcast: Dated) -> list[Dated]:
    begun = epoch(broadcast.since)
    count = broadcast.record["id"] % 4 if begun < start - DAY else 0
    moments = [random.randrange(begun + HOUR, start) for _ in range(count)]
    moments.append(max(begun, start) + random.randrange(HOUR, 4 * DAY))
    triggers = []
    for number, moment in enumerate(sorted(moments), 1):
        row: Record = {"id": number, "broadcast_id": broadcast.record["id"], "created_at": moment}
        processed = moment + random.randrange(1, 30 * MINUTE)
        triggers += versions(row, at(moment), [(at(processed), {"processed_at": processed})])
    return triggers
