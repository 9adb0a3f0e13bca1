"""The basis of every part of the workspace's content."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.api.timeline import Dated, Record, Seeded, scaled, timestamp


@dataclass(frozen=True)
class Workspace:
    """The workspace: its id, the start time of the sandbox's clock, and the seed and scale of its content."""

    id: str
    origin: datetime
    seed: int
    scale: float

    def chance(self, part: str) -> Seeded:
        """Return the random generator for one part of the content."""
        return Seeded(f"{self.seed}/{part}")

    def scaled(self, count: int) -> int:
        """Return a scaled number of objects, at least 1."""
        return scaled(count, self.scale)

    def past(self, chance: Seeded, days: int = 400) -> datetime:
        """Return a time before the clock starts."""
        return chance.moment(self.origin - timedelta(days=days), self.origin - timedelta(days=1))

    def births(self, chance: Seeded, count: int) -> list[datetime]:
        """Return the creation times of objects: `count`, scaled, in the past, and one per day afterwards."""
        past = sorted(self.past(chance) for _ in range(self.scaled(count)))
        return past + [self.origin + timedelta(hours=20, days=days) for days in range(30)]

    def changed(self, record: Record, since: datetime, moment: datetime, **changes: object) -> list[Dated]:
        """Return the versions of an object that changes after its creation, with a new `updatedAt`."""
        after = record | {"updatedAt": timestamp(moment)} | changes
        return [Dated(record, since, moment), Dated(after, moment)]
