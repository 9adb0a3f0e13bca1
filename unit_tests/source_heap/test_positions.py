import json
from collections import Counter
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_heap import positions
from source_heap.positions import Manifest, Part, Plan, Position, in_order, plan, unsettled
from source_heap.progress import Progress


def manifest(dump_id: int, minute: int = 0) -> Manifest:
    return Manifest(
        dump_id, (f"manifests/sync_{dump_id}.json",), f"2025-01-01T{minute // 60:02}:{minute % 60:02}:00.000Z"
    )


def part(dump_id: int, *names: str, incremental: bool = True) -> Part:
    return Part(incremental, tuple(f"sync_{dump_id}/t/{name}" for name in names))


def planned(listed: list[Manifest], parts: dict[int, Part], position: Position) -> Plan:
    pending = unsettled(listed, position)
    asked = {m.dump_id for m in pending}
    return plan(pending, {k: v for k, v in parts.items() if k in asked}, position)


def files(of: Plan) -> list[str]:
    return [step.file for step in of]


def end(of: Plan) -> Position:
    return Position.from_state(json.loads(json.dumps([of.start, *(step.after for step in of)][-1].to_state())))


def test_files_are_ordered_by_numeric_dump_id_then_part() -> None:
    parts = {n: part(n, "part-10000-x.avro", "part-00002-x.avro") for n in (999, 1000, 1008461850)}
    plan_ = planned([manifest(n) for n in (1000, 1008461850, 999)], parts, Position())
    assert files(plan_) == [f"sync_{n}/t/part-{i}-x.avro" for n in (999, 1000, 1008461850) for i in ("00002", "10000")]


def test_more_than_ten_thousand_parts_keep_their_order() -> None:
    names = [f"part-{i:05}-u-c000.avro" for i in range(11_000)]
    assert in_order(reversed(names)) == names


def test_files_without_numbers_in_their_names_are_read_too() -> None:
    assert set(in_order(["a/ffee.avro", "a/x.avro", "a/x.avro", "a/a97.avro"])) == {
        "a/ffee.avro",
        "a/x.avro",
        "a/a97.avro",
    }


def test_a_full_copy_voids_all_earlier_dumps() -> None:
    parts = {1: part(1, "a"), 2: part(2, "a"), 3: part(3, "a", incremental=False), 4: part(4, "a")}
    assert files(planned([manifest(n) for n in parts], parts, Position())) == ["sync_3/t/a", "sync_4/t/a"]


def test_an_empty_full_copy_also_voids_earlier_dumps() -> None:
    parts = {1: part(1, "a"), 2: part(2, incremental=False)}
    plan_ = planned([manifest(1), manifest(2)], parts, Position())
    assert files(plan_) == []
    assert plan_.start.full_dump_id == 2


def test_manifests_without_the_table_are_not_fetched_again() -> None:
    listed = [manifest(n, minute=n) for n in range(1, 60)]
    position = end(planned(listed, {20: part(20, "a")}, Position()))
    assert unsettled([*listed, manifest(60, minute=60)], position) == [manifest(60, minute=60)]


def test_reading_resumes_after_the_last_file() -> None:
    parts = {1: part(1, "a1", "a2", "a3")}
    first = list(planned([manifest(1)], parts, Position()))[1].after
    assert files(planned([manifest(1)], parts, first)) == ["sync_1/t/a3"]


def test_a_dump_is_read_in_full_if_the_last_file_read_is_no_longer_listed() -> None:
    first = next(iter(planned([manifest(1)], {1: part(1, "a1", "a2")}, Position()))).after
    assert files(planned([manifest(1)], {1: part(1, "b1", "b2")}, first)) == ["sync_1/t/b1", "sync_1/t/b2"]


@pytest.mark.parametrize("history", [5, 500])
def test_a_late_manifest_is_detected_however_old_its_id(history: int) -> None:
    parts = {n: part(n, "a") for n in range(2, history, 2)}
    listed = [manifest(n, minute=n) for n in parts]
    position = end(planned(listed, parts, Position()))
    late = manifest(3, minute=history + 1)
    assert files(planned([*listed, late], {**parts, 3: part(3, "late")}, position)) == ["sync_3/t/late"]


def test_late_dumps_are_read_by_modification_time_before_newer_ones() -> None:
    parts = {n: part(n, "a") for n in range(10, 500)}
    listed = [manifest(n, minute=n) for n in parts]
    position = end(planned(listed, parts, Position()))
    new = [manifest(600, minute=501), manifest(3, minute=503), manifest(4, minute=502)]
    to_read = planned([*listed, *new], {**parts, **{n: part(n, "b") for n in (3, 4, 600)}}, position)
    assert [step.dump_id for step in to_read] == [4, 3, 600]


def test_a_late_manifest_from_before_a_full_copy_is_void() -> None:
    parts = {2: part(2, "a"), 5: part(5, "a", incremental=False)}
    listed = [manifest(n, minute=n) for n in parts]
    position = end(planned(listed, parts, Position()))
    assert files(planned([*listed, manifest(3, minute=9)], {**parts, 3: part(3, "late")}, position)) == []


def test_a_late_full_copy_is_read_without_voiding_later_dumps() -> None:
    parts = {2: part(2, "a"), 5: part(5, "a")}
    listed = [manifest(n, minute=n) for n in parts]
    position = end(planned(listed, parts, Position()))
    late = planned([*listed, manifest(3, minute=9)], {**parts, 3: part(3, "late", incremental=False)}, position)
    assert files(late) == ["sync_3/t/late"]
    assert end(late).full_dump_id == 3


def test_a_dump_in_progress_is_finished_before_a_late_one() -> None:
    parts = {5: part(5, "a1", "a2", "a3")}
    position = next(iter(planned([manifest(5)], parts, Position()))).after
    listed = [manifest(5), manifest(4, minute=1)]
    assert files(planned(listed, {**parts, 4: part(4, "b1")}, position)) == [
        "sync_5/t/a2",
        "sync_5/t/a3",
        "sync_4/t/b1",
    ]


def test_progress_only_counts_files_without_unfinished_predecessors() -> None:
    plan_ = planned([manifest(1)], {1: part(1, "a1", "a2", "a3")}, Position())
    first, second, third = plan_
    progress = Progress(plan_.start)
    assert progress.finish(second.index, second.after) == plan_.start
    assert progress.finish(first.index, first.after) == second.after
    assert progress.finish(third.index, third.after) == third.after


def test_the_state_does_not_grow_with_history() -> None:
    sizes = []
    for history in (100, 3000):
        parts = {1_000_000_000 + 3 * n: part(n, "part-00000-c000.avro") for n in range(history)}
        listed = [manifest(dump_id, minute=i % 1000) for i, dump_id in enumerate(parts)]
        sizes.append(max(len(json.dumps(step.after.to_state())) for step in planned(listed, parts, Position())))
    assert sizes[1] <= sizes[0] + 4
    assert sizes[1] < 700


@dataclass(frozen=True)
class Arrival:
    """A dump whose manifest appears in a round, and its part of the table."""

    dump_id: int
    part: Part | None


@st.composite
def histories(draw: st.DrawFn) -> list[list[Arrival]]:
    ids = draw(st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=14))
    arrivals = []
    for dump_id in ids:
        held = draw(st.none() | st.tuples(st.sampled_from([True, True, True, False]), st.integers(0, 3)))
        names = () if held is None else tuple(f"sync_{dump_id}/t/part-{i:05}.avro" for i in range(held[1]))
        arrivals.append(Arrival(dump_id, None if held is None else Part(held[0], names)))
    rounds = draw(st.integers(1, 6))
    order = draw(st.lists(st.integers(0, rounds - 1), min_size=len(arrivals), max_size=len(arrivals)))
    return [[a for a, r in zip(arrivals, order, strict=True) if r == n] for n in range(rounds)]


def current_files(parts: dict[int, Part]) -> set[str]:
    full = max((n for n, p in parts.items() if not p.incremental), default=-1)
    return {file for n, p in parts.items() if n >= full for file in p.files}


@settings(max_examples=600, deadline=None)
@given(history=histories(), remembered=st.sampled_from([1, 2, 30]), data=st.data())
def test_no_current_file_is_lost_and_no_void_file_is_read_whatever_happens(
    history: list[list[Arrival]], remembered: int, data: st.DataObject
) -> None:
    """Manifests arrive in any order; syncs read two files at a time and can crash after any file."""
    with patch.object(positions, "REMEMBERED_DUMPS", remembered):
        saved, listed, parts = Position().to_state(), list[Manifest](), dict[int, Part]()
        emitted, crashes = Counter[str](), 0
        for round_number, arrivals in enumerate(history):
            for arrival in arrivals:
                minute = round_number * 2 + data.draw(st.integers(0, 1), label="minute")
                listed.append(manifest(arrival.dump_id, minute=minute))
                if arrival.part is not None:
                    parts[arrival.dump_id] = arrival.part
            plan_ = planned(listed, parts, Position.from_state(saved))
            steps = list(plan_)
            assert {step.file for step in steps} <= current_files(parts)
            progress = Progress(plan_.start)
            survives = data.draw(st.integers(0, len(steps)), label="files before the crash")
            crashes += survives < len(steps)
            saved = plan_.start.to_state()
            waiting = list(steps)
            for _ in range(survives):
                step = waiting.pop(data.draw(st.integers(0, min(1, len(waiting) - 1)), label="which of two"))
                emitted[step.file] += 1
                saved = json.loads(json.dumps(progress.finish(step.index, step.after).to_state()))
        last = planned(listed, parts, Position.from_state(saved))
        emitted.update(files(last))
        assert set(emitted) >= current_files(parts)
        assert files(planned(listed, parts, end(last))) == []
        assert len(end(last).settled) <= remembered + 1
        if not crashes:
            assert set(emitted.values()) <= {1}


def test_parts_are_ordered_by_the_first_number_in_their_file_name() -> None:
    names = ["9/part-10-x2", "9/part-9-x3", "2/8/part-2", "9/none", "9/part-0", "1/none-7"]
    assert in_order(names) == ["9/none", "9/part-0", "2/8/part-2", "1/none-7", "9/part-9-x3", "9/part-10-x2"]


def test_missing_members_of_a_state_default_to_the_beginning() -> None:
    assert Position.from_state({"full_dump_id": None}) == Position()


def test_a_position_between_dumps_has_no_file_in_progress() -> None:
    assert Position(floor=3).to_state()["reading"] is None
    settled = Position(dump_id=7, file="a").settle(manifest(7), following=None)
    assert (settled.dump_id, settled.file) == (None, None)


def test_the_thirty_newest_ids_are_remembered_one_by_one() -> None:
    position = Position()
    for number in range(positions.REMEMBERED_DUMPS + 1):
        position = position.settle(manifest(number), following=None)
    assert (position.floor, position.settled) == (0, tuple(range(1, positions.REMEMBERED_DUMPS + 1)))


def test_the_floor_stays_below_the_next_dump() -> None:
    even = tuple(range(10, 10 + 2 * positions.REMEMBERED_DUMPS, 2))
    position = Position(settled=even).settle(manifest(100), following=manifest(11))
    assert (position.floor, position.settled[:2]) == (10, (12, 14))


@pytest.mark.parametrize("late", [5, 10])
def test_a_late_dump_that_follows_holds_settled_until_back(late: int) -> None:
    position = Position(floor=10, settled_until=manifest(0, 1).written_at)
    assert position.settle(manifest(50, 5), following=manifest(late, 3)).settled_until == position.settled_until
    assert position.settle(manifest(50, 2), following=manifest(late, 3)).settled_until == manifest(50, 2).written_at


def test_a_dump_at_the_floor_counts_as_late() -> None:
    assert Position(floor=10).settle(manifest(10, 3), following=None).settled == ()
    parts = {5: part(5, "a"), 10: part(10, "a")}
    assert files(planned([manifest(10, 2), manifest(5, 3)], parts, Position(floor=10))) == ["sync_10/t/a", "sync_5/t/a"]


def test_a_late_dump_does_not_settle_another_one_written_at_the_same_time() -> None:
    listed = [manifest(5, 3), manifest(6, 3)]
    first, last = planned(listed, {5: part(5, "a"), 6: part(6, "a")}, Position(floor=10))
    assert not first.after.settles(listed[1])
    assert all(last.after.settles(each) for each in listed)


def test_late_dumps_stay_settled_when_a_new_one_was_written_before_them() -> None:
    listed = [manifest(5, 2), manifest(6, 9), manifest(20, 5)]
    *_, last = planned(listed, {n: part(n, "a") for n in (5, 6, 20)}, Position(floor=10))
    assert all(last.after.settles(each) for each in listed)


def test_steps_are_numbered_consecutively_across_dumps() -> None:
    listed = {n: part(n, "a", "b") for n in (1, 2, 3, 4)}
    assert [step.index for step in planned([manifest(n) for n in listed], listed, Position())] == list(range(8))
