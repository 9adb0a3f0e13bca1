"""The configuration of one run, and what the components of that run share."""

import threading
from collections.abc import Mapping
from typing import Any

from airbyte_cdk.models import ConfiguredAirbyteCatalog

from source_heap.aws import AwsAccess
from source_heap.manifests import TableEntry
from source_heap.positions import Manifest

JsonSchema = Mapping[str, Any]


class RunConfig(dict[str, Any]):
    """The user's configuration as the engine hands it to every component, with the findings of the run.

    The engine builds a stream's components one by one and offers them nothing in common but the configuration.
    What must happen once a run, and not once a stream, is therefore kept here: assuming the role, listing the
    bucket, reading a manifest or the header of a file. Whoever uses a field holds `lock` or writes a finding that
    all threads would write equally.
    """

    def __init__(self, config: Mapping[str, Any], catalog: ConfiguredAirbyteCatalog | None = None) -> None:
        super().__init__(config)
        self.lock = threading.RLock()
        self.aws = AwsAccess(config)
        self.configured_schemas: dict[str, JsonSchema] | None = None
        if catalog is not None:
            self.configured_schemas = {item.stream.name: item.stream.json_schema for item in catalog.streams}
        self.manifests: list[Manifest] | None = None
        self.tables: dict[str, dict[str, TableEntry]] = {}
        self.known_columns: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.record_schemas: dict[str, JsonSchema] = {}

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "RunConfig":
        """The run's configuration; one of its own for a component that is used outside of a run."""
        return config if isinstance(config, cls) else cls(config)
