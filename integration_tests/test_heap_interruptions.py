"""Syncs that are killed, cut off, or outlive their credentials: nothing is lost."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from integration_tests.cutting_proxy import CuttingProxy
from integration_tests.rows import JsonObject, comparable
from sandbox.airbyte import BulkCdkLike, Connector, configured, kill_after, run_sync, stall_after
from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import SeaweedS3

FILES_IN_FLIGHT = 2  # in addition to the one whose state came last: the manifest's concurrency is three
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
def catalog(bucket: HeapBucket) -> JsonObject:
    return configured(source_of(bucket).discover())


def source_of(bucket: HeapBucket, **changes: object) -> Connector:
    return Connector("source_heap", {**bucket.config, **changes}, env=bucket.server.environment)


def appended(catalog: JsonObject) -> JsonObject:
    """The catalog for a destination that keeps every row, so that duplicates are visible."""
    return {"streams": [{**each, "destination_sync_mode": "append"} for each in catalog["streams"]]}


@pytest.mark.parametrize("seed", range(2))
def test_a_sync_that_is_killed_at_any_point_loses_nothing(bucket: HeapBucket, catalog: JsonObject, seed: int) -> None:
    choose, destination, kills = random.Random(seed), BulkCdkLike(), 0  # noqa: S311 # which line to stop at
    states: dict[str, JsonObject] = {}
    while True:
        interruption = kill_after(choose.choice([30, 3_000, 9_000, 15_000]))
        attempt = run_sync(source_of(bucket), destination, appended(catalog), states.values(), during=interruption)
        states |= attempt.states
        if attempt.status == "succeeded":
            break
        kills += 1
    assert kills > 0
    read_twice = set()
    for table in bucket.world.tables:
        expected = Counter(comparable(bucket.world.expected(table)))
        found = Counter(comparable(destination.table(table)))
        assert not expected - found, table
        twice = found - expected
        assert set(twice) <= set(expected), table
        read_twice |= {json.loads(row)["_heap_file"] for row in twice}
    assert len(read_twice) <= FILES_IN_FLIGHT * kills


@pytest.mark.parametrize("ends_with", ["FIN", "RST"])
def test_a_connection_that_is_cut_is_resumed_without_duplicates(
    bucket: HeapBucket, catalog: JsonObject, ends_with: str
) -> None:
    destination = BulkCdkLike()
    with CuttingProxy(bucket.server.endpoint_url, after_bytes=90_000, cuts=12, reset=ends_with == "RST") as proxy:
        attempt = run_sync(source_of(bucket, endpoint_url=proxy.url), destination, appended(catalog))
    assert proxy.cuts == 12
    assert attempt.failures == []
    for table in bucket.world.tables:
        assert comparable(destination.table(table)) == comparable(bucket.world.expected(table)), table


def pageviews(catalog: JsonObject) -> JsonObject:
    return appended({"streams": [each for each in catalog["streams"] if each["stream"]["name"] == "pageviews"]})


def test_a_store_that_breaks_every_transfer_is_read_to_the_end_as_long_as_bytes_arrive(
    bucket: HeapBucket, catalog: JsonObject
) -> None:
    destination = BulkCdkLike()
    with CuttingProxy(bucket.server.endpoint_url, after_bytes=30_000, cuts=1_000_000, reset=False) as proxy:
        attempt = run_sync(source_of(bucket, endpoint_url=proxy.url), destination, pageviews(catalog))
    assert proxy.cuts > FILES_IN_FLIGHT
    assert attempt.failures == []
    assert comparable(destination.table("pageviews")) == comparable(bucket.world.expected("pageviews"))


def test_a_store_that_sends_no_more_bytes_fails_the_stream_and_keeps_its_position(
    bucket: HeapBucket, catalog: JsonObject
) -> None:
    destination = BulkCdkLike()
    with CuttingProxy(
        bucket.server.endpoint_url, after_bytes=90_000, cuts=1_000_000, reset=False, then_headers_only=True
    ) as proxy:
        broken = run_sync(source_of(bucket, endpoint_url=proxy.url), destination, pageviews(catalog))
    assert proxy.cuts > 0
    assert broken.stream_status == {"pageviews": "INCOMPLETE"}
    assert broken.source_errors[0].failure_type == "transient_error"
    whole = run_sync(source_of(bucket), destination, pageviews(catalog), broken.state_list())
    assert whole.failures == []
    assert set(comparable(destination.table("pageviews"))) == set(comparable(bucket.world.expected("pageviews")))


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


def test_a_role_whose_session_ends_during_the_sync_is_assumed_again(bucket: HeapBucket, catalog: JsonObject) -> None:
    """The reader of the output pauses for longer than a session lasts, while the connector is blocked."""
    source, destination = source_of(bucket, credentials=bucket.server.role), BulkCdkLike()
    attempt = run_sync(source, destination, appended(catalog), during=stall_after(2_000, SESSION_SECONDS + 2))
    assert attempt.failures == []
    for table in bucket.world.tables:
        assert comparable(destination.table(table)) == comparable(bucket.world.expected(table)), table
