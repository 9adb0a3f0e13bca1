"""Record counts between source, platform and destination, and the checksums that compare them.

Follows StatsTracker, StateEnricher and StateCheckSumCountEventHandler of airbyte-platform (container-orchestrator).
"""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass

from sandbox.airbyte.protocol import JsonObject, SyncRuleError


@dataclass
class _Checkpoint:
    """The records of a stream between two of its states."""

    id: int
    count: int
    filtered: int


class Counts:
    """Counts the records of one sync by stream."""

    def __init__(self) -> None:
        self.emitted: Counter[str] = Counter()
        """Records that the source wrote."""
        self.committed: Counter[str] = Counter()
        """Records that are covered by a state that the destination returned."""
        self.rejected: Counter[str] = Counter()
        """Records that the destination rejected, according to the states that it returned."""
        self.errors: list[str] = []
        """Checksum mismatches, and returned states that the platform does not know."""
        self._open: Counter[str] = Counter()
        self._filtered: Counter[str] = Counter()
        self._staged: defaultdict[str, deque[_Checkpoint]] = defaultdict(deque)
        self._last_id = 0

    @property
    def last_id(self) -> int:
        """The id of the newest state of the source."""
        return self._last_id

    def add_record(self, stream: str) -> None:
        """Count a record of the source, before mappers."""
        self.emitted[stream] += 1
        self._open[stream] += 1

    def add_filtered(self, stream: str) -> None:
        """Count a record that a mapper removed."""
        self._filtered[stream] += 1

    def enrich(self, stream: str, state: JsonObject) -> JsonObject:
        """A state of the source as the destination receives it: with `id` and `sourceStats`.

        The number of records since the stream's last state is compared with the source's own count.
        """
        self._last_id += 1
        count, filtered = self._open.pop(stream, 0), self._filtered.pop(stream, 0)
        stats = {"recordCount": float(count), **(state.get("sourceStats") or {})}
        if stats["recordCount"] != count:
            self.errors.append(
                f"{stream}: the source counted {stats['recordCount']:.0f} records before a state, but {count} were read"
            )
        self._staged[stream].append(_Checkpoint(self._last_id, count, filtered))
        return {**state, "sourceStats": {**stats, "recordCount": stats["recordCount"] - filtered}, "id": self._last_id}

    def commit(self, stream: str, state: JsonObject) -> int:
        """Account for a state that the destination returned; returns its id.

        Raises:
            SyncRuleError: the state has no id, so it did not come from the source.
        """
        if not isinstance(state.get("id"), int):
            raise SyncRuleError("State message does not contain id")
        staged = self._staged[stream]
        covered = [staged.popleft() for _ in range(len(staged)) if staged[0].id <= state["id"]]
        if not covered or covered[-1].id != state["id"]:
            self.errors.append(
                f"{stream}: the destination returned state {state['id']}, which is unknown or returned twice"
            )
        stats = state.get("destinationStats") or {}
        count = sum(each.count - each.filtered for each in covered)
        rejected = int(stats.get("rejectedRecordCount") or 0)
        if "recordCount" in stats and int(stats["recordCount"]) + rejected != count:
            self.errors.append(
                f"{stream}: the destination counted {stats['recordCount']:.0f} records and {rejected} rejected before "
                f"state {state['id']}, but {count} were sent"
            )
        self.committed[stream] += count - rejected
        self.rejected[stream] += rejected
        return int(state["id"])
