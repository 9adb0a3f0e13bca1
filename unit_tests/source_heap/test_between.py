"""Two positions determine a batch: later arrivals never change it, and batches together contain each file once."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_heap import positions
from source_heap.positions import Manifest, Part, Position, between, crossed, plan, unsettled

HISTORIES = 3000


@dataclass
class History:
    """Dumps in the order of their arrival, their parts of a table, and the arrivals after which a reader looks."""

    arrivals: list[Manifest]
    parts: dict[int, Part]
    looks: list[int]
    limits: list[int]
    remembered: int

    @property
    def current(self) -> set[tuple[int, str]]:
        full = max((dump_id for dump_id, part in self.parts.items() if not part.incremental), default=-1)
        return {(dump_id, file) for dump_id, part in self.parts.items() if dump_id >= full for file in part.files}

    def between(self, visible: list[Manifest], start: Position, end: Position) -> list[tuple[int, str]]:
        """Like a reader, which only knows the parts of the dumps between the positions."""
        parts = {
            m.dump_id: self.parts[m.dump_id] for m in visible if m.dump_id in self.parts and crossed(m, start, end)
        }
        return [(dump_id, file) for dump_id, files in between(visible, parts, start, end) for file in files]


@st.composite
def histories(draw: st.DrawFn) -> History:
    count = draw(st.integers(1, 14))
    dump_ids = range(100, 100 + count)
    parts = {}
    for dump_id in dump_ids:
        if draw(st.integers(0, 3)):
            files = tuple(f"sync_{dump_id}/t/part-{number:05}.avro" for number in range(draw(st.integers(0, 3))))
            parts[dump_id] = Part(incremental=draw(st.integers(0, 3)) > 0, files=files)
    arrivals = [
        Manifest(dump_id, (f"manifests/sync_{dump_id}.json",), f"2026-01-01T00:{minute:02}:00.000Z")
        for minute, dump_id in enumerate(draw(st.permutations(dump_ids)))
    ]
    looks = sorted(draw(st.lists(st.integers(1, count), min_size=1, max_size=6)))
    limits = draw(st.lists(st.integers(0, 6), min_size=len(looks), max_size=len(looks)))
    return History(arrivals, parts, looks, limits, draw(st.sampled_from([1, 2, 3, 30])))


@settings(max_examples=HISTORIES, deadline=None)
@given(histories())
def test_batches_with_a_limit_are_replayed_exactly_and_complete(history: History) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "REMEMBERED_DUMPS", history.remembered)
        batches: list[tuple[Position, Position, list[tuple[int, str]]]] = []
        position = Position()

        def batch(visible: list[Manifest], limit: int | None) -> Position:
            to_read = plan(unsettled(visible, position), history.parts, position)
            steps = list(to_read)[:limit]
            end = steps[-1].after if steps else to_read.start
            batches.append((position, end, sorted((step.dump_id, step.file) for step in steps)))
            return Position.from_state(end.to_state())

        for look, limit in zip(history.looks, history.limits, strict=True):
            position = batch(history.arrivals[:look], limit)
        while (end := batch(history.arrivals, None)) != position:
            position = end
        _assert_exact(history, batches)


@settings(max_examples=HISTORIES, deadline=None)
@given(histories())
def test_offsets_planned_from_the_beginning_are_replayed_exactly_and_complete(history: History) -> None:
    """PySpark 4.0 and 4.1 request the latest offset without passing the stream's position."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "REMEMBERED_DUMPS", history.remembered)
        batches = []
        position = Position()
        for look in [*history.looks, len(history.arrivals)]:
            visible = history.arrivals[:look]
            end = plan(unsettled(visible, Position()), history.parts, Position()).end
            batches.append((position, end, sorted(history.between(visible, position, end))))
            position = end
        _assert_exact(history, batches)


def _assert_exact(history: History, batches: list[tuple[Position, Position, list[tuple[int, str]]]]) -> None:
    for start, end, files in batches:
        assert sorted(history.between(history.arrivals, start, end)) == files
    read = [file for _, _, files in batches for file in files]
    assert len(read) == len(set(read))
    assert history.current <= set(read)
    assert history.between(history.arrivals, batches[-1][1], batches[-1][1]) == []


def test_all_files_are_read_if_the_manifest_no_longer_lists_the_last_one_read() -> None:
    manifest, gone = Manifest(2, ("m",), "2026-01-01T00:00:00.000Z"), Position(dump_id=2, file="gone")
    parts = {2: Part(incremental=True, files=("a", "b"))}
    assert between([manifest], parts, Position(), gone) == [(2, ["a", "b"])]
    assert between([manifest], parts, gone, Position(settled=(2,))) == [(2, ["a", "b"])]


def test_a_file_name_that_two_dumps_share_only_marks_the_position_in_its_own_dump() -> None:
    manifests = [Manifest(number, (f"m{number}",), "2026-01-01T00:00:00.000Z") for number in (2, 3)]
    parts = {number: Part(incremental=True, files=("a", "b")) for number in (2, 3)}
    middle = Position(settled=(2,), dump_id=3, file="a")
    assert between(manifests, parts, Position(), middle) == [(2, ["a", "b"]), (3, ["a"])]
    assert between(manifests, parts, Position(dump_id=2, file="a"), middle) == [(2, ["b"]), (3, ["a"])]
