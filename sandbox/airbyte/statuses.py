"""A stream's status as the platform's user interface shows it.

Follows StreamStatusTracker and StreamStatusStateStore of airbyte-platform (container-orchestrator).
"""

from dataclasses import dataclass


@dataclass
class _Stream:
    shown: str = "PENDING"
    source: str | None = None
    newest_state: int = 0
    returned_state: int = 0


class StreamStatuses:
    """The statuses of one sync's streams."""

    def __init__(self, streams: list[str]) -> None:
        self._streams = {stream: _Stream() for stream in streams}

    @property
    def shown(self) -> dict[str, str]:
        """PENDING, RUNNING, RATE_LIMITED, COMPLETE or INCOMPLETE by stream."""
        return {name: stream.shown for name, stream in self._streams.items()}

    @property
    def reported(self) -> dict[str, str]:
        """The last status that the source reported, by stream."""
        return {name: stream.source for name, stream in self._streams.items() if stream.source}

    def knows(self, stream: str) -> bool:
        """True if the stream is in the configured catalog."""
        return stream in self._streams

    def report(self, stream: str, status: str, reasons: list[str]) -> None:
        """Record a status that the source reported; `reasons` are the types of its reasons."""
        noted = self._streams[stream]
        noted.source = status
        if noted.shown == "INCOMPLETE":
            return
        if status == "INCOMPLETE":
            noted.shown = "INCOMPLETE"
        elif status in {"STARTED", "RUNNING"}:
            noted.shown = "RATE_LIMITED" if reasons == ["RATE_LIMITED"] else "RUNNING"

    def add_record(self, stream: str) -> None:
        """Record that a record was read."""
        noted = self._streams[stream]
        if noted.shown in {"PENDING", "RATE_LIMITED"}:
            noted.shown = "RUNNING"

    def add_state(self, stream: str, number: int) -> None:
        """Record a state of the source with its assigned id."""
        self._streams[stream].newest_state = number

    def return_state(self, stream: str, number: int) -> None:
        """Record a state that the destination returned."""
        self._streams[stream].returned_state = number

    def settle(self) -> None:
        """Finalize the statuses: a stream is complete if the source completed it and its newest state was returned."""
        for stream in self._streams.values():
            returned = stream.newest_state and stream.returned_state == stream.newest_state
            if stream.source == "COMPLETE" and returned and stream.shown != "INCOMPLETE":
                stream.shown = "COMPLETE"
