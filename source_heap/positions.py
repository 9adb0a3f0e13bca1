"""Read position of a table: which files are current, which one is next, and which are void.

Pure: no network, no clock, no CDK. A *dump* is one export of Heap, described by one manifest; a *part* is the portion
of a dump that belongs to one table. A dump is *settled* for a table when nothing of it remains to be read: all its
files have been read, or it has none, or a later full copy of the table made it void.

Dumps are settled in ascending order of their ids, except that a dump whose reading has begun is finished first.
Settled dumps must be remembered, because a manifest with a lower id can still arrive later, and the memory must not
grow with history. A position therefore has the newest settled ids one by one, and a single time for everything at and
below `floor`: a manifest there counts as settled if it was written no later than the newest manifest that was settled.
The trade-off: a dump that is late by more than `REMEMBERED_DUMPS` dumps is recognized only by its modification time,
so copying a whole bucket (which renews those times) makes old dumps look late, and they are read again; rows then
arrive twice with the same key, and none is lost.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

REMEMBERED_DUMPS = 30
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Manifest:
    """The manifest of one dump as the bucket lists it; it has two keys if it exists in both spellings.

    `written_at` is its modification time in UTC, as `YYYY-MM-DDTHH:MM:SS.mmmZ`, so that strings compare like times.
    """

    dump_id: int
    keys: tuple[str, ...]
    written_at: str


@dataclass(frozen=True)
class Part:
    """The part of a table in one dump: files that add to earlier dumps, or replace them (`incremental` false)."""

    incremental: bool
    files: tuple[str, ...]


@dataclass(frozen=True)
class Position:
    """The saved read position of a table; its size is bounded, however long the history.

    `settled` are ids above `floor`, ascending. `full_dump_id` is the newest dump known to replace all earlier
    ones. `dump_id` and `file` are the last file read of a dump that is not settled yet.
    """

    floor: int = -1
    settled: tuple[int, ...] = ()
    settled_until: str = ""
    full_dump_id: int | None = None
    dump_id: int | None = None
    file: str | None = None

    @classmethod
    def from_state(cls, state: Mapping[str, Any] | None) -> "Position":
        """The position from the output of `to_state`; the beginning for an empty state."""
        if not state:
            return cls()
        reading = state.get("reading") or {}
        return cls(
            floor=state.get("settled_through_dump_id", -1),
            settled=tuple(state.get("settled_dump_ids", ())),
            settled_until=state.get("settled_manifests_until", ""),
            full_dump_id=state.get("full_dump_id"),
            dump_id=reading.get("dump_id"),
            file=reading.get("file"),
        )

    def to_state(self) -> dict[str, Any]:
        """The position as JSON."""
        return {
            "settled_through_dump_id": self.floor,
            "settled_dump_ids": list(self.settled),
            "settled_manifests_until": self.settled_until,
            "full_dump_id": self.full_dump_id,
            "reading": {"dump_id": self.dump_id, "file": self.file} if self.dump_id is not None else None,
        }

    def settles(self, manifest: Manifest) -> bool:
        """True if nothing of this dump remains to be read, so that its manifest need not be fetched."""
        if manifest.dump_id > self.floor:
            return manifest.dump_id in self.settled
        return manifest.written_at <= self.settled_until

    def settle(self, manifest: Manifest, following: Manifest | None) -> "Position":
        """The position once `manifest` is settled too, and `following` is the next one that is not.

        Neither bound passes a manifest that is still to be settled: late ones, at or below `floor`, are settled in the
        order of their modification times and hold `settled_until` back; all others ascend and hold `floor` back.
        """
        settled, floor, settled_until = self.settled, self.floor, self.settled_until
        holds_moment = (
            following is not None and following.dump_id <= floor and following.written_at <= manifest.written_at
        )
        if manifest.dump_id > floor:
            settled = tuple(sorted({*settled, manifest.dump_id}))
        while len(settled) > REMEMBERED_DUMPS and (following is None or settled[0] < following.dump_id):
            floor, settled = settled[0], settled[1:]
        if not holds_moment:
            settled_until = max(settled_until, manifest.written_at)
        return replace(self, floor=floor, settled=settled, settled_until=settled_until, dump_id=None, file=None)


@dataclass(frozen=True)
class Step:
    """One file to read, and the position once it and all files before it have been read."""

    index: int
    dump_id: int
    file: str
    after: Position


@dataclass(frozen=True)
class _Stage:
    """A dump with its unread files, and the positions before the first and after the last of them."""

    dump_id: int
    files: Sequence[str]
    before: Position
    after: Position


@dataclass(frozen=True)
class Plan:
    """The files of one table to read, in order; `start` is the position before the first."""

    start: Position
    stages: Sequence[_Stage]

    @property
    def end(self) -> Position:
        """The position once every file has been read."""
        return self.stages[-1].after if self.stages else self.start

    def __iter__(self) -> Iterator[Step]:
        index = 0
        for stage in self.stages:
            for file in stage.files[:-1]:
                yield Step(index, stage.dump_id, file, replace(stage.before, dump_id=stage.dump_id, file=file))
                index += 1
            yield Step(index, stage.dump_id, stage.files[-1], stage.after)
            index += 1


def unsettled(manifests: Iterable[Manifest], position: Position) -> list[Manifest]:
    """The manifests that must be fetched, ascending by dump id."""
    return sorted((m for m in manifests if not position.settles(m)), key=lambda manifest: manifest.dump_id)


def plan(manifests: Sequence[Manifest], parts: Mapping[int, Part], position: Position) -> Plan:
    """Decide what to read of one table.

    Args:
        manifests: the result of `unsettled`.
        parts: the table's parts by dump id, for those manifests that contain the table.
        position: the current position.
    """
    full_dumps = [m.dump_id for m in manifests if _replaces(parts.get(m.dump_id))]
    full_dump_id = max([*full_dumps, *([] if position.full_dump_id is None else [position.full_dump_id])], default=None)
    position = replace(position, full_dump_id=full_dump_id)

    pending = sorted(manifests, key=lambda manifest: _turn(manifest, position))
    start, stages = position, list[_Stage]()
    for i, manifest in enumerate(pending):
        after = position.settle(manifest, following=pending[i + 1] if i + 1 < len(pending) else None)
        files = _files_to_read(manifest, parts.get(manifest.dump_id), position)
        if files:
            stages.append(_Stage(manifest.dump_id, files, before=position, after=after))
        elif stages:
            stages[-1] = replace(stages[-1], after=after)
        else:
            start = after
        position = after
    return Plan(start, stages)


def _turn(manifest: Manifest, position: Position) -> tuple[bool, bool, str, int]:
    late = manifest.dump_id <= position.floor
    return manifest.dump_id != position.dump_id, not late, manifest.written_at if late else "", manifest.dump_id


def _replaces(part: Part | None) -> bool:
    return part is not None and not part.incremental


def _files_to_read(manifest: Manifest, part: Part | None, position: Position) -> list[str]:
    if part is None or (position.full_dump_id is not None and manifest.dump_id < position.full_dump_id):
        return []
    files = in_order(part.files)
    if manifest.dump_id == position.dump_id and position.file in files:
        return files[files.index(position.file) + 1 :]
    return files


def in_order(files: Iterable[str]) -> list[str]:
    """The distinct files of a dump, sorted by the first number in their names, then by name."""
    return sorted(set(files), key=lambda file: (_number(file.rsplit("/", 1)[-1]), file))


def _number(name: str) -> int:
    digits = _DIGITS.search(name)
    return int(digits.group()) if digits else -1


def between(
    manifests: Iterable[Manifest], parts: Mapping[int, Part], start: Position, end: Position
) -> list[tuple[int, list[str]]]:
    """The files that are read between one position and a later one, by dump, ascending.

    Only the two positions determine them: a dump that arrives after `end` was planned is not settled by `end`, and a
    full copy that arrives later does not void the files before it. A later call with them returns the same files.

    Args:
        manifests: the manifests of the bucket.
        parts: the table's parts by dump id, for those manifests that are `crossed`.
        start: the position before the first of the files.
        end: a position that `plan` returned for `start`, or for an earlier position from which `start` was planned.
    """
    found = []
    for manifest in sorted(manifests, key=lambda manifest: manifest.dump_id):
        part = parts.get(manifest.dump_id)
        is_void = end.full_dump_id is not None and manifest.dump_id < end.full_dump_id
        if part is None or is_void or not crossed(manifest, start, end):
            continue
        files = in_order(part.files)
        if manifest.dump_id == end.dump_id and end.file in files:
            files = files[: files.index(end.file) + 1]
        if manifest.dump_id == start.dump_id and start.file in files:
            files = files[files.index(start.file) + 1 :]
        if files:
            found.append((manifest.dump_id, files))
    return found


def crossed(manifest: Manifest, start: Position, end: Position) -> bool:
    """True if a dump, or part of it, is between two positions."""
    return not start.settles(manifest) and (end.settles(manifest) or manifest.dump_id == end.dump_id)
