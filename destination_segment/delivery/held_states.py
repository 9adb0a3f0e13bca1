"""States held until the records before them are accepted."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from cdp_connectors.json_types import JsonObject
from destination_segment.calls.configured_stream import StreamKey
from destination_segment.delivery.messages import state_line
from destination_segment.delivery.origin import Origin


@dataclass
class HeldState:
    """One state of the input."""

    position: int
    """Position of the record before it."""
    streams: list[StreamKey]
    """Streams whose records it counts."""
    message: JsonObject
    records: int
    """Records since the last state, rejected ones included."""
    rejected: int

    def line(self) -> str:
        """The state's output line: as received, plus the counts.

        The platform adds the two counts and compares the sum with the source's.
        """
        counts = {"recordCount": float(self.records - self.rejected), "rejectedRecordCount": float(self.rejected)}
        self.message["state"]["destinationStats"] = counts
        return state_line(self.message)


class HeldStates:
    """The states in the order of the input."""

    def __init__(self) -> None:
        self._states: deque[HeldState] = deque()

    def __len__(self) -> int:
        return len(self._states)

    @property
    def newest_position(self) -> int:
        """The position of the newest state; 0 if there is none."""
        return self._states[-1].position if self._states else 0

    def add(self, state: HeldState) -> None:
        """Hold a state that is newer than all others."""
        self._states.append(state)

    def count_rejection(self, origin: Origin) -> bool:
        """Count a rejected record in the first state that covers it; return False if that state has not arrived yet."""
        for state in self._states:
            if state.position >= origin.position and origin.stream.key in state.streams:
                state.rejected += 1
                return True
        return False

    def any_before(self, barrier: float) -> bool:
        """True if a state is before a position."""
        return bool(self._states) and self._states[0].position < barrier

    def release_before(self, barrier: float) -> Iterator[str]:
        """The lines of the states before a position."""
        while self.any_before(barrier):
            yield self._states.popleft().line()
