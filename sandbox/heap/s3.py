"""Real S3 servers on this machine that check signatures and permissions: moto's and SeaweedFS."""

import json
import os
import re
import sys
import sysconfig
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests

from cdp_connectors.json_types import Json
from sandbox.heap.process import ServerProcess, free_ports
from sandbox.heap.s3_server import EXTERNAL_ID, ROLE, AccessKey, S3Server


class MotoS3(S3Server):
    """moto's server with authentication enforced: signatures, IAM policies, the role's trust in one external id.

    It checks neither the clock nor a body's hash, and discards everything at the end.
    """

    def _start(self, stack: ExitStack) -> None:
        (port,) = free_ports(1)
        self.endpoint_url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        stack.enter_context(ServerProcess(command, f"{self.endpoint_url}/moto-api/data.json"))
        anyone = AccessKey("anyone", "anything")
        self.client(anyone).create_bucket(Bucket=self.bucket)
        iam = self.client(anyone, "iam")
        assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": self.role_arn}
        self.writer = _create_user(iam, "heap", [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}])
        self.reader = _create_user(iam, "reader", [self._read_policy, assume])
        self.stranger = _create_user(iam, "stranger", [])
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{self.account_id}:user/reader"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_policy(trust))
        iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=_policy(self._read_policy))
        requests.post(f"{self.endpoint_url}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()


class SeaweedS3(S3Server):
    """SeaweedFS: signatures, the clock, permissions per bucket, roles; its objects are in a temporary folder.

    It denies everyone if a trust policy requires an external id, so its role requires none.
    """

    writer = AccessKey("sandbox-writer-key", "sandbox-writer-secret")
    reader = AccessKey("sandbox-access-key", "sandbox-secret-key")
    stranger = AccessKey("sandbox-stranger-key", "sandbox-stranger-secret")

    def _start(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="heap-s3-", ignore_cleanup_errors=True)))
        names = ("master", "volume", "filer", "s3", "admin")
        metrics_port, *served = free_ports(11)
        ports = dict(zip([*names, *(f"{name}.grpc" for name in names)], served, strict=True))
        self._metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
        self.endpoint_url = f"http://127.0.0.1:{ports['s3']}"
        (folder / "data").mkdir()
        (folder / "s3.json").write_text(json.dumps(self._identities()))
        (folder / "iam.json").write_text(json.dumps(self._roles()))
        options = {
            "dir": folder / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "admin.ui": "false",
            "webdav": "false",
            "master.telemetry": "false",
            "metricsPort": metrics_port,
            "metricsIp": "127.0.0.1",
            "s3.config": folder / "s3.json",
            "s3.iam.config": folder / "iam.json",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.localSocket": folder / "s3.sock",
            "filer.localSocket": folder / "filer.sock",
        } | {".port.".join(name.split(".")) if "." in name else f"{name}.port": port for name, port in ports.items()}
        weed = Path(sysconfig.get_path("scripts")) / "weed"
        for name in names:  # SeaweedFS leaves these behind
            socket = Path(f"/tmp/seaweedfs-{name}-grpc-{ports[f'{name}.grpc']}.sock")  # noqa: S108 # its choice
            stack.callback(socket.unlink, missing_ok=True)
        command = [str(weed), "mini", *(f"-{name}={value}" for name, value in options.items())]
        stack.enter_context(ServerProcess(command, self.endpoint_url, {**os.environ, "HOME": str(folder)}))
        self.client(self.writer).create_bucket(Bucket=self.bucket)

    def requests_answered(self) -> Counter[str]:
        """The number of S3 requests since the start, by method, such as `GET` and `LIST`."""
        answered: Counter[str] = Counter()
        for line in requests.get(self._metrics_url, timeout=10).text.splitlines():
            if counted := re.fullmatch(r'SeaweedFS_s3_request_total\{.*type="(\w+)".*\} (\S+)', line):
                answered[counted[1]] += int(float(counted[2]))
        return answered

    def _identities(self) -> dict[str, Any]:
        permitted = {
            "heap": (self.writer, ["Admin"]),
            "reader": (self.reader, [f"Read:{self.bucket}", f"List:{self.bucket}"]),
            "stranger": (self.stranger, []),
        }
        return {
            "identities": [
                {"name": name, "credentials": [{"accessKey": key.key_id, "secretKey": key.secret}], "actions": actions}
                for name, (key, actions) in permitted.items()
            ]
        }

    def _roles(self) -> dict[str, Any]:
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole"]}
        return {
            "sts": {
                "tokenDuration": "1h",
                "maxSessionLength": "12h",
                "issuer": "sandbox",
                "signingKey": "c2FuZGJveC1zaWduaW5nLWtleS1zYW5kYm94LTEyMzQ=",
            },
            "policy": {"defaultEffect": "Deny", "storeType": "memory"},
            "policies": [{"name": "read", "document": json.loads(_policy(self._read_policy))}],
            "roles": [
                {
                    "roleName": ROLE,
                    "roleArn": self.role_arn,
                    "trustPolicy": json.loads(_policy(trust)),
                    "attachedPolicies": ["read"],
                }
            ],
        }


def _create_user(iam: Json, name: str, statements: list[dict[str, Json]]) -> AccessKey:
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="permitted", PolicyDocument=_policy(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return AccessKey(key["AccessKeyId"], key["SecretAccessKey"])


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
