"""Syncs that are killed, cut off, or outlive their credentials: nothing is lost."""

import json
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from integration_tests.cutting_proxy import CuttingProxy
from integration_tests.heap_process import JsonObject, Output, arguments, configured, parse, run, without_nulls
from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import SeaweedS3

FILES_IN_FLIGHT = 2  # besides the one whose state came last: the manifest's concurrency is three
SESSION_SECONDS = 3


class ShortSessions(SeaweedS3):
    """SeaweedFS whose role sessions end after `SESSION_SECONDS`."""

    def _roles(self) -> dict[str, Any]:
        roles = super()._roles()
        roles["sts"]["tokenDuration"] = f"{SESSION_SECONDS}s"
        return roles


@pytest.fixture(scope="module")
def bucket() -> Iterator[HeapBucket]:
    with heap_bucket(Clock(), scale=1, server=ShortSessions) as shared:
        yield shared


@pytest.fixture(scope="module")
def catalog(bucket: HeapBucket, tmp_path_factory: pytest.TempPathFactory) -> JsonObject:
    return configured(run(tmp_path_factory.mktemp("discover"), "discover", config=bucket.config).catalog)


class Destination:
    """Keeps rows as Airbyte's destinations do: for good once a state of their stream has come."""

    def __init__(self) -> None:
        self.rows: dict[str, list[JsonObject]] = {}
        self.states: dict[str, JsonObject] = {}

    def take(self, messages: list[JsonObject]) -> None:
        waiting: dict[str, list[JsonObject]] = {}
        for message in messages:
            if message["type"] == "RECORD":
                waiting.setdefault(message["record"]["stream"], []).append(message["record"]["data"])
            elif message["type"] == "STATE":
                name = message["state"]["stream"]["stream_descriptor"]["name"]
                counted = message["state"]["sourceStats"]["recordCount"]
                assert counted == len(waiting.get(name, [])), "the state counts the rows before it"
                self.rows.setdefault(name, []).extend(waiting.pop(name, []))
                self.states[name] = message["state"]


def killed_after(line_count: int, command: list[str]) -> Output:
    """What a process wrote before it was killed, which is after so many lines if it does not end before."""
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if len(lines) == line_count:
                process.kill()
                break
    return Output(process.returncode, parse(lines))


@pytest.mark.parametrize("seed", range(2))
def test_a_sync_that_is_killed_anywhere_loses_nothing(
    tmp_path: Path, bucket: HeapBucket, catalog: JsonObject, seed: int
) -> None:
    choose, destination, kills = random.Random(seed), Destination(), 0  # noqa: S311 # which line to stop at
    while True:
        state = list(destination.states.values()) or None
        command = arguments(tmp_path, "read", config=bucket.config, catalog=catalog, state=state)
        output = killed_after(choose.choice([30, 3_000, 9_000, 15_000]), command)
        destination.take(output.messages)
        if output.return_code == 0:
            break
        kills += 1
    assert kills > 0
    read_twice = set()
    for table in bucket.world.tables:
        expected = Counter(without_nulls(bucket.world.expected(table)))
        found = Counter(without_nulls(destination.rows.get(table, [])))
        assert not expected - found, table
        twice = found - expected
        assert set(twice) <= set(expected), table
        read_twice |= {json.loads(row)["_heap_file"] for row in twice}
    assert len(read_twice) <= FILES_IN_FLIGHT * kills


@pytest.mark.parametrize("ends_with", ["FIN", "RST"])
def test_a_connection_that_is_cut_is_resumed_without_duplicates(
    tmp_path: Path, bucket: HeapBucket, catalog: JsonObject, ends_with: str
) -> None:
    with CuttingProxy(bucket.server.endpoint_url, after_bytes=90_000, cuts=12, reset=ends_with == "RST") as proxy:
        config = {**bucket.config, "endpoint_url": proxy.url}
        output = run(tmp_path, "read", config=config, catalog=catalog)
    assert proxy.cuts == 12
    assert output.return_code == 0, output.errors
    for table in bucket.world.tables:
        assert without_nulls(output.rows(table)) == without_nulls(bucket.world.expected(table)), table


def test_a_store_that_breaks_every_transfer_fails_the_stream_and_keeps_its_position(
    tmp_path: Path, bucket: HeapBucket, catalog: JsonObject
) -> None:
    catalog = {"streams": [s for s in catalog["streams"] if s["stream"]["name"] == "pageviews"]}
    with CuttingProxy(bucket.server.endpoint_url, after_bytes=30_000, cuts=1_000_000, reset=False) as proxy:
        config = {**bucket.config, "endpoint_url": proxy.url}
        broken = run(tmp_path, "read", config=config, catalog=catalog)
    assert proxy.cuts > 0
    whole = run(tmp_path, "read", config=bucket.config, catalog=catalog, state=broken.states)
    assert whole.return_code == 0
    rows = {*without_nulls(broken.rows("pageviews")), *without_nulls(whole.rows("pageviews"))}
    assert rows == set(without_nulls(bucket.world.expected("pageviews")))


def test_the_store_ends_the_sessions_of_its_role(bucket: HeapBucket) -> None:
    sts = bucket.server.client(bucket.server.reader, "sts")
    session = sts.assume_role(RoleArn=bucket.server.role_arn, RoleSessionName="test")["Credentials"]
    client = boto3.client(
        "s3",
        endpoint_url=bucket.server.endpoint_url,
        region_name=bucket.server.region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    assert client.list_objects_v2(Bucket=bucket.world.bucket)["KeyCount"]
    time.sleep(SESSION_SECONDS + 1)
    with pytest.raises(ClientError):
        client.list_objects_v2(Bucket=bucket.world.bucket)


def test_a_role_whose_session_ends_during_the_sync_is_assumed_again(
    tmp_path: Path, bucket: HeapBucket, catalog: JsonObject
) -> None:
    """The reader of the output pauses for longer than a session lasts, while the connector waits to go on."""
    config = {**bucket.config, "credentials": bucket.server.role}
    command = arguments(tmp_path, "read", config=config, catalog=catalog)
    env = {**os.environ, **bucket.server.environment}
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if len(lines) == 2_000:
                time.sleep(SESSION_SECONDS + 2)
    output = Output(process.returncode, parse(lines))
    assert output.return_code == 0, output.errors
    for table in bucket.world.tables:
        assert without_nulls(output.rows(table)) == without_nulls(bucket.world.expected(table)), table
