"""The source."""

import logging
from collections.abc import Mapping
from typing import ClassVar

from airbyte_cdk.models import AirbyteConnectionStatus, Status

from cdp_connectors.json_types import Json
from cdp_connectors.source import ManifestSource

_UNAUTHORIZED = 401


class SourceCustomerio(ManifestSource):
    """Customer.io, as `manifest.yaml` describes it.

    A key works in the region of its workspace only, and the other region rejects it exactly like a wrong key.
    `check` therefore tries the other region before it reports a rejected key.
    """

    tries_streams: ClassVar[bool] = True

    def connect(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:
        """Try the connection, and the other region if the key is rejected.

        Raises:
            AirbyteTracedException: when the reason is neither the configuration nor the vendor's answer.
        """
        status = super().connect(logger, config)
        if self.rejected_with(_UNAUTHORIZED) and not self.settings.get("api_url"):
            region = self.settings.get("region", "us")
            other = "us" if region == "eu" else "eu"
            other_source = type(self)(config={**self.settings, "region": other})
            elsewhere = ManifestSource.connect(other_source, logger, config)
            if elsewhere.status is Status.SUCCEEDED:
                status.message = (
                    f"This App API key belongs to region '{other}', not '{region}'. Change Region to '{other}'."
                )
            elif other_source.rejected_with(_UNAUTHORIZED):
                status.message = (
                    "Neither region of Customer.io accepts this App API key. Check that it is complete and not "
                    "revoked, that it is an App API key (a Track or Pipelines key does not work), and that the key's "
                    "IP allowlist, if it has one, admits this connector."
                )
        return status
