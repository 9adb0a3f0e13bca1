"""Columns of a table's files that the schema of its stream does not declare; Airbyte drops their values."""

from collections.abc import Collection, Iterable
from threading import Lock


class MissedColumns:
    """The columns of one table whose values were dropped, in this sync and in earlier ones.

    Files are read once, so the columns are remembered: if a later schema declares one of them (`gained`), the files
    read until then have values that never arrived.
    """

    def __init__(self, declared: Collection[str] | None = None, missed: Iterable[str] = ()) -> None:
        """`declared` are the columns of the stream's schema, or None if it has none; `missed` are the saved ones."""
        self._declared = declared
        self._missed = set(missed)
        self._lock = Lock()
        self.gained = self._missed & set(declared or ())

    def add(self, columns: Iterable[str]) -> list[str]:
        """Record the columns of a file and return those that are missed for the first time, sorted."""
        if self._declared is None:
            return []
        with self._lock:
            found = set(columns) - set(self._declared) - self._missed
            self._missed |= found
            return sorted(found)

    def to_state(self) -> list[str]:
        """All missed columns, sorted."""
        with self._lock:
            return sorted(self._missed)
