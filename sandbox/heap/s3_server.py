"""The common part of the sandbox's S3 servers: a bucket, its permissions, and uploads to it."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import boto3
from typing_extensions import Self

from cdp_connectors.json_types import Json
from sandbox.heap.world import BUCKET

REGION = "us-east-1"
ROLE = "heap-reader"
EXTERNAL_ID = "sandbox-external-id"


@dataclass(frozen=True)
class AccessKey:
    """An access key of the sandbox."""

    key_id: str
    secret: str


class S3Server(ABC):
    """An S3 server with one bucket, a writer (Heap) and a reader (the connector), inside the context.

    `reader` may list the bucket, read its objects and assume `ROLE`, which may do the same; `stranger` has a valid
    key but no permissions.
    """

    account_id = "123456789012"
    region = REGION
    endpoint_url: str
    writer: AccessKey
    reader: AccessKey
    stranger: AccessKey

    def __init__(self, bucket: str = BUCKET) -> None:
        self.bucket = bucket
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @abstractmethod
    def _start(self, stack: ExitStack) -> None:
        """Start the server and create keys, role and bucket; cleanup is registered in `stack`."""

    @property
    def credentials(self) -> dict[str, str]:
        """The field `credentials` of source-heap's configuration, for the reader's access key."""
        return {
            "auth_type": "access_key",
            "aws_access_key_id": self.reader.key_id,
            "aws_secret_access_key": self.reader.secret,
        }

    @property
    def role(self) -> dict[str, str]:
        """The field `credentials` of source-heap's configuration, for the role; it needs `environment`."""
        return {
            "auth_type": "role",
            "aws_account_id": self.account_id,
            "role_name": ROLE,
            "external_id": EXTERNAL_ID,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that make the reader the AWS default, with this server as STS."""
        return {
            "AWS_ACCESS_KEY_ID": self.reader.key_id,
            "AWS_SECRET_ACCESS_KEY": self.reader.secret,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL_STS": self.endpoint_url,
        }

    @property
    def role_arn(self) -> str:
        """The role that reads the bucket."""
        return f"arn:aws:iam::{self.account_id}:role/{ROLE}"

    @property
    def _read_policy(self) -> dict[str, Any]:
        bucket = f"arn:aws:s3:::{self.bucket}"
        return {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetObject", "s3:HeadBucket"],  # moto's own name for part of ListBucket
            "Resource": [bucket, f"{bucket}/*"],
        }

    @property
    def config(self) -> dict[str, Any]:
        """A complete configuration of source-heap, with the reader's access key."""
        return {
            "bucket": self.bucket,
            "aws_region": self.region,
            "endpoint_url": self.endpoint_url,
            "credentials": self.credentials,
        }

    def client(self, key: AccessKey, service: Literal["s3", "sts", "iam"] = "s3") -> Json:
        """A boto3 client that uses this key."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=key.key_id,
            aws_secret_access_key=key.secret,
        )

    def upload(self, directory: Path) -> list[str]:
        """Upload missing files, manifests last, with a folder marker for manifests like the S3 console's.

        Returns:
            the keys of the new objects, in the order in which they were uploaded.
        """
        client = self.client(self.writer)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        present = {entry["Key"] for page in pages for entry in page.get("Contents", ())}
        found = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
        new = sorted(found - present, key=lambda key: (key.startswith("manifests/"), key))
        if not present:
            client.put_object(Bucket=self.bucket, Key="manifests/")
        for key in new:
            client.upload_file(str(directory / key), self.bucket, key)
        return new
