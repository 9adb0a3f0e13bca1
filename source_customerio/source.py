"""The Customer.io source."""

import logging
from collections.abc import Mapping
from typing import ClassVar

from airbyte_cdk.models import AirbyteConnectionStatus, Status

from cdp_connectors.json_types import Json
from cdp_connectors.source import ManifestSource
from source_customerio.components.activity import Activity, MetricsRetriever

_UNAUTHORIZED = 401
_FORBIDDEN = 403
_READ_INSTEAD = ("campaigns", "segments", "newsletters", "activities", "snippets")


class SourceCustomerio(ManifestSource):
    """Customer.io's App API, as declared in `manifest.yaml`.

    A key works only in the region of its workspace, and the other region rejects it exactly like a wrong key. `check`
    therefore tries the other region before it reports a rejected key. A key can be limited to some endpoints: one that
    may not list the workspaces passes if it may read another list.
    """

    tries_streams: ClassVar[bool] = True

    def prepare_to_build(self) -> None:
        """Let the metrics streams of this source share what they learn, but not with those of another source."""
        MetricsRetriever.activity = Activity()

    def connect(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:
        """Test the connection, and if the key is rejected, whether the other region accepts it.

        Raises:
            AirbyteTracedException: if neither the configuration nor Customer.io's response explains the failure.
        """
        status = super().connect(logger, config)
        if self.rejected_with(_FORBIDDEN) and self._reads_any_of(_READ_INSTEAD):
            return AirbyteConnectionStatus(status=Status.SUCCEEDED)
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
                    "IP allowlist, if it has one, allows this connector."
                )
        return status

    def _reads_any_of(self, names: tuple[str, ...]) -> bool:
        """True if a key whose scope does not include the workspaces can read any of these streams."""
        streams = {stream.name: stream for stream in self.streams(self.settings)}
        return any(streams[name].check_availability().is_available for name in names)
