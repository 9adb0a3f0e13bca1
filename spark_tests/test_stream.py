"""`spark.readStream.format("heap")`: exactly the new rows, over nights, restarts and replays."""

import json
import shutil
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pyspark_heap import HeapDataSource
from pyspark_heap.content import Snapshot
from pyspark_heap.partitions import Splits
from pyspark_heap.stream import HeapStreamReader
from spark_tests.driver import append_new_rows
from spark_tests.world import ADMITS, World, answered, current_rows, options, rows

needs_start = pytest.mark.skipif(not ADMITS, reason="PySpark passes the position of a stream since 4.2")


def run(spark: SparkSession, world: World, table: str, folder: Path, **more: str) -> None:
    append_new_rows(spark, options(world.bucket, table, **more), folder)


@pytest.mark.parametrize("table", ["pageviews", "users", "search_submit_results", "sign_up_click_link"])
def test_each_nights_rows_arrive_once_including_late_and_resynced_dumps(
    spark: SparkSession, world: World, tmp_path: Path, table: str
) -> None:
    for _ in range(3):
        run(spark, world, table, tmp_path, newColumns="ignore")
        assert current_rows(spark, world, table, tmp_path) == world.expected(table)
        world.night()


def test_an_uncommitted_batch_is_replayed_exactly_despite_new_dumps(
    spark: SparkSession, world: World, tmp_path: Path
) -> None:
    run(spark, world, "users", tmp_path)
    before = world.expected("users")
    checkpoint = tmp_path / "users-checkpoint"
    for commit in (checkpoint / "commits").glob("*0*"):
        commit.unlink()
    shutil.rmtree(tmp_path / "users")
    world.night()
    for _ in range(2):  # before PySpark 4.2, the first run repeats the interrupted batch and ends
        run(spark, world, "users", tmp_path)
    assert current_rows(spark, world, "users", tmp_path) == world.expected("users") != before


def test_a_checkpoint_of_another_table_is_rejected(spark: SparkSession, world: World, tmp_path: Path) -> None:
    run(spark, world, "users", tmp_path)
    shutil.copytree(tmp_path / "users-checkpoint", tmp_path / "sessions-checkpoint")
    with pytest.raises(PySparkException, match="The checkpoint belongs to another stream: its table is 'users'"):
        run(spark, world, "sessions", tmp_path)


def test_a_run_reads_each_manifest_once_and_lists_them_once_if_spark_passes_its_start(
    spark: SparkSession, world: World, tmp_path: Path
) -> None:
    files = world.bucket.world.current_files("users")
    dumps = {dump_id for dump_id, _ in files}
    asked = requests_of_a_run(spark, world, tmp_path)
    listings = 1 if ADMITS else 2  # on load; on start
    assert asked["LIST"] == listings + len(dumps)  # the sizes of files
    assert asked["GET"] == len(world.bucket.world.dumps) + len(dumps) + len(files)
    world.night()
    all_files = world.bucket.world.current_files("users")
    new = {dump_id for dump_id, _ in all_files} - dumps
    asked = requests_of_a_run(spark, world, tmp_path)
    assert asked["LIST"] == 2 + len(new)  # a resumed run does not use the listing of its load
    assert asked["GET"] == len(world.bucket.world.dumps) + len(dumps | new) + len(all_files) - len(files)


def requests_of_a_run(spark: SparkSession, world: World, folder: Path) -> Counter[str]:
    before = answered(world.bucket)
    append_new_rows(spark, options(world.bucket, "users", awsRegion=world.bucket.server.region), folder)
    return answered(world.bucket) - before


def test_a_later_batch_lists_once_and_only_reads_new_manifests(world: World) -> None:
    """Uses a single reader, as a query does in its own process; a query looks as often as its trigger says."""
    source = HeapDataSource(options(world.bucket, "users", awsRegion=world.bucket.server.region))
    reader = source.streamReader(source.schema())
    end = reader.initialOffset()
    dumps = len(world.bucket.world.dumps)
    for _ in range(3):
        start, before = end, answered(world.bucket)
        end = reader.latestOffset(*((start, None) if ADMITS else ()))
        partitions = reader.partitions(start, end)
        asked = answered(world.bucket) - before
        folders = {split.file.dump_id for part in partitions if isinstance(part, Splits) for split in part.splits}
        is_first = start == reader.initialOffset()
        assert bool(folders) == (start != end)
        assert asked["LIST"] == (0 if is_first and ADMITS else 1) + len(folders)
        assert asked["GET"] == len(world.bucket.world.dumps) - dumps
        dumps = len(world.bucket.world.dumps)
        if is_first:
            world.night()


@needs_start
def test_the_first_run_reads_the_bucket_as_of_load_and_the_next_run_new_dumps(
    spark: SparkSession, world: World, tmp_path: Path
) -> None:
    stream = spark.readStream.format("heap").options(**options(world.bucket, "users")).load()
    loaded = world.expected("users")
    world.night()
    for expected in (loaded, world.expected("users"), world.expected("users")):
        writer = stream.writeStream.format("parquet").option("path", str(tmp_path / "users"))
        writer = writer.option("checkpointLocation", str(tmp_path / "checkpoint"))
        writer.trigger(availableNow=True).start().awaitTermination()
        assert rows(spark.read.schema(stream.schema).parquet(str(tmp_path / "users")).collect()) == expected
    assert expected != loaded


@needs_start
@pytest.mark.parametrize(("age", "is_new"), [(60, False), (3_600, True)], ids=["a minute", "an hour"])
def test_a_stream_that_starts_long_after_load_includes_dumps_since(world: World, age: int, is_new: bool) -> None:  # noqa: FBT001 # a case
    given = options(world.bucket, "users")
    loaded = Snapshot.of(given)
    world.night()

    snapshots = replace(loaded, listed_at=time.time() - age), Snapshot.of(given)
    readers = [HeapStreamReader(given, snapshot.schema, snapshot) for snapshot in snapshots]
    old, new = [reader.latestOffset(reader.initialOffset()) for reader in readers]

    assert (old == new) == is_new


def test_offsets_record_bucket_table_and_version(spark: SparkSession, world: World, tmp_path: Path) -> None:
    run(spark, world, "users", tmp_path)
    offset = json.loads((tmp_path / "users-checkpoint" / "offsets" / "0").read_text().splitlines()[-1])
    assert (offset["bucket"], offset["table"], offset["version"]) == (world.bucket.server.bucket, "users", 1)


@pytest.mark.skipif(not ADMITS, reason="admission limits need PySpark 4.2")
@pytest.mark.parametrize("limit", [{"maxFilesPerTrigger": "2"}, {"maxBytesPerTrigger": "4k"}])
def test_limits_split_a_run_into_several_batches_with_the_same_rows(
    spark: SparkSession, world: World, tmp_path: Path, limit: dict[str, str]
) -> None:
    run(spark, world, "pageviews", tmp_path, **limit)
    assert current_rows(spark, world, "pageviews", tmp_path) == world.expected("pageviews")
    assert len(list((tmp_path / "pageviews-checkpoint" / "commits").glob("[0-9]*"))) > 2


@pytest.mark.skipif(ADMITS, reason="PySpark has admission limits since 4.2")
def test_limits_are_rejected_if_spark_does_not_support_them(spark: SparkSession, world: World, tmp_path: Path) -> None:
    with pytest.raises(PySparkException, match=r"need PySpark 4\.2"):
        run(spark, world, "users", tmp_path, maxFilesPerTrigger="2")
