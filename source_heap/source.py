"""The Airbyte source."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from airbyte_cdk.models import AirbyteStateMessage, ConfiguredAirbyteCatalog
from airbyte_cdk.sources.declarative.concurrent_declarative_source import TestLimits

from cdp_connectors.lines import LineRoom
from cdp_connectors.source import ManifestSource
from source_heap import native
from source_heap.avro.lines import THREADS
from source_heap.run_config import LineOutput, RunConfig

BYTES_OF_FINISHED_LINES = 32 << 20

_LOGGER = logging.getLogger("airbyte")
logging.getLogger("botocore").setLevel(logging.WARNING)


class SourceHeap(ManifestSource):
    """Heap Connect's S3 export, as described by `manifest.yaml` in this folder."""

    requires_keys: ClassVar[bool] = False
    """Rows without a key are skipped when files are read: files do not change, so every retry would fail."""

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        limits: TestLimits | None = None,
    ) -> None:
        super().__init__(catalog=catalog, config=config, state=state, limits=limits)
        if self.settings:
            self.settings = RunConfig(self.settings, catalog)

    def prepare_for_lines(self) -> None:
        """Let the streams of tables produce finished RECORD lines."""
        if isinstance(self.settings, RunConfig) and self.settings.configured_schemas is not None:
            room = LineRoom(BYTES_OF_FINISHED_LINES)
            self.settings.line_output = LineOutput(room, ThreadPoolExecutor(THREADS, "encoder"))
            _LOGGER.info("Encoding RECORD lines in %s.", "compiled code" if native.is_available() else "Python")
