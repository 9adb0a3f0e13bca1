"""Rows that appear, change and vanish as the sandbox's time passes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True)
class Entry:
    """One row's whole history. All times are epoch seconds."""

    appears: int
    row: Row
    changes: tuple[tuple[int, Row], ...] = ()
    """From each moment on, these fields have these values; oldest first."""
    vanishes: int | None = None

    def at(self, now: int) -> Row | None:
        """The row as it stands at `now`, or None if there is none."""
        if now < self.appears or (self.vanishes is not None and now >= self.vanishes):
            return None
        row = dict(self.row)
        for moment, fields in self.changes:
            if now >= moment:
                row |= fields
        return row


@dataclass
class Table:
    """A list of the API, in the order in which it is listed."""

    entries: list[Entry] = field(default_factory=list)

    def at(self, now: int) -> list[Row]:
        """The rows at `now`."""
        return [row for entry in self.entries if (row := entry.at(now)) is not None]


def versioned(row: Row, appears: int, updates: Iterable[int], stamp: str, label: str) -> Entry:
    """A row whose field `stamp` (and `deduplicate_id`) tells when it was last changed, and `label` how often."""
    return Entry(
        appears,
        row | _stamped(row, appears, stamp),
        tuple(
            (moment, {label: f"{row[label]} (revision {number})"} | _stamped(row, moment, stamp))
            for number, moment in enumerate(sorted(updates), 2)
        ),
    )


def _stamped(row: Row, moment: int, stamp: str) -> Row:
    fields: Row = {stamp: moment}
    if "deduplicate_id" in row:
        fields["deduplicate_id"] = f"{row['id']}:{moment}"
    return fields
