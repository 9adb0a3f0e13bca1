"""The source."""

import logging
from collections.abc import Mapping
from typing import Any

from airbyte_cdk.models import AirbyteStateMessage, ConfiguredAirbyteCatalog

from cdp_connectors.source import ManifestSource
from source_heap.run_config import RunConfig

logging.getLogger("botocore").setLevel(logging.WARNING)


class SourceHeap(ManifestSource):
    """Heap Connect's S3 export, as `manifest.yaml` beside this module describes it."""

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
    ) -> None:
        super().__init__(catalog=catalog, config=config, state=state)
        if self.settings:
            self.settings = RunConfig(self.settings, catalog)
