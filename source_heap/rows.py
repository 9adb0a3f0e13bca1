"""Rows of a file as records: with their origin, and without those from before the start date."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_heap.avro.decoder import Batch

TIME_COLUMN = "time"
# Seconds up to the year 5138 and milliseconds up to the year 5138 lie below these bounds.
_LARGEST_SECONDS = 10**11
_LARGEST_MILLISECONDS = 10**14
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d*)?(?: ?(?:UTC|Z))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class StartDateFilter:
    """Knows whether a row's `time` is at or after a start date; a time that cannot be read never drops a row."""

    def __init__(self, start_date: str) -> None:
        """`start_date` is UTC, as `YYYY-MM-DDTHH:MM:SSZ`."""
        moment = datetime.strptime(start_date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        self._text = f"{moment:%Y-%m-%d %H:%M:%S}"
        self._seconds = int(moment.timestamp())

    def keeps(self, time: Any) -> bool:  # noqa: ANN401 # dumps have texts and numbers
        """Whether the row counts. A text is UTC; a number is s, ms or µs since 1970, which its size tells apart."""
        if isinstance(time, str):
            return self._keeps_text(time)
        if isinstance(time, bool) or not isinstance(time, int | float) or time <= 0:
            return True
        return bool(time >= self._seconds * _units_per_second(time))

    def _keeps_text(self, time: str) -> bool:
        if time[:10] > self._text[:10] and _DATE.match(time):
            return True
        parts = _TIME.fullmatch(time)
        if parts:
            return f"{parts.group(1)} {parts.group(2)}" >= self._text
        if _DATE.fullmatch(time):
            return time >= self._text[:10]
        return not time.isdecimal() or self.keeps(int(time))


def _units_per_second(time: float) -> int:
    if time < _LARGEST_SECONDS:
        return 1
    return 1_000 if time < _LARGEST_MILLISECONDS else 1_000_000


def records(
    batch: "Batch", dump_id: int, file: str, keeps: Callable[[Any], bool] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of a batch as records with `_heap_dump_id` and `_heap_file`.

    Args:
        batch: the rows by column.
        dump_id: the dump they came with.
        file: the file they came with.
        keeps: decides by a row's `time` whether it is yielded; all rows are, without it or without that column.
    """
    names = (*batch.columns, "_heap_dump_id", "_heap_file")
    rows: Iterator[tuple[Any, ...]] = zip(*batch.columns.values(), repeat(dump_id, batch.row_count), repeat(file))
    if keeps is not None and TIME_COLUMN in batch.columns:
        rows = compress(rows, map(keeps, batch.columns[TIME_COLUMN]))
    return (dict(zip(names, row, strict=True)) for row in rows)
