"""Signing of requests to S3."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator
from requests import PreparedRequest

from source_heap.components.errors import airbyte_errors
from source_heap.run_config import RunConfig


@dataclass
class SigV4Authenticator(DeclarativeAuthenticator):
    """Signs each request with AWS Signature Version 4 and addresses it to the bucket's region.

    The built-in authenticators add a token that does not depend on the request; this signature covers the method,
    path, query, range and time, so it is created for every attempt.
    """

    config: Mapping[str, Any]
    parameters: InitVar[Mapping[str, Any]] = None

    @property
    def auth_header(self) -> str:
        """Unused: the signature is not a header with a constant value."""
        return ""

    @property
    def token(self) -> str:
        """Unused, like `auth_header`."""
        return ""

    def get_auth_header(self) -> Mapping[str, Any]:
        """Empty: no header is known before the request is."""
        return {}

    @airbyte_errors()
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request.

        Raises:
            AirbyteTracedException: there are no credentials, the role cannot be assumed, or AWS did not respond.
        """
        RunConfig.of(self.config).aws.sign(request)
        return request
