"""Rejected records are kept in a bucket, before a state passes them, and can be sent again."""

import builtins
import logging
import sys
from collections.abc import Iterator

import boto3
import orjson
import pytest
from airbyte_cdk.models import FailureType, Status
from moto import mock_aws
from requests_mock import Mocker

from cdp_connectors.json_types import Json, JsonObject
from destination_segment import DestinationSegment
from unit_tests.destination_segment.segment_writes import (
    ACCEPTED,
    BATCH_URL,
    catalog_of,
    config_of,
    record,
    sent_items,
    state,
    write,
)

IDENTIFY: JsonObject = {"stream": "users", "call": {"call_type": "identify", "user_id_field": "id"}}
STORAGE: JsonObject = {
    "storage_type": "S3",
    "s3_bucket_name": "rejected",
    "s3_bucket_region": "us-east-1",
    "access_key_id": "sandbox-key-id",
    "secret_access_key": "sandbox-secret",
    "bucket_path": "/segment/",
    "format": {"format_type": "JSONL"},
}
CONFIG = config_of(IDENTIFY, on_invalid="skip", object_storage_config=STORAGE)
MESSAGES = [record({"id": 1}), record({"id": 2, "age": "old"}), state(1), record({"id": "", "n": 3}), state(2)]


@pytest.fixture
def s3() -> Iterator[Json]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        yield client


@pytest.fixture
def bucket(s3: Json) -> Json:
    s3.create_bucket(Bucket="rejected")
    return s3


def bodies(bucket: Json) -> list[bytes]:
    keys = [each["Key"] for each in bucket.list_objects_v2(Bucket="rejected").get("Contents", [])]
    assert all(key.startswith("segment/") and key.endswith(".jsonl") for key in keys)
    return [bucket.get_object(Bucket="rejected", Key=key)["Body"].read() for key in keys]


def stored(bucket: Json) -> list[list[JsonObject]]:
    return [[orjson.loads(line) for line in body.splitlines()] for body in bodies(bucket)]


@pytest.mark.usefixtures("api")
def test_a_sync_leaves_one_object_with_every_rejected_record(bucket: Json) -> None:
    catalog = catalog_of()
    catalog["streams"][0]["generation_id"] = 4
    written = write(CONFIG, catalog, MESSAGES)
    assert (written.error, written.counts) == (None, [(1, 1), (0, 1)])
    [rows] = stored(bucket)
    assert [row.pop("message") for row in rows] == [MESSAGES[1], MESSAGES[3]]
    assert rows[0] == {
        "stream": "users",
        "namespace": None,
        "mapping": "Mapping 1 (stream 'users')",
        "reason": "'age' is not a number",
        "generation_id": 4,
    }


@pytest.mark.usefixtures("api")
def test_what_was_kept_can_be_sent_again(api: Mocker, bucket: Json) -> None:
    write(CONFIG, catalog_of(), MESSAGES)
    [rows] = stored(bucket)
    api.reset_mock()
    traits = {"selection": "all", "exclude": ["age"]}
    corrected = config_of({"stream": "users", "call": {**IDENTIFY["call"], "traits": traits}}, on_invalid="skip")
    write(corrected, catalog_of(), [row["message"] for row in rows])
    assert [item["userId"] for item in sent_items(api)] == ["2"]


@pytest.mark.usefixtures("api")
def test_a_state_waits_until_the_records_before_it_are_stored(bucket: Json) -> None:
    destination = DestinationSegment()
    seen: list[int] = []
    lines = [orjson.dumps(message) for message in MESSAGES]
    for line in destination.write_lines(CONFIG, catalog_of(), lines):
        seen.append(len(stored(bucket)[0]))
        assert seen[-1] >= sum(orjson.loads(line)["state"]["destinationStats"].values()) - 1
    assert seen
    assert seen[-1] == 2


@pytest.mark.usefixtures("api")
def test_a_sync_that_fails_keeps_them_too(bucket: Json) -> None:
    written = write({**CONFIG, "on_invalid": "fail"}, catalog_of(), MESSAGES)
    assert written.error is not None
    assert [len(rows) for rows in stored(bucket)] == [2]


def test_a_sync_that_is_interrupted_keeps_them_too(api: Mocker, bucket: Json) -> None:
    api.post(BATCH_URL, status_code=401)
    written = write(CONFIG, catalog_of(), [record({"id": 2, "age": "old"}), record({"id": 1})])
    assert "did not accept the credentials" in str(written.error)
    assert [len(rows) for rows in stored(bucket)] == [1]


def test_a_record_that_segment_rejects_is_kept_with_its_mapping(api: Mocker, bucket: Json) -> None:
    api.post(BATCH_URL, [ACCEPTED, {"status_code": 400, "json": {"message": "malformed trait"}}])
    messages = [record({"id": 1}), state(1), record({"id": 1, "n": 2}), state(2)]
    written = write({**CONFIG, "events_per_second": 1}, catalog_of(), messages)
    assert (written.error, written.counts) == (None, [(1, 0), (0, 1)])
    [[row]] = stored(bucket)
    assert (row["mapping"], row["reason"], row["message"]) == (
        "Mapping 1 (stream 'users')",
        "Segment rejected the call (HTTP 400: malformed trait)",
        messages[2],
    )


@pytest.mark.usefixtures("api")
def test_a_record_that_is_nested_too_deeply_is_kept_unchanged(bucket: Json) -> None:
    nested = b"[" * 5_000 + b"]" * 5_000
    line = b'{"type":"RECORD","record":{"stream":"users","data":{"id":7,"x":%b}}}' % nested
    assert write(CONFIG, catalog_of(), [line]).error is None
    [body] = bodies(bucket)
    assert b'"mapping":"The record","reason":"the record is nested too deeply"' in body
    assert body.endswith(b',"message":%b}\n' % line)


@pytest.mark.usefixtures("api")
def test_the_object_is_not_written_again_for_every_state(bucket: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("destination_segment.delivery.rejected_records._SECONDS_BETWEEN_UPLOADS", 1_000)
    bucket.put_bucket_versioning(Bucket="rejected", VersioningConfiguration={"Status": "Enabled"})
    messages = [message for n in range(5) for message in (record({"id": n, "age": "old"}), state(n))]
    assert write(CONFIG, catalog_of(), messages).counts == [(0, 1)] * 5
    assert len(bucket.list_object_versions(Bucket="rejected")["Versions"]) == 2


@pytest.mark.usefixtures("api")
def test_without_rejected_records_there_is_no_object(bucket: Json) -> None:
    write(CONFIG, catalog_of(), [record({"id": 1}), state(1)])
    assert stored(bucket) == []


@pytest.mark.usefixtures("api", "s3")
def test_a_failed_upload_fails_the_sync_before_the_state() -> None:
    written = write(CONFIG, catalog_of(), MESSAGES)
    assert written.states == []
    assert written.error is not None
    assert written.error.failure_type is FailureType.config_error
    assert str(written.error).startswith(
        "Rejected records could not be stored in the bucket 'rejected' (NoSuchBucket)."
    )
    assert "sandbox-secret" not in str(written.error)


@pytest.mark.usefixtures("api")
def test_by_default_nothing_is_kept_and_botocore_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_botocore(monkeypatch)
    config = config_of(IDENTIFY, on_invalid="skip", object_storage_config={"storage_type": "None"})
    assert write(config, catalog_of(), MESSAGES).error is None


def test_without_botocore_check_names_what_to_install(api: Mocker, monkeypatch: pytest.MonkeyPatch) -> None:
    api.get("https://api.segment.io/v1/batch", status_code=405)
    hide_botocore(monkeypatch)
    status = DestinationSegment().check(logging.getLogger("airbyte"), CONFIG)
    assert status.status is Status.FAILED
    assert "cdp-connectors[object-storage]" in str(status.message)


def hide_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    imports = builtins.__import__

    def without_botocore(name: str, *args: Json, **options: Json) -> Json:
        if name.startswith("botocore"):
            raise ImportError(name)
        return imports(name, *args, **options)

    for name in [name for name in sys.modules if name.startswith("botocore")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_botocore)
