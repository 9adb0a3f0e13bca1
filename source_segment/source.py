"""The Segment source."""

import logging
from collections.abc import Mapping
from typing import ClassVar

from airbyte_cdk.models import AirbyteConnectionStatus, Status

from cdp_connectors.json_types import Json
from cdp_connectors.source import ManifestSource

_OTHER_REGION = {"us": "eu", "eu": "us"}
_UNAUTHORIZED = 401


class SourceSegment(ManifestSource):
    """Segment's Public API, as declared in `manifest.yaml`."""

    tries_streams: ClassVar[bool] = True

    def connect(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:
        """Test the connection, and if the token is rejected, whether the other region accepts it.

        Raises:
            AirbyteTracedException: if neither the configuration nor Segment's response explains the failure.
        """
        status = super().connect(logger, config)
        if status.status is Status.FAILED and self.rejected_with(_UNAUTHORIZED) and not self.settings.get("api_url"):
            region = _OTHER_REGION[self.settings.get("region", "us")]
            settings = {**config, "region": region}
            other = SourceSegment(config=settings)
            if super(SourceSegment, other).connect(logger, settings).status is Status.SUCCEEDED:
                status.message = f"The API token belongs to a workspace in the other region. Set Region to '{region}'."
        return status
