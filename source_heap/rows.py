"""Rows of a file as records, with their origin and without rows from before the start date."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from source_heap.avro.decoder import Batch

TIME_COLUMN = "time"
# Times up to the year 5138 are below these bounds.
_LARGEST_SECONDS = 10**11
_LARGEST_MILLISECONDS = 10**14
_LONGEST_NUMBER = 40
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d*)?(?: ?(?:UTC|Z))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class StartDateFilter:
    """Decides whether a row's `time` is at or after a start date; a time that cannot be parsed never drops a row.

    `text` is the start date as `YYYY-MM-DD hh:mm:ss`, `seconds` the same in seconds since 1970.
    """

    def __init__(self, start_date: str) -> None:
        """`start_date` is UTC, as `YYYY-MM-DDTHH:MM:SSZ`."""
        moment = datetime.strptime(start_date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        self.text = f"{moment:%Y-%m-%d %H:%M:%S}"
        self.seconds = int(moment.timestamp())

    def keeps(self, time: object) -> bool:
        """True if the row is kept. Strings are UTC; numbers are s, ms or µs since 1970, distinguished by magnitude."""
        if isinstance(time, str):
            return self._keeps_text(time)
        if isinstance(time, bool) or not isinstance(time, int | float) or time <= 0:
            return True
        return bool(time >= self.seconds * _units_per_second(time))

    def _keeps_text(self, time: str) -> bool:
        if time[:10] > self.text[:10] and _DATE.match(time):
            return True
        parts = _TIME.fullmatch(time)
        if parts:
            return f"{parts.group(1)} {parts.group(2)}" >= self.text
        if _DATE.fullmatch(time):
            return time >= self.text[:10]
        return not time.isdecimal() or len(time) > _LONGEST_NUMBER or self.keeps(int(time))


def _units_per_second(time: float) -> int:
    if time < _LARGEST_SECONDS:
        return 1
    return 1_000 if time < _LARGEST_MILLISECONDS else 1_000_000


class Selection(NamedTuple):
    """The rows of a batch that become records: all, or those marked. `keyless` counts rows skipped without a key."""

    kept: list[bool] | None = None
    keyless: int = 0


def select(batch: "Batch", start: StartDateFilter | None = None, key: Collection[str] = ()) -> Selection:
    """The rows that are not before the start date and, if there is a key, have a value in one of its columns."""
    kept: list[bool] | None = None
    if start is not None and TIME_COLUMN in batch.columns:
        kept = [start.keeps(time) for time in batch.columns[TIME_COLUMN]]
    if not key:
        return Selection(kept)
    columns = [batch.columns[name] for name in key if name in batch.columns]
    keyed = [any(value is not None for value in values) for values in zip(*columns, strict=True)]
    keyed = keyed or [False] * batch.row_count
    in_time = kept or [True] * batch.row_count
    both = [has_key and is_in_time for has_key, is_in_time in zip(keyed, in_time, strict=True)]
    return Selection(both, sum(in_time) - sum(both))


def rows(
    batch: "Batch", added: Mapping[str, Any], kept: Sequence[bool] | None = None
) -> tuple[Sequence[str], Iterator[tuple[Any, ...]]]:
    """The names of the columns, and the values of each row that is marked as kept, or of all rows.

    Added values are the same in every row, and replace columns of the same name.
    """
    columns = {**batch.columns, **{name: repeat(value, batch.row_count) for name, value in added.items()}}
    values: Iterator[tuple[Any, ...]] = zip(*columns.values(), strict=True)
    return tuple(columns), values if kept is None else compress(values, kept)


def records(batch: "Batch", added: Mapping[str, Any], kept: Sequence[bool] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a batch that are marked as kept, or all, as records with the added values."""
    names, values = rows(batch, added, kept)
    return (dict(zip(names, row, strict=True)) for row in values)
