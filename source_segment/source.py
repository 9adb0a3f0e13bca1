"""The source."""

import logging
from typing import Any

from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter
from airbyte_cdk.sources.declarative.stream_slicers.declarative_partition_generator import (
    StreamSlicerPartitionGenerator,
)
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream

from cdp_connectors.source import ManifestSource


class SourceSegment(ManifestSource):
    """Segment, as `manifest.yaml` describes it.

    Beyond that, every stream names its partition router. The CDK asks for it to let children wait for their parent, and
    a full refresh stream answers None, so that `stream_groups` would have no effect on it: parents that are read while
    their own stream is read would be requested twice.
    """

    def _create_streams(
        self, selected_configs: list[dict[str, Any]], all_configs: list[dict[str, Any]]
    ) -> list[AbstractStream]:
        self.logger.addFilter(_is_no_deferral)
        streams = super()._create_streams(selected_configs, all_configs)
        for stream in streams:
            if isinstance(stream, DefaultStream):
                _name_router(stream)
        return streams


def _is_no_deferral(record: logging.LogRecord) -> bool:
    """Whether a log line says more than that a stream still waits for its parent: thousands of lines say that."""
    return not str(record.msg).startswith("Deferring stream")


def _name_router(stream: DefaultStream) -> None:
    generator = stream._stream_partition_generator  # noqa: SLF001 # the CDK has no other way to it
    slicer = generator._stream_slicer if isinstance(generator, StreamSlicerPartitionGenerator) else None  # noqa: SLF001
    if isinstance(slicer, PartitionRouter):
        stream.get_partition_router = lambda: slicer  # type: ignore[method-assign] # an answer for this stream alone
