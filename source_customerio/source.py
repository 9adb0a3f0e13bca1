"""The source."""

import logging
from collections.abc import Mapping
from typing import Any

from airbyte_cdk.models import AirbyteConnectionStatus, Status

from cdp_connectors.source import ManifestSource

_REFUSED = "refused the App API key"  # in the manifest's message for status 401


class SourceCustomerio(ManifestSource):
    """Customer.io, as `manifest.yaml` describes it.

    A key works in the region of its workspace only, and the other region refuses it exactly like a wrong key. So
    `check` asks the other region before it reports a refused key.
    """

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Try the connection; the message of a failed status is one sentence for the user.

        Raises:
            AirbyteTracedException: when the reason is neither the configuration nor the vendor's answer.
        """
        status = super().check(logger, config)
        if _refused(status) and not self._config.get("api_url"):
            region = self._config.get("region", "us")
            other = "us" if region == "eu" else "eu"
            elsewhere = ManifestSource.check(type(self)(config={**self._config, "region": other}), logger, config)
            if elsewhere.status is Status.SUCCEEDED:
                status.message = (
                    f"This App API key belongs to region '{other}', not '{region}'. Change Region to '{other}'."
                )
            elif _refused(elsewhere):
                status.message = (
                    "Neither region of Customer.io accepts this App API key. Check that it is complete and not "
                    "revoked, that it is an App API key (a Track or Pipelines key does not work), and that the key's "
                    "IP allowlist, if it has one, admits this connector."
                )
        return status


def _refused(status: AirbyteConnectionStatus) -> bool:
    return status.status is Status.FAILED and _REFUSED in (status.message or "")
