"""The base class of the declarative sources."""

import inspect
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
)
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.cdk_repairs import RepairedSource, watch_stream
from cdp_connectors.failures import Failure, check_sentence, failed_streams, stream_failure
from cdp_connectors.json_types import Json
from cdp_connectors.refusals import StoppedStreamError, stop_refused_streams

_UNKNOWN_STREAM = Failure(
    FailureType.config_error,
    "the source has no such stream; refresh the connection's schema, or remove the stream from the catalog",
)


class ManifestSource(RepairedSource):
    """A declarative source whose `manifest.yaml` is in the folder of its class's module.

    The CDK looks for a relative manifest in the current directory first, where there could be another connector's; the
    path is therefore absolute. Beyond that, this class makes failures readable, as `failures` describes: `check`
    validates the configuration before the CDK would log a traceback for it, and a stream that is in the catalog but not
    in the source fails like any other, after the other streams were read.
    """

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Json] | None = None,
        state: list[AirbyteStateMessage] | None = None,
    ) -> None:
        self._unknown_streams: dict[str, Failure] = {}
        self._configured_names = {stream.stream.name for stream in catalog.streams} if catalog else set()
        self._failures: dict[str, AirbyteTracedException] = {}
        stop_refused_streams()
        manifest = Path(inspect.getfile(type(self))).with_name("manifest.yaml")
        super().__init__(path_to_yaml=str(manifest), catalog=catalog, config=config, state=state)

    def prepare_for_lines(self) -> None:
        """Learn that this process writes its messages to standard output, where a stream may yield finished lines."""

    def check(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:
        """Try the connection; the message of a failed status is written for the user.

        Raises:
            AirbyteTracedException: when the reason is neither the configuration nor the vendor's response.
        """
        try:
            self.validate_settings()
        except AirbyteTracedException as error:
            if error.failure_type is not FailureType.config_error:
                raise
            return AirbyteConnectionStatus(status=Status.FAILED, message=error.message)
        status = super().check(logger, config)
        if status.status is Status.FAILED:
            status.message = check_sentence(status.message)
        return status

    def rejected_with(self, status: int) -> bool:
        """Whether a stream failed because the vendor rejected a request with this HTTP status."""
        return any(getattr(failure, "status", None) == status for failure in self._failures.values())

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Json],
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

    def is_wanted(self, stream_config: Mapping[str, Json]) -> bool:
        """Whether a stream is in the catalog, or there is none."""
        return not self._configured_names or stream_config["name"] in self._configured_names

    def prepare(self, streams: list[AbstractStream]) -> None:
        """Keep the first failure of each stream."""
        for stream in streams:
            watch_stream(stream, self._within)

    def report_missing(self, streams: list[str]) -> None:
        """Count streams that the source does not have as failed."""
        self._unknown_streams = dict.fromkeys(streams, _UNKNOWN_STREAM)

    @contextmanager
    def _within(self, stream: str) -> Iterator[None]:
        try:
            yield
        except StoppedStreamError:
            raise
        except AirbyteTracedException as error:
            self._failures.setdefault(stream, error)
            raise
