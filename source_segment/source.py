"""The source."""

import logging
from collections.abc import Mapping
from typing import ClassVar

from airbyte_cdk.models import AirbyteConnectionStatus, Status

from cdp_connectors.json_types import Json
from cdp_connectors.source import ManifestSource

_BASE_URLS = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}
_UNAUTHORIZED = 401


class SourceSegment(ManifestSource):
    """Segment, as `manifest.yaml` describes it."""

    tries_streams: ClassVar[bool] = True

    def connect(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:
        """Try the connection; a token that only the other region accepts is told from one that none accepts.

        Raises:
            AirbyteTracedException: when the reason is neither the configuration nor Segment's response.
        """
        status = super().connect(logger, config)
        if status.status is Status.FAILED and self.rejected_with(_UNAUTHORIZED):
            for region, url in _BASE_URLS.items():
                if self.settings["api_url"] in _BASE_URLS.values() and self.settings["api_url"] != url:
                    settings = {**config, "region": region, "api_url": url}
                    other = SourceSegment(config=settings)
                    if super(SourceSegment, other).connect(logger, settings).status is Status.SUCCEEDED:
                        status.message = (
                            f"The API token belongs to a workspace in the other region. Set Region to '{region}'."
                        )
        return status
