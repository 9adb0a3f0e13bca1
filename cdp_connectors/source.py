"""The base class of the declarative sources."""

import inspect
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
)
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.ast_parsing import parse_one_at_a_time
from cdp_connectors.failures import Failure, check_sentence, failed_streams, stream_failure
from cdp_connectors.refusals import stop_refused_streams
from cdp_connectors.response_cache import cache_json_only

_UNKNOWN_STREAM = Failure(
    FailureType.config_error,
    "the source has no such stream; refresh the connection's schema, or remove the stream from the catalog",
)


class ManifestSource(YamlDeclarativeSource):
    """A declarative source whose `manifest.yaml` lies beside the module of its class.

    The CDK looks for a relative manifest in the current directory first, where another connector's could lie; the
    path is therefore absolute. Beyond that, this class only makes failures readable, as `failures` describes:
    `check` validates the configuration before the CDK would log a traceback for it, and a stream that the catalog
    names and the source does not have fails like any other, after the other streams were read.
    """

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
    ) -> None:
        parse_one_at_a_time()
        cache_json_only()
        stop_refused_streams()
        manifest = Path(inspect.getfile(type(self))).with_name("manifest.yaml")
        self._unknown_streams: dict[str, Failure] = {}
        self._configured_names = {stream.stream.name for stream in catalog.streams} if catalog else set()
        super().__init__(path_to_yaml=str(manifest), catalog=catalog, config=config, state=state)

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Try the connection; the message of a failed status is one sentence for the user.

        Raises:
            AirbyteTracedException: when the reason is neither the configuration nor the vendor's answer.
        """
        try:
            if self._spec_component:
                self._spec_component.validate_config(self._config)
        except AirbyteTracedException as error:
            if error.failure_type is not FailureType.config_error:
                raise
            return AirbyteConnectionStatus(status=Status.FAILED, message=error.message)
        status = super().check(logger, config)
        if status.status is Status.FAILED:
            status.message = check_sentence(status.message)
        return status

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Read the streams of the catalog.

        Raises:
            AirbyteTracedException: when a stream failed, after every other stream was read.
        """
        failures: dict[str, Failure] = {}
        try:
            for message in super().read(logger, config, catalog, state):
                failure = stream_failure(message)
                if failure and failures.get(failure[0]) == failure[1]:
                    continue  # one trace per stream and reason, however many slices met it
                failures.update([failure] if failure else [])
                yield message
        except AirbyteTracedException as error:
            if not failures:
                raise
            raise failed_streams(failures | self._unknown_streams) from error
        if self._unknown_streams:
            raise failed_streams(self._unknown_streams)

    def _create_streams(
        self, selected_configs: list[dict[str, Any]], all_configs: list[dict[str, Any]]
    ) -> list[AbstractStream]:
        """Build the streams of the catalog only, if there is one: the CDK builds all and then takes those."""
        names = self._configured_names
        wanted = [config for config in selected_configs if not names or config["name"] in names]
        return super()._create_streams(wanted, all_configs)

    def _select_streams(
        self, streams: list[AbstractStream], configured_catalog: ConfiguredAirbyteCatalog
    ) -> list[AbstractStream]:
        known = {stream.name for stream in streams}
        configured = (stream.stream.name for stream in configured_catalog.streams)
        self._unknown_streams = {name: _UNKNOWN_STREAM for name in configured if name not in known}
        return super()._select_streams(streams, configured_catalog)
