"""When broadcasts were triggered through the API, and what was wrong with the data that came with it."""

from collections.abc import Callable
from random import Random

from starlette.requests import Request

from sandbox.customerio.history import DAY, HOUR, MINUTE, Entry, Row, Table
from sandbox.customerio.paging import BadRequest, Pages
from sandbox.customerio.resources import ChildList, Endpoint, NotFound, Parents, Resource

_ERROR_PAGES = Pages[str]("err", default=50, maximum=1000, clamps=True)


class Triggers:
    """The triggers of each broadcast, numbered from 1 in each."""

    def __init__(self, random: Random, start: int, broadcasts: Table) -> None:
        """Generate up to three triggers a broadcast, and one more in the four days after `start`."""
        self._tables = {entry.row["id"]: self._table(random, start, entry) for entry in broadcasts.entries}

    def of(self, broadcast: int, now: int) -> list[Row]:
        """The triggers of a broadcast."""
        return self._tables[broadcast].at(now)

    @staticmethod
    def errors(broadcast: int, trigger: int) -> list[str]:
        """The lines that could not be read: none of most triggers, and 120 of the first trigger of the third."""
        count = 120 if (broadcast, trigger) == (3, 1) else (broadcast + trigger) % 3 * 2
        return [f"line {line}: could not find person" for line in range(1, count + 1)]

    @staticmethod
    def _table(random: Random, start: int, broadcast: Entry) -> Table:
        begun = broadcast.appears
        count = broadcast.row["id"] % 4 if begun < start - DAY else 0
        moments = [random.randrange(begun + HOUR, start) for _ in range(count)]
        moments.append(max(begun, start) + random.randrange(HOUR, 4 * DAY))
        entries = []
        for number, moment in enumerate(sorted(moments), 1):
            row = {"id": number, "broadcast_id": broadcast.row["id"], "created_at": moment}
            processed = moment + random.randrange(1, 30 * MINUTE)
            entries.append(Entry(moment, row, ((processed, {"processed_at": processed}),)))
        return Table(entries)


class _TriggerErrors:
    stream = "broadcast_trigger_errors"

    def __init__(self, triggers: Triggers, now: Callable[[], int]) -> None:
        self._triggers = triggers
        self._now = now

    def endpoint(self, parents: Parents) -> Endpoint:
        """The endpoint; the step before the broadcast's id is `campaigns` in fact."""

        async def answer(request: Request) -> Row:
            broadcast = parents.parent("broadcasts", request.path_params["broadcast_id"])
            trigger = request.path_params["trigger_id"]
            if not trigger.isdigit():
                raise BadRequest("invalid trigger id")
            if int(trigger) not in {row["id"] for row in self._triggers.of(broadcast["id"], self._now())}:
                raise NotFound
            errors, following = _ERROR_PAGES.page(request, self._triggers.errors(broadcast["id"], int(trigger)))
            return {"errors": errors or None, "next": following}

        return Endpoint("campaigns/{broadcast_id}/triggers/{trigger_id}/errors", answer)

    def expected(self, parents: Parents) -> list[Row]:
        """One row a line, numbered from 0."""
        return [
            {"broadcast_id": broadcast["id"], "trigger_id": trigger["id"], "index": index, "error": error}
            for broadcast in parents.parents("broadcasts")
            for trigger in self._triggers.of(broadcast["id"], self._now())
            for index, error in enumerate(self._triggers.errors(broadcast["id"], trigger["id"]))
        ]


def trigger_resources(triggers: Triggers, now: Callable[[], int]) -> list[Resource]:
    """The streams of triggers and their errors."""
    return [
        ChildList(
            "broadcast_triggers",
            "broadcasts/{broadcast_id}/triggers",
            "triggers",
            lambda broadcast: triggers.of(broadcast["id"], now()),
            null_when_empty=True,
        ),
        _TriggerErrors(triggers, now),
    ]
