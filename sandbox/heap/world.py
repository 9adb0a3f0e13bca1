"""The simulated Heap Connect bucket: its content at the sandbox's current time, and the rows that readers must get."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from cdp_connectors.json_types import Json
from sandbox.clock import Clock
from sandbox.heap.columns import Row, avro_type
from sandbox.heap.dumps import AvroFile, Dump
from sandbox.heap.history import DUMP_FINISHES, INTERNAL_TABLE, NEWEST_NIGHT, heap_history
from sandbox.heap.visitors import Visitors

BUCKET = "heap-rs3-sandbox"
FIRST_DUMP_ID = 998
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_KEYS = {"users": ("user_id",), "user_migrations": ("from_user_id",)}


class HeapWorld:
    """A history of dumps, generated from a seed; the clock determines how much of it has happened.

    The newest dump is at most a day old when the sandbox starts. Within the following two days, two more nightly
    dumps appear (the second with a full resync), as well as the manifest of an earlier dump in between, and a second
    dump on the first day, with the initial sync of one table.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int,
        scale: float = 1.0,
        bucket: str = BUCKET,
        first_dump_id: int = FIRST_DUMP_ID,
        adds_columns: bool = False,
    ) -> None:
        """Plan all dumps without writing anything.

        Args:
            clock: the sandbox's time.
            seed: the same seed and clock give the same data.
            scale: multiplies the number of users, sessions and events.
            bucket: the bucket in the manifests' URLs.
            first_dump_id: the id of the first dump; those of later dumps are 1, 2, 5, 7, 9, 10, 11 and 12 higher.
            adds_columns: True to add columns to two tables on the two nights to come.
        """
        self.clock = clock
        self.bucket = bucket
        newest = (clock.now - DUMP_FINISHES).replace(hour=0, minute=0, second=0, microsecond=0)
        visitors = Visitors(newest - timedelta(days=NEWEST_NIGHT), seed=seed, scale=scale)
        self._dumps = heap_history(visitors, first_dump_id=first_dump_id, seed=seed, adds_columns=adds_columns)

    @property
    def dumps(self) -> list[Dump]:
        """The dumps whose manifests have appeared, by dump id."""
        complete = [dump for dump in self._dumps if dump.is_complete(self.clock.now)]
        return sorted(complete, key=lambda dump: dump.dump_id)

    @property
    def tables(self) -> list[str]:
        """The tables that a reader should find, sorted, including those without rows, but not Heap's internal one."""
        return sorted({table.table for dump in self.dumps for table in dump.tables} - {INTERNAL_TABLE})

    def primary_key(self, table: str) -> tuple[str, ...]:
        """The columns that identify a row of the table."""
        return _KEYS.get(table, ("event_id",))

    def current_files(self, table: str) -> list[tuple[int, AvroFile]]:
        """The files that currently make up the table, with their dump ids: those since its newest full dump."""
        files: list[tuple[int, AvroFile]] = []
        for dump in self.dumps:
            for part in dump.tables:
                if part.table == table:
                    files = [*(files if part.incremental else ()), *((dump.dump_id, file) for file in part.files)]
        return files

    def expected(self, table: str, since: datetime | None = None) -> list[Row]:
        """Every row that a first sync should emit at the clock's current time, in the order of dumps and files.

        Each has `_heap_dump_id` and `_heap_file` (the object's key) in addition to the file's columns; rows lack
        columns that their file lacks. Rows that a file contains twice occur twice. A column that is a string in one
        of the current files and a number in another is a string in all rows.

        Args:
            table: the table.
            since: omits earlier rows of event tables; rows with an unknown time are kept.
        """
        files = self.current_files(table)
        widened = _widened(file for _, file in files)
        return [
            {
                **{name: _text(value) if name in widened else value for name, value in row.items()},
                "_heap_dump_id": dump_id,
                "_heap_file": file.key,
            }
            for dump_id, file in files
            for row in file.rows()
            if since is None or table in _KEYS or not _is_before(row["time"], file.columns["time"], since)
        ]

    def write(self, directory: Path) -> list[Path]:
        """Write the bucket's current files that are not yet in the directory.

        Returns:
            the new files, in the order in which they appeared in the bucket; a dump's manifest comes last.
        """
        written = []
        for key, write in self._objects():
            path = directory / key
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write(path)
                written.append(path)
        return written

    def _objects(self) -> Iterator[tuple[str, Callable[[Path], object]]]:
        for dump in self._dumps:
            if dump.written <= self.clock.now:
                yield from ((file.key, file.write) for file in _files(dump))
            if dump.is_complete(self.clock.now):
                for key, content in dump.documents(self.bucket):
                    yield key, partial(Path.write_bytes, data=content)


def _files(dump: Dump) -> Iterator[AvroFile]:
    for table in dump.tables:
        yield from table.files
        yield from table.strays


def _widened(files: Iterator[AvroFile]) -> set[str]:
    types: dict[str, set[str]] = {}
    for file in files:
        for name, kind in file.columns.items():
            types.setdefault(name, set()).add("string" if avro_type(kind) == "string" else "number")
    return {name for name, found in types.items() if len(found) > 1}


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def _is_before(value: Json, kind: str, moment: datetime) -> bool:
    happened = _time(value, kind)
    return happened is not None and happened < moment


def _time(value: Json, kind: str) -> datetime | None:
    if isinstance(value, int):
        unit = {"s": 1, "ms": 1_000, "us": 1_000_000}[kind.partition(":")[2]]
        return _EPOCH + timedelta(microseconds=value * (1_000_000 // unit)) if value else None
    try:
        return datetime.fromisoformat(str(value).removesuffix(" UTC")).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
