"""The number of requests of a sync, counted from the manifests."""

from source_heap.components.files import FilesRouter
from source_heap.costs import table_costs
from unit_tests.source_heap.memory_bucket import MemoryBucket


def history(dumps: int) -> MemoryBucket:
    """Up to four dumps: a full copy of `clicks` in the second voids the first's files, and the last has no `users`."""
    bucket = MemoryBucket()
    bucket.add_dump(
        1, clicks={"columns": [], "files": ["a.avro", "b.avro"]}, users={"columns": [], "files": ["a.avro"]}
    )
    bucket.add_dump(2, clicks={"columns": [], "files": ["a.avro", "b.avro", "c.avro"], "incremental": False})
    bucket.add_dump(3, clicks={"columns": [], "files": ["a.avro"]}, users={"columns": [], "files": ["a.avro"]})
    if dumps > 3:
        bucket.add_dump(4, clicks={"columns": [], "files": ["a.avro", "b.avro"]}, _event_metadata={"columns": []})
    return bucket


def counted(bucket: MemoryBucket) -> dict[str, tuple[int, int]]:
    access = bucket.run().bucket
    assert access
    return {name: (cost.first_sync, cost.daily_sync) for name, cost in table_costs(access).items()}


def test_a_table_costs_the_listing_the_manifests_and_its_current_files() -> None:
    assert counted(history(4)) == {
        "clicks": (1 + 4 + 3 + 1 + 2, 1 + 1 + 2),
        "users": (1 + 4 + 2, 1 + 1),
        "_heap_tables": (1 + 4, 1 + 1),
    }


def test_a_full_copy_is_read_in_full_by_its_daily_sync() -> None:
    bucket = history(3)
    bucket.add_dump(4, clicks={"columns": [], "files": ["a.avro", "b.avro"], "incremental": False})
    assert counted(bucket)["clicks"] == (1 + 4 + 2, 1 + 1 + 2)


def test_a_first_sync_makes_as_many_requests_as_counted() -> None:
    bucket = history(4)
    first_sync, _ = counted(bucket)["clicks"]
    slices = list(FilesRouter(config=bucket.run(), table="clicks").stream_slices())
    assert len(bucket.asked) + len(slices) == first_sync
