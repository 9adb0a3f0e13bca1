"""`spark.read.format("heap")`, compared with the generator that wrote the dumps."""

import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sandbox.heap.bucket import HeapBucket
from spark_tests.world import World, answered, load, options, rows


def test_every_table_has_exactly_its_current_rows(spark: SparkSession, full: HeapBucket) -> None:
    for table in full.world.tables:
        found = load(spark, full, table, maxPartitionBytes="8k", openCostInBytes="1k").collect()
        assert rows(found) == rows(full.world.expected(table)), table


def test_the_metadata_tables_describe_the_current_files(spark: SparkSession, full: HeapBucket) -> None:
    tables = {row["table"]: row for row in load(spark, full, "_heap_tables").collect()}
    files = load(spark, full, "_heap_files").collect()
    assert sorted(tables) == full.world.tables
    for table, row in tables.items():
        current = full.world.current_files(table)
        named = {f"s3://{full.server.bucket}/{file.key}" for _, file in current}
        assert {file["file"] for file in files if file["table"] == table} == named
        assert row["file_count"] == len(current)
    assert all(file["size"] > 0 for file in files)


def test_large_files_are_split_and_small_ones_bundled(spark: SparkSession, full: HeapBucket) -> None:
    split = load(spark, full, "pageviews", maxPartitionBytes="2k", openCostInBytes="1")
    whole = load(spark, full, "pageviews")
    files = len(full.world.current_files("pageviews"))
    assert split.rdd.getNumPartitions() > files > whole.rdd.getNumPartitions() == 1
    assert rows(split.collect()) == rows(whole.collect())


def test_columns_can_be_chosen_by_option_and_by_schema(spark: SparkSession, full: HeapBucket) -> None:
    expected = full.world.expected("users")
    by_option = load(spark, full, "users", columns="_heap_dump_id, user_id")
    assert by_option.columns == ["_heap_dump_id", "user_id"]
    given = spark.read.format("heap").schema("user_id string").options(**options(full, "users", newColumns="ignore"))
    assert sorted(row.user_id for row in given.load().collect()) == sorted(str(row["user_id"]) for row in expected)


def test_planning_lists_the_manifests_once_and_reads_each_once(spark: SparkSession, full: HeapBucket) -> None:
    dumps = {dump_id for dump_id, _ in full.world.current_files("pageviews")}
    before = answered(full)
    load(spark, full, "pageviews", awsRegion=full.server.region).rdd.getNumPartitions()
    asked = answered(full) - before
    assert asked["LIST"] == 1 + len(dumps)  # the manifests; the file sizes of each current dump
    assert asked["GET"] == len(full.world.dumps) + len(dumps)  # the manifests; a header of each current dump


def test_a_data_frame_is_a_snapshot_until_it_is_loaded_again(spark: SparkSession, world: World) -> None:
    before = load(spark, world.bucket, "pageviews")
    expected = world.expected("pageviews")
    world.night()
    assert rows(before.collect()) == expected
    assert rows(load(spark, world.bucket, "pageviews").collect()) == world.expected("pageviews")


def test_plans_event_logs_and_exceptions_contain_no_secret(
    spark: SparkSession, full: HeapBucket, event_logs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = full.config["credentials"]["aws_secret_access_key"]
    frame = load(spark, full, "users")
    frame.explain(mode="extended")
    frame.collect()
    with pytest.raises(PySparkException) as caught:
        load(spark, full, "mistyped")
    written = capfd.readouterr()
    logs = [path.read_bytes() for path in event_logs.rglob("*") if path.is_file()]
    assert logs
    assert secret not in written.out + written.err + str(caught.value)
    assert not any(secret.encode() in log for log in logs)


def test_the_package_imports_nothing_except_pyspark() -> None:
    """If any module named `pyspark_…` fails to import, Spark finds no Python data source at all."""
    script = "import sys, pyspark.sql.datasource; before = set(sys.modules); import pyspark_heap; "
    script += "print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    assert loaded.split() == ["pyspark_heap"]
