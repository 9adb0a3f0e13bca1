"""Reverse ETL: models, and the syncs of the subscriptions that use them."""

from datetime import datetime, timedelta

from sandbox.api.cursors import Cursors
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, Seeded, timestamp, visible
from sandbox.segment.connections import Connections
from sandbox.segment.workspace import Workspace

_OUTCOMES = ("SUCCESS", "SUCCESS", "SUCCESS", "PARTIAL_SUCCESS", "FAIL")
_MOST_SYNCS = 230


class ReverseEtl:
    """A model for every subscription that uses one, and two unused models.

    Every such subscription syncs regularly; the first has had more syncs than fit on a page. A sync is in progress
    for up to forty minutes; one of the first subscription is in progress when the clock starts.
    """

    def __init__(self, workspace: Workspace, connections: Connections) -> None:
        self._chance = workspace.chance("reverse-etl")
        self._connections = connections
        self._workspace = workspace
        self._models: list[Dated] = []
        self._schedules: dict[str, tuple[datetime, timedelta]] = {}
        for destination in {dated.record["id"]: dated for dated in connections.destinations}.values():
            since = destination.since
            for subscription in connections.subscriptions_of(destination.record["id"], since):
                if subscription.get("modelId"):
                    model = self._model(subscription["modelId"], destination.record["sourceId"])
                    self._models.append(Dated(model, since))
                    self._schedules[subscription["id"]] = self._schedule(since)
        unused = [self._model(self._chance.identifier(), connections.sources[0].record["id"]) for _ in range(2)]
        self._models += [Dated(model, workspace.past(self._chance)) for model in unused]

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tag Reverse ETL."""
        return [
            Listing(
                path="/reverse-etl-models",
                stream="reverse_etl_models",
                key="models",
                records=lambda _, now: visible(self._models, now),
            ),
            Listing(
                path="/reverse-etl-models/{modelId}/subscriptionId/{subscriptionId}/syncs",
                stream="reverse_etl_syncs",
                primary_key=("modelId", "subscriptionId", "syncId"),
                key="syncStatuses",
                records=self._syncs,
                of=self._each_subscription,
                adds={"modelId": "modelId", "subscriptionId": "subscriptionId"},
                paging=Cursors(with_total=False, largest=100, default=10, flat=True, required=False),
            ),
        ]

    def _each_subscription(self, now: datetime) -> list[Arguments]:
        return [
            {
                "modelId": subscription["modelId"],
                "subscriptionId": subscription["id"],
                "destinationId": destination["id"],
            }
            for subscription, destination in self._connections.modelled(now)
        ]

    def _model(self, identifier: str, source_id: str) -> Record:
        number = len(self._models) + 1
        return {
            "id": identifier,
            "sourceId": source_id,
            "name": f"Model {number}",
            "description": "Customers of the shop" if number % 2 else "",
            "enabled": number % 5 != 0,
            "query": "select id, email from customers",
            "queryIdentifierColumn": "id",
        }

    def _schedule(self, since: datetime) -> tuple[datetime, timedelta]:
        every = timedelta(hours=self._chance.choice((6, 12, 24)))
        syncs, minutes = self._chance.randrange(2, 9), self._chance.randrange(60)
        if not self._schedules:
            syncs, minutes = self._workspace.scaled(_MOST_SYNCS), 5
        return max(since, self._workspace.origin - syncs * every - timedelta(minutes=minutes)), every

    def _syncs(self, arguments: Arguments, now: datetime) -> list[Record]:
        first, every = self._schedules[arguments["subscriptionId"]]
        model = next(model.record for model in self._models if model.record["id"] == arguments["modelId"])
        count = max(0, (now - first) // every + 1)
        return [
            _sync(f"{arguments['subscriptionId']}-{number}", model, first + number * every, now)
            for number in reversed(range(count))
        ]


def _sync(identifier: str, model: Record, start: datetime, now: datetime) -> Record:
    chance = Seeded(identifier)
    duration = timedelta(minutes=chance.randrange(10, 40))
    outcome = chance.choice(_OUTCOMES)
    sync: Record = {
        "syncId": chance.identifier(),
        "modelId": model["id"],
        "sourceId": model["sourceId"],
        "startedAt": timestamp(start),
    }
    if start + duration > now:
        return sync | {"syncStatus": "IN_PROGRESS", "duration": f"{(now - start).seconds}s", "extractPhase": None}
    middle, end, failed = timestamp(start + duration / 2), timestamp(start + duration), outcome == "FAIL"
    rows = chance.randrange(5000)
    sync |= {
        "syncStatus": outcome,
        "duration": f"{duration.seconds}s",
        "finishedAt": end,
        "extractPhase": {
            "addedCount": str(rows),
            "updatedCount": "12",
            "deletedCount": "0",
            "extractCount": str(rows + 12),
            "errorCode": "",
            "startedAt": timestamp(start),
            "finishedAt": middle,
        },
        "loadPhase": {
            "deliverSuccessCount": "0" if failed else str(rows),
            "deliverFailureCount": "12",
            "errorCode": "DELIVERY" if failed else "",
            "startedAt": middle,
            "finishedAt": end,
        },
        "error": "The destination did not answer." if failed else None,
    }
    return sync | {"errorCode": "DELIVERY"} if failed else sync
