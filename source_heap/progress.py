"""The position while several files are read at the same time."""

from dataclasses import dataclass, field
from threading import Lock

from source_heap.positions import Position


@dataclass
class Progress:
    """The position while the files of a plan are read by several threads and finish in any order.

    It never counts a file whose predecessors are not all finished.
    """

    position: Position
    _next: int = 0
    _finished: dict[int, Position] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def finish(self, index: int, after: Position) -> Position:
        """Note that the step with this index was read completely, and return the position now reached."""
        with self._lock:
            self._finished[index] = after
            while self._next in self._finished:
                self.position = self._finished.pop(self._next)
                self._next += 1
            return self.position
