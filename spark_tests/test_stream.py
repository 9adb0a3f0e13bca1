"""`spark.readStream.format("heap")`: what came since, exactly, over nights, restarts and replays."""

import json
import shutil
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from spark_tests.driver import append_new_rows
from spark_tests.world import ADMITS, World, answered, current_rows, options


def run(spark: SparkSession, world: World, table: str, folder: Path, **more: str) -> None:
    append_new_rows(spark, options(world.bucket, table, **more), folder)


@pytest.mark.parametrize("table", ["pageviews", "users", "search_submit_results", "sign_up_click_link"])
def test_nights_come_once_each_late_and_resynced_dumps_included(
    spark: SparkSession, world: World, tmp_path: Path, table: str
) -> None:
    for _ in range(3):
        run(spark, world, table, tmp_path, newColumns="ignore")
        assert current_rows(spark, world, table, tmp_path) == world.expected(table)
        world.night()


def test_a_batch_that_was_not_committed_is_replayed_exactly_although_dumps_have_come(
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
    with pytest.raises(PySparkException, match="The checkpoint is of another stream: its table is 'users'"):
        run(spark, world, "sessions", tmp_path)


def test_the_first_batch_reads_each_manifest_once(spark: SparkSession, world: World, tmp_path: Path) -> None:
    files = world.bucket.world.current_files("users")
    dumps = {dump_id for dump_id, _ in files}
    before = answered(world.bucket)
    append_new_rows(spark, options(world.bucket, "users", awsRegion=world.bucket.server.region), tmp_path)
    asked = answered(world.bucket) - before
    assert asked["LIST"] == 2 + len(dumps)  # the manifests when it is loaded and started; the sizes of files
    assert asked["GET"] == len(world.bucket.world.dumps) + len(dumps) + len(files)


def test_offsets_are_positions(spark: SparkSession, world: World, tmp_path: Path) -> None:
    run(spark, world, "users", tmp_path)
    offset = json.loads((tmp_path / "users-checkpoint" / "offsets" / "0").read_text().splitlines()[-1])
    assert (offset["bucket"], offset["table"], offset["version"]) == (world.bucket.server.bucket, "users", 1)


@pytest.mark.skipif(not ADMITS, reason="admission limits came with PySpark 4.2")
@pytest.mark.parametrize("limit", [{"maxFilesPerTrigger": "2"}, {"maxBytesPerTrigger": "4k"}])
def test_limits_make_several_batches_with_the_same_rows(
    spark: SparkSession, world: World, tmp_path: Path, limit: dict[str, str]
) -> None:
    run(spark, world, "pageviews", tmp_path, **limit)
    assert current_rows(spark, world, "pageviews", tmp_path) == world.expected("pageviews")
    assert len(list((tmp_path / "pageviews-checkpoint" / "commits").glob("[0-9]*"))) > 2


@pytest.mark.skipif(ADMITS, reason="PySpark has admission limits since 4.2")
def test_limits_are_rejected_where_spark_has_none(spark: SparkSession, world: World, tmp_path: Path) -> None:
    with pytest.raises(PySparkException, match=r"need PySpark 4\.2"):
        run(spark, world, "users", tmp_path, maxFilesPerTrigger="2")
