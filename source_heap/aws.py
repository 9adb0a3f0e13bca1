"""Access to AWS: the credentials and the region with which requests are signed."""

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

import botocore.session
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import AssumeRoleCredentialFetcher, Credentials, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError
from requests import PreparedRequest

from source_heap.errors import ConfigError, HeapError, TransientError

DEFAULT_REGION = "us-east-1"
GLOBAL_ENDPOINT = "https://s3.amazonaws.com"
_SESSION_NAME = "airbyte-source-heap"
_SIGNED_HEADERS = ("Range", "If-Match")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_STALE_HEADERS = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256")


class AwsAccess:
    """The credentials and the region for one configuration, looked up once, on first use.

    Botocore finds the credentials, assumes the role, and renews what expires. All methods are thread-safe.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._session = botocore.session.Session()
        self._lock = threading.Lock()
        self._found_region: str | None = None
        self._found_credentials: Credentials | None = None

    def sign(self, request: PreparedRequest) -> None:
        """Address a request to the bucket's region and sign it as of now, replacing any earlier signature.

        Raises:
            ConfigError: there are no credentials, or the role cannot be assumed.
            TransientError: AWS did not respond.
        """
        region = self.region()
        url = str(request.url)
        if url.startswith(GLOBAL_ENDPOINT):
            suffix = ".cn" if region.startswith("cn-") else ""
            url = f"https://s3.{region}.amazonaws.com{suffix}{url[len(GLOBAL_ENDPOINT) :]}"
            request.url = url
        for name in _STALE_HEADERS:
            request.headers.pop(name, None)
        headers = {name: request.headers[name] for name in _SIGNED_HEADERS if name in request.headers}
        signed = AWSRequest(method=request.method, url=url, headers=headers)
        try:
            S3SigV4Auth(self._credentials(region).get_frozen_credentials(), "s3", region).add_auth(signed)
        except (BotoCoreError, ClientError) as error:
            raise self._rejected(error) from error
        request.headers.update(dict(signed.headers.items()))

    def region(self) -> str:
        """The configured region, or else the bucket's own; us-east-1 if an S3-compatible store reports none."""
        with self._lock:
            if self._found_region is None:
                self._found_region = self._config.get("aws_region") or self._discovered_region()
            return self._found_region

    def _discovered_region(self) -> str:
        bucket = self._config["bucket"]
        url = f"{(self._config.get('endpoint_url') or GLOBAL_ENDPOINT).rstrip('/')}/{bucket}"
        try:
            response = requests.head(url, timeout=(10, 30), allow_redirects=False)
        except requests.RequestException as error:
            raise TransientError(
                f"The region of bucket '{bucket}' could not be determined: {url} did not respond. "
                "Enter the bucket's region as 'AWS region', or check the network and the endpoint URL."
            ) from error
        return response.headers.get("x-amz-bucket-region", DEFAULT_REGION)

    @property
    def _settings(self) -> Mapping[str, Any]:
        return self._config.get("credentials") or {"auth_type": "default"}

    def _credentials(self, region: str) -> Credentials:
        with self._lock:
            if self._found_credentials is None:
                self._found_credentials = self._load_credentials(region)
            return self._found_credentials

    def _load_credentials(self, region: str) -> Credentials:
        if self._settings["auth_type"] == "access_key":
            token = self._settings.get("aws_session_token") or None
            return Credentials(self._settings["aws_access_key_id"], self._settings["aws_secret_access_key"], token)
        found = self._session.get_credentials()
        if found is None:
            raise ConfigError(
                "No AWS credentials were found in the environment, the AWS config files, or the instance or container "
                "role of the machine that reads the bucket. Provide them there, or use access keys."
            )
        if self._settings["auth_type"] == "default":
            return found
        if intermediate := self._settings.get("intermediate_role_arn"):
            found = self._assumed(intermediate, found, region)
        return self._assumed(self._role_arn(region), found, region, self._settings.get("external_id"))

    def _assumed(self, role: str, identity: Credentials, region: str, external_id: str | None = None) -> Credentials:
        create_client = partial(self._session.create_client, region_name=region)
        arguments = {"RoleSessionName": _SESSION_NAME, **({"ExternalId": external_id} if external_id else {})}
        fetcher = AssumeRoleCredentialFetcher(create_client, identity, role, extra_args=arguments)
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, method="assume-role")

    def _role_arn(self, region: str) -> str:
        name = str(self._settings.get("role_arn") or self._settings.get("role_name"))
        if name.startswith("arn:"):
            return name
        partition = next((value for prefix, value in _PARTITIONS.items() if region.startswith(prefix)), "aws")
        account = str(self._settings["aws_account_id"]).replace("-", "")
        return f"arn:{partition}:iam::{account}:role/{name}"

    def _rejected(self, error: BotoCoreError | ClientError) -> HeapError:
        if isinstance(error, HTTPClientError | BotoConnectionError):
            return TransientError(f"AWS did not respond to the credentials request: {error}")
        if self._settings["auth_type"] != "role":
            return ConfigError(f"The AWS credentials cannot be used: {error}")
        chain = "" if not self._settings.get("intermediate_role_arn") else " or the intermediate role"
        return ConfigError(
            f"The role {self._role_arn(self.region())}{chain} cannot be assumed. Check its ARN, that its trust policy "
            "has the AWS identity that assumes it as principal, and that the external ID in the policy, if any, is the "
            f"one configured here. AWS reported: {error}"
        )
