"""The basis of every part of the workspace's content."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.api.timeline import Dated, Record, Seeded, scaled, timestamp


@dataclass(frozen=True)
class Workspace:
    """The workspace: its id, the moment at which the sandbox's clock starts, and the seed and scale of its content."""

    id: str
    origin: datetime
    seed: int
    scale: float

    def chance(self, part: str) -> Seeded:
        """Return the chance of one part of the content."""
        return Seeded(f"{self.seed}/{part}")

    def scaled(self, count: int) -> int:
        """Return a number of objects, scaled and at least one."""
        return scaled(count, self.scale)

    def past(self, chance: Seeded, days: int = 400) -> datetime:
        """Return a moment before the clock starts."""
        return chance.moment(self.origin - timedelta(days=days), self.origin - timedelta(days=1))

    def births(self, chance: Seeded, count: int) -> list[datetime]:
        """Return the times at which objects appear: `count`, scaled, in the past and one every day afterwards."""
        past = sorted(self.past(chance) for _ in range(self.scaled(count)))
        return past + [self.origin + timedelta(hours=20, days=days) for days in range(30)]

    def changed(self, record: Record, since: datetime, moment: datetime, **changes: object) -> list[Dated]:
        """Return an object that changes at a moment after it appeared; its `updatedAt` says so."""
        after = record | {"updatedAt": timestamp(moment)} | changes
        return [Dated(record, since, moment), Dated(after, moment)]
