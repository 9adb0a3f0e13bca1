"""Tracking the position while several files are read at the same time."""

from dataclasses import dataclass, field
from threading import Lock

from source_heap.positions import Position


@dataclass
class Progress:
    """The position while several threads read the files of a plan, which finish in any order.

    It never includes a file before all its predecessors are finished.
    """

    position: Position
    _next: int = 0
    _finished: dict[int, Position] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def finish(self, index: int, after: Position) -> Position:
        """Record that the step with this index was read completely, and return the position reached."""
        with self._lock:
            self._finished[index] = after
            while self._next in self._finished:
                self.position = self._finished.pop(self._next)
                self._next += 1
            return self.position
