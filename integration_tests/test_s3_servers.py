"""The sandbox's S3 servers, checked with boto3: tests against them prove nothing unless they reject what S3 rejects."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from freezegun import freeze_time

from sandbox.clock import Clock
from sandbox.heap.bucket import heap_bucket
from sandbox.heap.process import ServerProcess, free_ports
from sandbox.heap.s3 import MotoS3, SeaweedS3
from sandbox.heap.s3_server import EXTERNAL_ID, ROLE, AccessKey, S3Server

KEY = "sync_998/users/part-00000.avro"
CONTENT = bytes(range(256))
SERVERS = (MotoS3, SeaweedS3)


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.__name__)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    directory = tmp_path_factory.mktemp("bucket")
    for key in (KEY, "manifests/sync_998.json", "sync_reports/sync_998.json"):
        path = directory / key
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
    with request.param() as running:
        uploaded = running.upload(directory)
        assert uploaded[-1] == "manifests/sync_998.json"
        yield running


def rejection(ask: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ClientError) as rejected:
        ask()
    response = rejected.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize(
    ("secret", "key_id", "code"),
    [
        ("wrong", None, "SignatureDoesNotMatch"),
        (None, "nobody", "InvalidAccessKeyId"),
        ("", None, "SignatureDoesNotMatch"),
    ],
)
def test_wrong_key_is_rejected(server: S3Server, secret: str | None, key_id: str | None, code: str) -> None:
    key = AccessKey(key_id or server.reader.key_id, server.reader.secret if secret is None else secret or "-")
    client = server.client(key)
    assert rejection(lambda: client.list_objects_v2(Bucket=server.bucket)) == (403, code)
    assert rejection(lambda: client.get_object(Bucket=server.bucket, Key=KEY)) == (403, code)


def test_key_without_permission_is_rejected(server: S3Server) -> None:
    client = server.client(server.stranger)
    assert rejection(lambda: client.list_objects_v2(Bucket=server.bucket)) == (403, "AccessDenied")
    assert rejection(lambda: client.get_object(Bucket=server.bucket, Key=KEY)) == (403, "AccessDenied")


def test_request_without_signature_is_rejected(server: S3Server) -> None:
    assert requests.get(f"{server.endpoint_url}/{server.bucket}/{KEY}", timeout=10).status_code == 403


def test_reader_reads_and_does_not_write(server: S3Server) -> None:
    client = server.client(server.reader)
    assert client.get_object(Bucket=server.bucket, Key=KEY)["Body"].read() == CONTENT
    assert rejection(lambda: client.put_object(Bucket=server.bucket, Key="new", Body=b""))[0] == 403
    assert rejection(lambda: client.delete_object(Bucket=server.bucket, Key=KEY))[0] == 403


def test_ranges_are_served_for_an_unchanged_object(server: S3Server) -> None:
    client = server.client(server.reader)
    etag = client.head_object(Bucket=server.bucket, Key=KEY)["ETag"]
    answer = client.get_object(Bucket=server.bucket, Key=KEY, Range="bytes=200-", IfMatch=etag)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"] == "bytes 200-255/256"
    assert answer["Body"].read() == CONTENT[200:]
    changed = {"Bucket": server.bucket, "Key": KEY, "Range": "bytes=200-", "IfMatch": '"another"'}
    assert rejection(lambda: client.get_object(**changed))[0] == 412
    beyond = {"Bucket": server.bucket, "Key": KEY, "Range": "bytes=256-"}
    assert rejection(lambda: client.get_object(**beyond))[0] == 416


def test_missing_object_is_named_as_such(server: S3Server) -> None:
    client = server.client(server.reader)
    assert rejection(lambda: client.get_object(Bucket=server.bucket, Key="sync_998/gone")) == (404, "NoSuchKey")


def test_listing_comes_in_pages_with_the_folder_marker(server: S3Server) -> None:
    client = server.client(server.reader)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=server.bucket, PaginationConfig={"PageSize": 1})
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    assert keys == ["manifests/", "manifests/sync_998.json", KEY, "sync_reports/sync_998.json"]
    after = client.list_objects_v2(Bucket=server.bucket, Prefix="manifests/", StartAfter="manifests/")
    assert [entry["Key"] for entry in after["Contents"]] == ["manifests/sync_998.json"]


def assume(server: S3Server, role: str = ROLE, **options: str) -> Any:  # noqa: ANN401 # boto3 is untyped
    sts = server.client(server.reader, "sts")
    arn = f"arn:aws:iam::{server.account_id}:role/{role}"
    credentials = sts.assume_role(RoleArn=arn, RoleSessionName="test", **options)["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_role_reads_and_does_not_write(server: S3Server) -> None:
    client = assume(server, ExternalId=EXTERNAL_ID)
    assert client.get_object(Bucket=server.bucket, Key=KEY)["Body"].read() == CONTENT
    assert rejection(lambda: client.put_object(Bucket=server.bucket, Key="new", Body=b""))[0] == 403


def test_role_that_does_not_exist_is_rejected(server: S3Server) -> None:
    assert rejection(lambda: assume(server, role="nobody", ExternalId=EXTERNAL_ID))[0] == 403


@pytest.mark.parametrize("server", [MotoS3], indirect=True)
def test_moto_rejects_a_wrong_external_id(server: S3Server) -> None:
    assert rejection(lambda: assume(server, ExternalId="another")) == (403, "AccessDenied")


@pytest.mark.parametrize("server", [SeaweedS3], indirect=True)
def test_seaweed_rejects_a_wrong_clock(server: S3Server) -> None:
    client = server.client(server.reader)
    with freeze_time(datetime.now(timezone.utc) - timedelta(hours=1)):
        assert rejection(lambda: client.list_objects_v2(Bucket=server.bucket)) == (403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("server", [SeaweedS3], indirect=True)
def test_seaweed_counts_its_requests(server: SeaweedS3) -> None:
    client = server.client(server.reader)
    before = server.requests_answered()
    client.list_objects_v2(Bucket=server.bucket)
    client.get_object(Bucket=server.bucket, Key=KEY)
    client.get_object(Bucket=server.bucket, Key=KEY)
    assert server.requests_answered() - before == {"LIST": 1, "GET": 2}


@pytest.mark.parametrize("kind", SERVERS, ids=lambda server: server.__name__)
def test_bucket_follows_the_clock(kind: type[S3Server]) -> None:
    clock = Clock()
    with heap_bucket(clock, scale=0.02, server=kind) as bucket:
        client = bucket.server.client(bucket.server.reader)
        known = bucket.world.dumps
        assert bucket.sync() == []
        clock.advance(timedelta(days=2))
        new = bucket.sync()
        appeared = [dump.manifest_key for dump in bucket.world.dumps if dump not in known]
        assert appeared
        assert sorted(new[-len(appeared) :]) == sorted(appeared), "manifests last"
        assert [key for key in new if key.startswith("manifests/")] == new[-len(appeared) :]
        (count,) = {client.list_objects_v2(Bucket=bucket.config["bucket"])["KeyCount"]}
        files = [path for path in bucket.directory.rglob("*") if path.is_file()]
        assert count == len(files) + 1, "and the folder marker"


def test_server_ends_with_the_process_that_started_it() -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    program = (
        "import sys, time\n"
        "from sandbox.heap.process import ServerProcess\n"
        f"with ServerProcess([sys.executable, '-m', 'http.server', '{port}', '-b', '127.0.0.1'], {url!r}):\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path.cwd()) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"up\n"
        os.kill(parent.pid, signal.SIGKILL)
    for _ in range(100):
        try:
            requests.get(url, timeout=5)
        except requests.RequestException:
            break
        time.sleep(0.05)
    else:
        pytest.fail("The server outlived its parent.")


def test_server_that_cannot_start_is_reported() -> None:
    with pytest.raises(RuntimeError, match="did not start"), ServerProcess(["false"], "http://127.0.0.1:9"):
        pass
