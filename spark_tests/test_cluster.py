"""A standalone cluster of two workers whose parts are killed, whose roles expire, and whose logs are read.

Every row arrives exactly once, compared with the generator that wrote the dumps. Both executors are always within a
task when something is killed: the gate holds their requests back until then.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import SeaweedS3
from spark_tests.cluster import Cluster, Process
from spark_tests.driver import Driver
from spark_tests.gate import Gate
from spark_tests.world import World, current_rows, options

TABLES = ["pageviews", "users", "search_submit_results", "sign_up_click_link", "trial_reset_started"]
SECRET = "sandbox-secret-key"
SESSION_SECONDS = 3


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def gate(world: World) -> Iterator[Gate]:
    with Gate(world.bucket.server.endpoint_url) as gate:
        yield gate


class ShortSessions(SeaweedS3):
    """A store whose role sessions last three seconds."""

    def _roles(self) -> dict[str, Any]:
        roles = super()._roles()
        roles["sts"]["tokenDuration"] = f"{SESSION_SECONDS}s"
        return roles


@pytest.fixture
def short() -> Iterator[World]:
    clock = Clock()
    with heap_bucket(clock, scale=0.05, server=ShortSessions) as bucket:
        yield World(bucket, clock)


def task(cluster: Cluster, executor_environment: dict[str, str] | None = None, **work: Any) -> dict[str, Any]:  # noqa: ANN401 # JSON
    events = cluster.folder / "events"
    events.mkdir(exist_ok=True)
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": events.as_uri(),
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        **{f"spark.executorEnv.{name}": value for name, value in (executor_environment or {}).items()},
    }
    return {"master": cluster.master, "settings": settings, **work}


def streams(cluster: Cluster, world: World, gate: Gate, folder: Path) -> dict[str, Any]:
    small = {"maxPartitionBytes": "4k", "openCostInBytes": "1k", "endpointUrl": gate.url, "newColumns": "ignore"}
    given = [options(world.bucket, table, **small) for table in TABLES]
    return task(cluster, streams=given, folder=str(folder))


def files_of(cluster: Cluster) -> dict[Path, bytes]:
    """The content of all files of the cluster, except those that it removes in the meantime."""
    found = {}
    for folder, _, names in os.walk(cluster.folder):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                found[path] = path.read_bytes()
    return found


def assert_exact(spark: SparkSession, world: World, folder: Path) -> None:
    for table in TABLES:
        assert current_rows(spark, world, table, folder) == world.expected(table), table


def test_rows_are_exact_after_python_workers_an_executor_and_a_machine_fail(
    spark: SparkSession, world: World, gate: Gate, cluster: Cluster, tmp_path: Path
) -> None:
    victims: list[Callable[[], list[Process]]] = [
        cluster.python_workers,
        lambda: cluster.executors()[:1],
        lambda: cluster.machine_of(cluster.executors()[0]),
    ]
    for find in victims:
        gate.close(after=1)
        with Driver(streams(cluster, world, gate, tmp_path), cluster.folder / "driver.log") as driver:
            gate.wait_until_held(2)
            killed = find()
            assert killed
            for process in killed:
                process.kill()
            gate.open()
            assert driver.wait() == 0
        assert_exact(spark, world, tmp_path)
        world.night()
    cluster.start_machine()


def test_rows_are_exact_after_the_driver_fails_in_the_first_and_in_a_later_batch(
    spark: SparkSession, world: World, gate: Gate, cluster: Cluster, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "pageviews-checkpoint"
    for is_first in (True, False):
        gate.close(after=1)
        with Driver(streams(cluster, world, gate, tmp_path), cluster.folder / "driver.log") as driver:
            gate.wait_until_held(2)
            batch = max(int(file.name) for file in (checkpoint / "offsets").glob("[0-9]*"))
            assert (batch == 0) == is_first
            assert not (checkpoint / "commits" / str(batch)).exists()
            driver.kill()
        gate.open()
        if is_first:
            world.night()  # the offsets of the killed driver still determine the repeated batch
        with Driver(streams(cluster, world, gate, tmp_path), cluster.folder / "driver.log") as driver:
            assert driver.wait() == 0
        assert_exact(spark, world, tmp_path)
        world.night()


def with_role(heap: HeapBucket, **more: str) -> dict[str, str]:
    given = options(heap, "pageviews", **more)
    del given["awsAccessKeyId"], given["awsSecretAccessKey"]
    return {**given, "roleArn": heap.server.role_arn, "awsRegion": heap.server.region}


def test_executors_renew_a_role_and_report_one_that_they_cannot_assume(
    spark: SparkSession, short: World, cluster: Cluster, tmp_path: Path
) -> None:
    server = short.bucket.server
    given = with_role(short.bucket, maxPartitionBytes="4k", openCostInBytes="1k")
    work = task(cluster, server.environment, streams=[given], folder=str(tmp_path))
    with Gate(server.endpoint_url) as gate:
        gate.close(after=4)
        work["streams"][0]["endpointUrl"] = gate.url
        with Driver(work, cluster.folder / "driver.log", server.environment) as driver:
            gate.wait_until_held(2)
            time.sleep(SESSION_SECONDS + 1)  # SeaweedFS then rejects the held requests, and Spark repeats the task
            gate.open()
            assert driver.wait() == 0
    assert current_rows(spark, short, "pageviews", tmp_path) == short.expected("pageviews")

    session = server.client(server.reader, "sts").assume_role(RoleArn=server.role_arn, RoleSessionName="executor")
    keys = session["Credentials"]
    names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey"}
    expired = {name: keys[key] for name, key in {**names, "AWS_SESSION_TOKEN": "SessionToken"}.items()}
    time.sleep(SESSION_SECONDS + 1)
    log = tmp_path / "driver.log"
    work = task(cluster, {**server.environment, **expired}, tables=[with_role(short.bucket)])
    with Driver(work, log, server.environment) as driver:
        assert driver.wait() == 1
    assert re.search(r"Table 'pageviews', dump .*The role arn:\S+ cannot be assumed", log.read_text())
    logs = {log: log.read_bytes(), **files_of(cluster)}
    secrets = [keys["SecretAccessKey"].encode(), keys["SessionToken"].encode(), SECRET.encode()]
    assert [path for path, text in logs.items() if any(secret in text for secret in secrets)] == []


def test_executor_failures_are_logged_and_no_log_contains_a_secret(
    world: World, cluster: Cluster, tmp_path: Path
) -> None:
    server = world.bucket.server
    dump_id, file = max(world.bucket.world.current_files("pageviews"), key=lambda item: len(list(item[1].rows())))
    content = (world.bucket.directory / file.key).read_bytes()
    broken = content[:-200] + bytes(100) + content[-100:]
    server.client(server.writer).put_object(Bucket=server.bucket, Key=file.key, Body=broken)
    log = tmp_path / "driver.log"
    with Driver(task(cluster, tables=[options(world.bucket, "pageviews")]), log) as driver:
        assert driver.wait() == 1
    message = f"Table 'pageviews', dump {dump_id}, file '{file.key}', byte "
    assert message in log.read_text()
    logs = {log: log.read_bytes(), **files_of(cluster)}
    assert any(message.encode() in text for path, text in logs.items() if path.name == "stderr")
    for kind in ("master.log", "worker-0.log", "stderr", "stdout", "driver.log"):
        assert any(path.name == kind for path in logs)
    assert any(path.parent.name.startswith("eventlog_") or path.parent.name == "events" for path in logs)
    assert [path for path, text in logs.items() if SECRET.encode() in text] == []
