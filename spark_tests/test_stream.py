"""`spark.readStream.format("heap")`: what came since, exactly, over nights, restarts and replays."""

import json
import shutil
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from spark_tests.world import World, options, rows

try:
    from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow
except ImportError:  # before PySpark 4.2
    SupportsTriggerAvailableNow = None  # type: ignore[assignment,misc] # as the package does


def run(spark: SparkSession, world: World, table: str, folder: Path, **more: str) -> None:
    stream = spark.readStream.format("heap").options(**options(world.bucket, table, **more)).load()
    writer = stream.writeStream.format("parquet").option("path", str(folder / table))
    query = writer.option("checkpointLocation", str(folder / f"{table}-checkpoint")).trigger(availableNow=True).start()
    query.awaitTermination()


def read(spark: SparkSession, world: World, table: str, folder: Path) -> list[str]:
    """The current content, by the rule of the README: rows of dumps before the first valid one are void."""
    tables = spark.read.format("heap").options(**options(world.bucket, "_heap_tables")).load().collect()
    (first_valid,) = (row.first_valid_dump_id for row in tables if row["table"] == table)
    found = spark.read.option("mergeSchema", "true").parquet(str(folder / table))
    return rows(found.where(f"_heap_dump_id >= {first_valid}").collect())


@pytest.mark.parametrize("table", ["pageviews", "users", "search_submit_results", "sign_up_click_link"])
def test_nights_come_once_each_late_and_resynced_dumps_included(
    spark: SparkSession, world: World, tmp_path: Path, table: str
) -> None:
    for _ in range(3):
        run(spark, world, table, tmp_path, newColumns="ignore")
        assert read(spark, world, table, tmp_path) == world.expected(table)
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
    run(spark, world, "users", tmp_path)
    assert read(spark, world, "users", tmp_path) == world.expected("users") != before


def test_a_checkpoint_of_another_table_is_rejected(spark: SparkSession, world: World, tmp_path: Path) -> None:
    run(spark, world, "users", tmp_path)
    shutil.copytree(tmp_path / "users-checkpoint", tmp_path / "sessions-checkpoint")
    with pytest.raises(PySparkException, match="The checkpoint is of another stream: its table is 'users'"):
        run(spark, world, "sessions", tmp_path)


def test_offsets_are_positions(spark: SparkSession, world: World, tmp_path: Path) -> None:
    run(spark, world, "users", tmp_path)
    offset = json.loads((tmp_path / "users-checkpoint" / "offsets" / "0").read_text().splitlines()[-1])
    assert (offset["bucket"], offset["table"], offset["version"]) == (world.bucket.server.bucket, "users", 1)


@pytest.mark.skipif(SupportsTriggerAvailableNow is None, reason="admission limits came with PySpark 4.2")
@pytest.mark.parametrize("limit", [{"maxFilesPerTrigger": "2"}, {"maxBytesPerTrigger": "4k"}])
def test_limits_make_several_batches_with_the_same_rows(
    spark: SparkSession, world: World, tmp_path: Path, limit: dict[str, str]
) -> None:
    run(spark, world, "pageviews", tmp_path, **limit)
    assert read(spark, world, "pageviews", tmp_path) == world.expected("pageviews")
    assert len(list((tmp_path / "pageviews-checkpoint" / "commits").glob("[0-9]*"))) > 2


@pytest.mark.skipif(SupportsTriggerAvailableNow is not None, reason="PySpark has admission limits since 4.2")
def test_limits_are_rejected_where_spark_has_none(spark: SparkSession, world: World, tmp_path: Path) -> None:
    with pytest.raises(PySparkException, match=r"need PySpark 4\.2"):
        run(spark, world, "users", tmp_path, maxFilesPerTrigger="2")
