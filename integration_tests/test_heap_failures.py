"""Error messages for a faulty bucket, access or file."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.rows import JsonObject
from sandbox.airbyte import BulkCdkLike, Connector, configured, run_sync
from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import MotoS3, SeaweedS3
from sandbox.heap.s3_server import S3Server


@pytest.fixture(scope="module")
def moto() -> Iterator[HeapBucket]:
    with heap_bucket(Clock(), scale=0.05) as bucket:
        yield bucket


@pytest.fixture
def bucket() -> Iterator[HeapBucket]:
    """A separate bucket that the test can break."""
    with heap_bucket(Clock(), scale=0.05, server=SeaweedS3) as own:
        yield own


def keys(key_id: str, secret: str) -> JsonObject:
    return {"credentials": {"auth_type": "access_key", "aws_access_key_id": key_id, "aws_secret_access_key": secret}}


def check(config: JsonObject, env: dict[str, str] | None = None) -> JsonObject:
    output = Connector("source_heap", config, env=env).check()
    assert output.exit_code == 0
    assert output.status
    return output.status


@pytest.mark.parametrize("auth_type", ["access_key", "role", "default"])
def test_check_succeeds_however_access_is_given(moto: HeapBucket, auth_type: str) -> None:
    server = moto.server
    credentials = {"access_key": server.credentials, "role": server.role, "default": {"auth_type": "default"}}[
        auth_type
    ]
    config = {**moto.config, "credentials": credentials}
    assert check(config, env=server.environment) == {"status": "SUCCEEDED"}


def test_a_role_with_hyphens_in_its_account_reads(moto: HeapBucket) -> None:
    account = moto.server.account_id
    role = {**moto.server.role, "aws_account_id": f"{account[:4]}-{account[4:8]}-{account[8:]}"}
    assert check({**moto.config, "credentials": role}, env=moto.server.environment) == {"status": "SUCCEEDED"}


Cause = tuple[Callable[[S3Server], JsonObject], str]
CAUSES: dict[str, Cause] = {
    "no such bucket": (
        lambda s: {"bucket": "heap-rs3-missing", **keys(s.writer.key_id, s.writer.secret)},
        "Bucket 'heap-rs3-missing' does not exist",
    ),
    "unknown key": (lambda s: keys("nobody", s.reader.secret), "The access key ID does not exist in AWS"),
    "wrong secret": (lambda s: keys(s.reader.key_id, "wrong"), "does not match the access key ID"),
    "not permitted": (lambda s: keys(s.stranger.key_id, s.stranger.secret), "allow s3:ListBucket"),
    "wrong external id": (
        lambda s: {"credentials": {**s.role, "external_id": "wrong"}},
        "trust policy has the AWS identity that assumes it as principal, and that the external ID",
    ),
    "unknown role": (lambda s: {"credentials": {**s.role, "role_name": "nobody"}}, "role/nobody cannot be assumed"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_check_distinguishes_causes(moto: HeapBucket, cause: str) -> None:
    change, expected = CAUSES[cause]
    status = check({**moto.config, **change(moto.server)}, env=moto.server.environment)
    assert status["status"] == "FAILED"
    assert expected in status["message"]
    assert "Traceback" not in status["message"]


def test_check_without_any_credentials(tmp_path: Path, moto: HeapBucket) -> None:
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    status = check({**moto.config, "credentials": {"auth_type": "default"}}, env=nothing)
    assert "No AWS credentials were found in the environment" in status["message"]


def test_check_of_an_empty_bucket() -> None:
    with SeaweedS3() as server:
        assert "contains no dumps yet" in check(server.config)["message"]


def test_check_when_objects_may_be_listed_but_not_read(bucket: HeapBucket) -> None:
    class ListOnly(MotoS3):
        @property
        def _read_policy(self) -> dict[str, Any]:
            return {**super()._read_policy, "Action": ["s3:ListBucket", "s3:HeadBucket"]}

    with ListOnly(bucket.world.bucket) as server:
        server.upload(bucket.directory)
        message = check(server.config)["message"]
    assert "although the bucket can be listed" in message
    assert "Bucket owner enforced" in message


@pytest.mark.parametrize(
    "content", [b"<html>", b"{}", b'{"tables": [{"files": []}]}', b'{"tables": [{"name": "a", "files": 1}]}']
)
def test_check_of_an_unreadable_manifest(bucket: HeapBucket, content: bytes) -> None:
    put(bucket, "manifests/sync_99999.json", content)
    message = check(bucket.config)["message"]
    assert "Manifest 'manifests/sync_99999.json'" in message
    assert "cannot be read" in message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"bucket": " "}, "Bucket is empty"),
        ({"start_date": "2025-02-30"}, "is not a date"),
        (keys("somebody", "  "), "Secret Access Key is empty"),
    ],
)
def test_an_invalid_configuration_is_reported(moto: HeapBucket, change: JsonObject, expected: str) -> None:
    assert expected in check({**moto.config, **change})["message"]


def put(bucket: HeapBucket, key: str, content: bytes) -> None:
    bucket.server.client(bucket.server.writer).put_object(Bucket=bucket.world.bucket, Key=key, Body=content)


def newest_file(bucket: HeapBucket, table: str) -> tuple[int, str]:
    dump_id, file = bucket.world.current_files(table)[-1]
    return dump_id, file.key


def content_of(bucket: HeapBucket, key: str) -> bytearray:
    return bytearray((bucket.directory / key).read_bytes())


def remove(bucket: HeapBucket, key: str) -> str:
    bucket.server.client(bucket.server.writer).delete_object(Bucket=bucket.world.bucket, Key=key)
    return f"The bucket has no object '{key}'"


def flip_a_bit(bucket: HeapBucket, key: str) -> str:
    content = content_of(bucket, key)
    content[-40] ^= 1
    put(bucket, key, bytes(content))
    return "the block "


def cut_off(bucket: HeapBucket, key: str) -> str:
    put(bucket, key, bytes(content_of(bucket, key)[:-7]))
    return "unexpected end of file"


def empty(bucket: HeapBucket, key: str) -> str:
    put(bucket, key, b"")
    return "unexpected end of file"


def rename_the_key(bucket: HeapBucket, key: str) -> str:
    put(bucket, key, content_of(bucket, key).replace(b'"event_id"', b'"event_ie"'))
    return "the schema has no column 'event_id', which the manifest lists"


def name_another_bucket(bucket: HeapBucket, key: str) -> str:
    for manifest in sorted(bucket.directory.glob("manifests/*.json")):
        text = manifest.read_text()
        other = text.replace(f"s3://{bucket.world.bucket}/{key}", f"s3://somebody-elses/{key}")
        put(bucket, manifest.relative_to(bucket.directory).as_posix(), other.encode())
    return "a file in bucket 'somebody-elses'"


@pytest.mark.parametrize("break_file", [remove, flip_a_bit, cut_off, empty, rename_the_key, name_another_bucket])
def test_an_unreadable_file_stops_only_its_table(
    bucket: HeapBucket, break_file: Callable[[HeapBucket, str], str]
) -> None:
    table = "sessions"
    source, destination = Connector("source_heap", bucket.config), BulkCdkLike()
    catalog = configured(source.discover())
    dump_id, key = newest_file(bucket, table)
    expected = break_file(bucket, key)

    broken = run_sync(source, destination, catalog)
    assert broken.source_exit_code == 1
    assert broken.stream_status.pop(table) == "INCOMPLETE"
    assert set(broken.stream_status.values()) == {"COMPLETE"}
    (error,) = [each for each in broken.source_errors if each.stream == table]
    assert error.failure_type == "config_error"
    assert f"Table '{table}', dump {dump_id}, file " in error.message
    assert key in error.message
    assert ", byte " in error.message
    assert expected in error.message

    put(bucket, key, bytes(content_of(bucket, key)))
    for manifest in bucket.directory.glob("manifests/*.json"):
        put(bucket, manifest.relative_to(bucket.directory).as_posix(), manifest.read_bytes())
    repaired = run_sync(source, destination, catalog, broken.state_list())
    assert repaired.failures == []
    assert {row["_heap_file"] for row in repaired.records[table]} == {key}
    rows = {json.dumps(row, sort_keys=True) for row in (*broken.records[table], *repaired.records[table])}
    assert len(rows) == len({json.dumps(row, sort_keys=True) for row in bucket.world.expected(table)})


def test_a_table_that_is_in_no_dump_is_reported(bucket: HeapBucket) -> None:
    stream = {"name": "mistyped", "json_schema": {"properties": {}}, "supported_sync_modes": ["incremental"]}
    attempt = run_sync(Connector("source_heap", bucket.config), BulkCdkLike(), configured({"streams": [stream]}))
    assert attempt.source_exit_code == 1
    assert "No dump contains the table 'mistyped'" in attempt.messages[0]
