"""`spark.read.format("heap")` against the world that wrote the dumps."""

from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from sandbox.heap.bucket import HeapBucket
from spark_tests.world import World, options, rows


def load(spark: SparkSession, bucket: HeapBucket, table: str, **more: str) -> DataFrame:
    return spark.read.format("heap").options(**options(bucket, table, **more)).load()


def test_every_table_has_exactly_its_current_rows(spark: SparkSession, full: HeapBucket) -> None:
    for table in full.world.tables:
        found = load(spark, full, table, maxPartitionBytes="8k", openCostInBytes="1k").collect()
        assert rows(found) == rows(full.world.expected(table)), table


def test_the_tables_of_metadata(spark: SparkSession, full: HeapBucket) -> None:
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


def test_columns_and_schema(spark: SparkSession, full: HeapBucket) -> None:
    expected = full.world.expected("users")
    by_option = load(spark, full, "users", columns="_heap_dump_id, user_id")
    assert by_option.columns == ["_heap_dump_id", "user_id"]
    given = spark.read.format("heap").schema("user_id string").options(**options(full, "users", newColumns="ignore"))
    assert sorted(row.user_id for row in given.load().collect()) == sorted(str(row["user_id"]) for row in expected)


FAILURES = [
    ("users", {"tabel": "x"}, "has no option 'tabel'"),
    ("users", {"newColumns": "maybe"}, "newColumns is 'fail' or 'ignore'"),
    ("users", {"maxPartitionBytes": "many"}, "maxPartitionBytes is not a positive number"),
    ("users", {"columns": "user_id,e-mail"}, "Table 'users' has no column e-mail"),
    ("users", {"startDate": "soon"}, "Start date 'soon' is not a date"),
    ("users", {"awsSecretAccessKey": "wrong-secret"}, "secret access key does not match"),
    ("users", {"bucket": "heap-rs3-other"}, "Access denied when listing bucket 'heap-rs3-other'"),
    ("mistyped", {}, "No dump contains the table 'mistyped'"),
]


@pytest.mark.parametrize(("table", "more", "message"), FAILURES)
def test_failures_of_planning_say_what_to_change(
    spark: SparkSession, full: HeapBucket, table: str, more: dict[str, str], message: str
) -> None:
    with pytest.raises(PySparkException, match=message):
        load(spark, full, table, **more)


@pytest.mark.parametrize(("schema", "message"), [("user_id date", "cannot be read as date"), ("x long", "no column x")])
def test_a_schema_that_does_not_fit_names_the_column(
    spark: SparkSession, full: HeapBucket, schema: str, message: str
) -> None:
    reader = spark.read.format("heap").schema(schema).options(**options(full, "users"))
    with pytest.raises(PySparkException, match=message):
        reader.load().collect()


def test_a_corrupt_and_a_missing_file_are_named(spark: SparkSession, world: World) -> None:
    bucket = world.bucket
    dump_id, file = max(bucket.world.current_files("pageviews"), key=lambda item: len(list(item[1].rows())))
    client = bucket.server.client(bucket.server.writer)
    content = (bucket.directory / file.key).read_bytes()
    client.put_object(Bucket=bucket.server.bucket, Key=file.key, Body=content[:-40])
    with pytest.raises(PySparkException, match=rf"Table 'pageviews', dump {dump_id}, file '{file.key}', byte \d+"):
        load(spark, bucket, "pageviews").collect()
    client.delete_object(Bucket=bucket.server.bucket, Key=file.key)
    with pytest.raises(PySparkException, match=rf"names the file '{file.key}'|no object '{file.key}'"):
        load(spark, bucket, "pageviews", columns="event_id").collect()


def test_a_type_that_does_not_fit_names_the_column(spark: SparkSession, full: HeapBucket) -> None:
    reader = spark.read.format("heap").schema("path long").options(**options(full, "pageviews", newColumns="ignore"))
    with pytest.raises(PySparkException, match=r"Table 'pageviews', dump .*column 'path' holds"):
        reader.load().collect()


def test_a_data_frame_is_a_snapshot_until_it_is_loaded_again(spark: SparkSession, world: World) -> None:
    before = load(spark, world.bucket, "pageviews")
    expected = world.expected("pageviews")
    world.night()
    assert rows(before.collect()) == expected
    assert rows(load(spark, world.bucket, "pageviews").collect()) == world.expected("pageviews")


def test_no_secret_is_in_plans_event_logs_or_exceptions(
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
