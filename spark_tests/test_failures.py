"""Failures surface as Spark exceptions that state the problem, its location and the remedy."""

import re
from collections.abc import Iterator

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.dumps import AvroFile
from sandbox.heap.s3 import SeaweedS3
from spark_tests.gate import Gate
from spark_tests.world import World, load, options, rows

FAILURES = [
    ("users", {"tabel": "x"}, "has no option 'tabel'"),
    ("users", {"newColumns": "maybe"}, "newColumns must be 'fail' or 'ignore'"),
    ("users", {"maxPartitionBytes": "many"}, "maxPartitionBytes must be a positive number"),
    ("users", {"columns": "user_id,e-mail"}, "Table 'users' has no column e-mail"),
    ("users", {"startDate": "soon"}, "Start date 'soon' is not a date"),
    ("users", {"awsSecretAccessKey": "wrong-secret"}, "secret access key does not match"),
    ("users", {"bucket": "heap-rs3-other"}, "Access denied when listing bucket 'heap-rs3-other'"),
    ("mistyped", {}, "No dump contains the table 'mistyped'"),
]


@pytest.mark.parametrize(("table", "more", "message"), FAILURES)
def test_errors_during_planning_say_what_to_change(
    spark: SparkSession, full: HeapBucket, table: str, more: dict[str, str], message: str
) -> None:
    with pytest.raises(PySparkException, match=message):
        load(spark, full, table, **more)


@pytest.mark.parametrize(("schema", "message"), [("user_id date", "cannot be read as date"), ("x long", "no column x")])
def test_an_unusable_schema_is_reported_with_its_column(
    spark: SparkSession, full: HeapBucket, schema: str, message: str
) -> None:
    reader = spark.read.format("heap").schema(schema).options(**options(full, "users"))
    with pytest.raises(PySparkException, match=message):
        reader.load().collect()


@pytest.fixture
def largest(world: World) -> tuple[int, AvroFile]:
    """The largest file of pageviews, with its dump."""
    files = world.bucket.world.current_files("pageviews")
    return max(files, key=lambda item: (world.bucket.directory / item[1].key).stat().st_size)


def put(heap: HeapBucket, file: AvroFile, content: bytes) -> None:
    server = heap.server
    server.client(server.writer).put_object(Bucket=server.bucket, Key=file.key, Body=content)


@pytest.mark.parametrize("max_partition_bytes", ["128m", "4k"])
def test_a_corrupt_block_is_reported_with_its_byte_offset(
    spark: SparkSession, world: World, largest: tuple[int, AvroFile], max_partition_bytes: str
) -> None:
    dump_id, file = largest
    content = (world.bucket.directory / file.key).read_bytes()
    middle = len(content) // 2
    put(world.bucket, file, content[:middle] + bytes(50) + content[middle + 50 :])
    frame = load(spark, world.bucket, "pageviews", maxPartitionBytes=max_partition_bytes, openCostInBytes="1k")
    with pytest.raises(PySparkException, match=_place(dump_id, file) + r"byte \d+: .*Restore the object, or ask Heap"):
        frame.collect()


def test_a_truncated_file_is_reported_with_the_byte_offset(
    spark: SparkSession, world: World, largest: tuple[int, AvroFile]
) -> None:
    dump_id, file = largest
    put(world.bucket, file, (world.bucket.directory / file.key).read_bytes()[:-40])
    with pytest.raises(PySparkException, match=_place(dump_id, file) + r"byte \d+: unexpected end of file"):
        load(spark, world.bucket, "pageviews").collect()


def test_a_missing_file_is_reported_before_any_task_starts(
    spark: SparkSession, world: World, largest: tuple[int, AvroFile]
) -> None:
    dump_id, file = largest
    frame = load(spark, world.bucket, "pageviews")
    server = world.bucket.server
    server.client(server.writer).delete_object(Bucket=server.bucket, Key=file.key)
    with pytest.raises(PySparkException, match=f"manifest of dump {dump_id} lists the file '{re.escape(file.key)}'"):
        frame.rdd.getNumPartitions()


def test_a_column_type_that_does_not_fit_is_reported_with_its_column(spark: SparkSession, full: HeapBucket) -> None:
    reader = spark.read.format("heap").schema("path long").options(**options(full, "pageviews", newColumns="ignore"))
    with pytest.raises(PySparkException, match=r"Table 'pageviews', dump .*column 'path' holds"):
        reader.load().collect()


class ListingOnly(SeaweedS3):
    """A store whose reader can list the bucket but not read objects, as when Heap's account owns them."""

    def _identities(self) -> dict[str, list[dict[str, object]]]:
        identities = super()._identities()
        identities["identities"][1]["actions"] = [f"List:{self.bucket}"]
        return identities


@pytest.fixture
def unreadable() -> Iterator[HeapBucket]:
    with heap_bucket(Clock(), scale=0.05, server=ListingOnly) as bucket:
        yield bucket


def test_missing_permissions_to_list_or_to_read_are_distinguished(
    spark: SparkSession, full: HeapBucket, unreadable: HeapBucket
) -> None:
    stranger = full.server.stranger
    keys = {"awsAccessKeyId": stranger.key_id, "awsSecretAccessKey": stranger.secret}
    with pytest.raises(PySparkException, match=f"denied when listing bucket '{full.server.bucket}'.*s3:ListBucket"):
        load(spark, full, "users", **keys)
    with pytest.raises(PySparkException, match=r"denied when reading object 'manifests/.*Object Ownership"):
        load(spark, unreadable, "users")


def test_expired_credentials_of_executors_are_retried_then_reported(spark: SparkSession, full: HeapBucket) -> None:
    with Gate(full.server.endpoint_url) as gate:
        frame = load(spark, full, "users", endpointUrl=gate.url)
        gate.answer_expired(2)
        assert rows(frame.collect()) == rows(full.world.expected("users"))
        gate.answer_expired(1_000)
        message = r"Table 'users', dump .*The AWS credentials have expired\. Renew them on the machine"
        with pytest.raises(PySparkException, match=message):
            frame.collect()


def _place(dump_id: int, file: AvroFile) -> str:
    return rf"Table 'pageviews', dump {dump_id}, file '{re.escape(file.key)}', "
