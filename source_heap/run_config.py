"""The configuration of one run, and the objects that its components share."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from source_heap.aws import AwsAccess

if TYPE_CHECKING:
    from airbyte_cdk.models import ConfiguredAirbyteCatalog, ConfiguredAirbyteStream

    from cdp_connectors.lines import LineRoom
    from source_heap.bucket import Bucket


@dataclass(frozen=True)
class LineOutput:
    """The memory budget for finished lines and the encoder threads, which the tables of a run share."""

    room: "LineRoom"
    encoders: ThreadPoolExecutor


class RunConfig(dict[str, Any]):
    """The user's configuration as the CDK passes it to every component, with the objects that components share.

    The CDK builds a stream's components one by one, and the configuration is all that they have in common. Whatever
    must happen once per run, rather than once per stream, therefore goes through it: assuming the role, listing the
    bucket, reading a manifest.
    """

    def __init__(self, config: Mapping[str, Any], catalog: "ConfiguredAirbyteCatalog | None" = None) -> None:
        """Make no request yet. `catalog` is the catalog of the sync, if this run is one.

        `required_keys` has the key columns of each stream that the sync deduplicates; a row must have one of them.
        """
        super().__init__(config)
        self.aws = AwsAccess(config)
        self.bucket: Bucket | None = None
        self.line_output: LineOutput | None = None
        self.configured_schemas: dict[str, Mapping[str, Any]] | None = None
        if catalog is not None:
            self.configured_schemas = {item.stream.name: item.stream.json_schema for item in catalog.streams}
        self.required_keys = {item.stream.name: _key(item) for item in catalog.streams} if catalog else {}

    def declared_columns(self, table: str) -> Collection[str] | None:
        """The columns that the catalog of the sync declares for a table; None without a catalog, or without any."""
        properties: Mapping[str, Any] | None = (self.configured_schemas or {}).get(table, {}).get("properties")
        return properties or None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "RunConfig":
        """The run's configuration, from the one that the CDK passes to a component.

        Raises:
            TypeError: the component was not built by the source.
        """
        if not isinstance(config, cls):
            raise TypeError("the manifest's components only work within SourceHeap")
        return config

    @classmethod
    def bucket_of(cls, config: Mapping[str, Any]) -> "Bucket":
        """The bucket of the run.

        Raises:
            TypeError: no `BucketAccess` component has been built yet.
        """
        bucket = cls.of(config).bucket
        if bucket is None:
            raise TypeError("the manifest must build a BucketAccess component before the bucket is read")
        return bucket


def _key(stream: "ConfiguredAirbyteStream") -> tuple[str, ...]:
    deduplicates = stream.destination_sync_mode.value.endswith("_dedup")
    return tuple(path[0] for path in stream.primary_key or () if path) if deduplicates else ()
