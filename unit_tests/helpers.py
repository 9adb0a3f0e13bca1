"""Running a source in this process, against mocked HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any

from airbyte_cdk.models import ConfiguredAirbyteCatalog, SyncMode
from airbyte_cdk.test.catalog_builder import CatalogBuilder
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput, read
from airbyte_cdk.test.state_builder import StateBuilder

from cdp_connectors.source import ManifestSource

JsonObject = dict[str, Any]


def read_streams(
    source_class: type[ManifestSource],
    config: Mapping[str, Any],
    streams: Sequence[str],
    state: Mapping[str, JsonObject] | None = None,
    sync_mode: SyncMode = SyncMode.incremental,
) -> EntrypointOutput:
    """Read the streams through the CDK's entrypoint; `state` has the saved state of each stream."""
    catalog = catalog_of(streams, sync_mode)
    saved = StateBuilder()
    for stream, blob in (state or {}).items():
        saved = saved.with_stream_state(stream, blob)
    messages = saved.build()
    source = source_class(catalog=catalog, config=config, state=messages)
    return read(source, config, catalog, messages)


def catalog_of(streams: Sequence[str], sync_mode: SyncMode) -> ConfiguredAirbyteCatalog:
    """A configured catalog of the streams."""
    builder = CatalogBuilder()
    for stream in streams:
        builder = builder.with_stream(stream, sync_mode)
    return builder.build()


def rows(output: EntrypointOutput) -> list[JsonObject]:
    """The data of the records, in the order they were written."""
    return [message.record.data for message in output.records]
