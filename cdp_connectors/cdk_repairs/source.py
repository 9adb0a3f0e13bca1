"""The CDK's declarative source, with the places to intervene that it lacks."""

import logging
from collections.abc import Mapping
from typing import Any

from airbyte_cdk.models import AirbyteStateMessage, ConfiguredAirbyteCatalog
from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter
from airbyte_cdk.sources.declarative.stream_slicers.declarative_partition_generator import (
    StreamSlicerPartitionGenerator,
)
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.sources.types import Config

from cdp_connectors.cdk_repairs.http import cache_json_only, keep_bodies_out_of_failures
from cdp_connectors.cdk_repairs.records import require_objects
from cdp_connectors.cdk_repairs.templates import serialize_parsing
from cdp_connectors.json_types import Json


class RepairedSource(YamlDeclarativeSource):
    """`YamlDeclarativeSource` with the places to intervene that it lacks."""

    def __init__(
        self,
        path_to_yaml: str,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Json] | None = None,
        state: list[AirbyteStateMessage] | None = None,
    ) -> None:
        serialize_parsing()
        cache_json_only()
        keep_bodies_out_of_failures()
        require_objects()
        super().__init__(path_to_yaml=path_to_yaml, catalog=catalog, config=config, state=state)
        self.logger.addFilter(_is_not_deferral)

    @property
    def settings(self) -> Config:
        """The configuration after the manifest's normalization."""
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
        """Whether to build a stream of the manifest; the CDK builds all of them, even for a catalog of one."""
        return True

    def prepare(self, streams: list[AbstractStream]) -> None:
        """Change streams after they were built and before they are read."""

    def report_missing(self, streams: list[str]) -> None:
        """Learn which streams the catalog names and the source does not have; the CDK skips them silently."""

    def _create_streams(
        self, selected_configs: list[dict[str, Any]], all_configs: list[dict[str, Any]]
    ) -> list[AbstractStream]:
        streams = super()._create_streams([each for each in selected_configs if self.is_wanted(each)], all_configs)
        for stream in streams:
            _name_router(stream)
        self.prepare(streams)
        return streams

    def _select_streams(
        self, streams: list[AbstractStream], configured_catalog: ConfiguredAirbyteCatalog
    ) -> list[AbstractStream]:
        built = {stream.name for stream in streams}
        configured = (stream.stream.name for stream in configured_catalog.streams)
        self.report_missing([name for name in configured if name not in built])
        return super()._select_streams(streams, configured_catalog)


def _name_router(stream: AbstractStream) -> None:
    """Let `get_partition_router` answer for full refresh streams too.

    The CDK calls it to let children wait for their parent. A full refresh stream answers None, so that `stream_groups`
    would have no effect on it: a parent that is read at the same time would be requested twice.
    """
    generator = stream._stream_partition_generator if isinstance(stream, DefaultStream) else None
    slicer = generator._stream_slicer if isinstance(generator, StreamSlicerPartitionGenerator) else None
    if isinstance(slicer, PartitionRouter):
        stream.get_partition_router = lambda: slicer  # type: ignore[attr-defined] # a DefaultStream


def _is_not_deferral(record: logging.LogRecord) -> bool:
    """Whether a log line says more than that a stream still waits for its parent, which thousands of lines say."""
    return not str(record.msg).startswith("Deferring stream")
