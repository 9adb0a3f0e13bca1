"""The record that a call comes from."""

from typing import NamedTuple

from cdp_connectors.json_types import Json
from destination_segment.calls.encoding import identity
from destination_segment.calls.stream import Stream


class Origin:
    """One record of the input."""

    __slots__ = ("is_rejected", "line", "number", "position", "primary_key", "stream")

    def __init__(
        self, stream: Stream, position: int, number: int, primary_key: list[Json], line: bytes | None = None
    ) -> None:
        """Describe a record.

        Args:
            stream: the stream that it belongs to.
            position: its number in the input, from 1.
            number: its number among the stream's records, from 1.
            primary_key: the values of its primary key; empty without one.
            line: the line that it came in, if it may be needed again.
        """
        self.stream = stream
        self.position = position
        self.number = number
        self.primary_key = primary_key
        self.line = line
        self.is_rejected = False

    @property
    def name(self) -> str:
        """Name of the record in messages: its key or its number, never other content."""
        return f"with key {identity(self.primary_key).decode()}" if self.primary_key else f"number {self.number}"


class Rejection(NamedTuple):
    """A call that was not delivered, and why."""

    origin: Origin
    mapping: str
    reason: str


class CallOrigin(NamedTuple):
    """The record and the mapping that a call comes from."""

    record: Origin
    mapping: str

    def rejection(self, reason: str) -> Rejection:
        """The call's rejection."""
        return Rejection(self.record, self.mapping, reason)
