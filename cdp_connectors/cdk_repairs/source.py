"""The CDK's declarative source, with hooks that it lacks."""

from collections.abc import Iterator, Mapping
from typing import Any

from airbyte_cdk.models import AirbyteStateMessage, ConfiguredAirbyteCatalog
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource, TestLimits
from airbyte_cdk.sources.declarative.partition_routers import AsyncJobPartitionRouter, PartitionRouter
from airbyte_cdk.sources.declarative.stream_slicers.declarative_partition_generator import (
    StreamSlicerPartitionGenerator,
)
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.sources.types import Config
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.cdk_repairs.http import repair_http_client
from cdp_connectors.cdk_repairs.records import require_objects
from cdp_connectors.cdk_repairs.templates import serialize_parsing
from cdp_connectors.json_types import Json


class RepairedSource(YamlDeclarativeSource):
    """`YamlDeclarativeSource` with hooks that it lacks."""

    def __init__(
        self,
        path_to_yaml: str,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Json] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        limits: TestLimits | None = None,
    ) -> None:
        """Load the manifest.

        Args:
            path_to_yaml: the manifest.
            catalog: the streams to read, if any.
            config: the configuration as the user entered it.
            state: the state to resume from.
            limits: how much to read of each stream, for a trial; `YamlDeclarativeSource` does not pass it on.
        """
        serialize_parsing()
        repair_http_client()
        require_objects()
        self._path_to_yaml = path_to_yaml
        ConcurrentDeclarativeSource.__init__(
            self,
            catalog=catalog or ConfiguredAirbyteCatalog(streams=[]),
            config=config or {},
            state=state or [],
            source_config=self._read_and_parse_yaml_file(path_to_yaml),
            limits=limits,
        )

    @property
    def settings(self) -> Config:
        """The configuration after the manifest's normalization, which the CDK has under a private name only."""
        return self._config

    @settings.setter
    def settings(self, config: Config) -> None:
        self._config = config

    def validate_settings(self) -> None:
        """Apply the validations of the manifest, which the CDK's `check` would report with a traceback.

        Raises:
            AirbyteTracedException: a `config_error`.
        """
        if self._spec_component:
            self._spec_component.validate_config(self._config)

    def is_wanted(self, stream_config: Mapping[str, Json]) -> bool:  # noqa: ARG002 # for subclasses
        """True if a stream of the manifest is to be built; the CDK builds all of them, even for a catalog of one."""
        return True

    def prepare_to_build(self) -> None:
        """Set up what streams that are built together share."""

    def prepare(self, streams: list[AbstractStream]) -> None:
        """Change streams after they were built and before they are read."""

    def report_unbuildable(self, stream: str, error: AirbyteTracedException) -> None:  # noqa: ARG002 # for subclasses
        """Handle a stream that could not be built.

        Raises:
            AirbyteTracedException: to give up all streams, as the CDK does.
        """
        raise error

    def report_missing(self, streams: list[str]) -> None:
        """Handle streams that are in the catalog but not in the source; the CDK skips them silently."""

    def _create_streams(
        self, selected_configs: list[dict[str, Any]], all_configs: list[dict[str, Any]]
    ) -> list[AbstractStream]:
        wanted = [each for each in selected_configs if self.is_wanted(each)]
        self.prepare_to_build()
        try:
            streams = super()._create_streams(wanted, all_configs)
        except AirbyteTracedException:
            streams = list(self._create_one_by_one(wanted, all_configs))
        for stream in streams:
            name_router(stream)
        self.prepare(streams)
        return streams

    def _create_one_by_one(
        self, wanted: list[dict[str, Any]], all_configs: list[dict[str, Any]]
    ) -> Iterator[AbstractStream]:
        """Build the streams that can be built; the CDK builds none of them if one has a damaged state."""
        for stream_config in wanted:
            try:
                yield from super()._create_streams([stream_config], all_configs)
            except AirbyteTracedException as error:
                self.report_unbuildable(stream_config["name"], error)

    def _select_streams(
        self, streams: list[AbstractStream], configured_catalog: ConfiguredAirbyteCatalog
    ) -> list[AbstractStream]:
        built = {stream.name for stream in streams}
        configured = (stream.stream.name for stream in configured_catalog.streams)
        self.report_missing([name for name in configured if name not in built])
        return super()._select_streams(streams, configured_catalog)


def name_router(stream: AbstractStream) -> None:
    """Make `get_partition_router` return the router of full refresh streams too.

    The CDK calls it to make children wait for their parent. For a full refresh stream it returns None, so that
    `stream_groups` would have no effect: a parent that is read at the same time would be requested twice. It also
    returns None for a stream of asynchronous jobs, as if trying that stream created nothing.
    """
    generator = stream._stream_partition_generator if isinstance(stream, DefaultStream) else None
    slicer = generator._stream_slicer if isinstance(generator, StreamSlicerPartitionGenerator) else None
    if isinstance(slicer, PartitionRouter | AsyncJobPartitionRouter):
        stream.get_partition_router = lambda: slicer  # type: ignore[attr-defined] # a DefaultStream
