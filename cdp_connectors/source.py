"""The base class of the declarative sources."""

import inspect
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import TestLimits
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils import AirbyteTracedException
from jinja2 import UndefinedError

from cdp_connectors.availability import is_unavailable, try_streams
from cdp_connectors.cdk_repairs import RepairedSource, watch_parents, watch_stream
from cdp_connectors.failures import Failure, check_message, transient_error
from cdp_connectors.json_types import Json
from cdp_connectors.keys import deduplication_keys, require_key, require_parent_key
from cdp_connectors.manifests import declared
from cdp_connectors.reads import StreamRead
from cdp_connectors.rejections import StoppedStreamError, stop_rejected_streams
from cdp_connectors.report import ReadReport
from cdp_connectors.states import load_states, state_fault, states_by_stream

_OTHER_SHAPES = (UndefinedError, AttributeError, LookupError, TypeError, ValueError)
"""Errors of Python and Jinja if a value in a response is missing, or of another type than documented."""
_UNKNOWN_STREAM = Failure(
    FailureType.config_error,
    "The source has no such stream. Refresh the connection's schema, or remove the stream from the catalog.",
)


class ManifestSource(RepairedSource):
    """A declarative source whose `manifest.yaml` is in the folder of its class's module.

    The CDK looks for a relative manifest in the current directory first, where there could be another connector's; the
    path is therefore absolute. Beyond that, this class makes failures readable, as `report` describes: `check`
    validates the configuration before the CDK would log a traceback for it, and a stream that is not in the source or
    whose state is damaged fails alone, while the other streams are read.
    """

    tries_streams: ClassVar[bool] = False
    """True if `check` requests the first page of each stream, to name those that the vendor denies."""
    requires_keys: ClassVar[bool] = True
    """True if a record without its primary key fails its stream, if the destination deduplicates by it."""

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Json] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        limits: TestLimits | None = None,
    ) -> None:
        self._configured_names = {stream.stream.name for stream in catalog.streams} if catalog else set()
        self._keys = deduplication_keys(catalog) if self.requires_keys else {}
        self._states = states_by_stream(state)
        self._failures: dict[str, AirbyteTracedException] = {}
        self._never_built: dict[str, Failure] = {}
        self._missing: dict[str, Failure] = {}
        self.reads: dict[str, StreamRead] = {}
        """The counts of each stream so far."""
        stop_rejected_streams()
        manifest = Path(inspect.getfile(type(self))).with_name("manifest.yaml")
        super().__init__(path_to_yaml=str(manifest), catalog=catalog, config=config, state=state, limits=limits)

    def prepare_for_lines(self) -> None:
        """Prepare for a process that writes messages to standard output, so that streams may yield finished lines."""

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """The states in a file; a damaged one fails its stream and not the entire sync."""
        return load_states(state_path) if state_path else []

    def check(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:
        """Try the connection; the message is written for the user, and names streams that cannot be read.

        Raises:
            AirbyteTracedException: when the reason is neither the configuration nor the vendor's response.
        """
        status = self.connect(logger, config)
        if status.status is Status.SUCCEEDED and (unavailable := self.unavailable_streams()):
            status.message = _unavailable_message(unavailable, skipped=self._skips_unavailable)
            logger.warning(status.message)
        return status

    def connect(self, logger: logging.Logger, config: Mapping[str, Json]) -> AirbyteConnectionStatus:
        """Try the connection with the streams that the manifest names for that.

        Raises:
            AirbyteTracedException: when the reason is neither the configuration nor the vendor's response.
        """
        try:
            self.validate_settings()
        except AirbyteTracedException as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=error.message)
        status = super().check(logger, config)
        if status.status is Status.FAILED:
            status.message = check_message(status.message)
        return status

    def unavailable_streams(self) -> dict[str, str]:
        """Request the first page of each stream that has no parents; return why the vendor denies some, by stream."""
        if not self.tries_streams:
            return {}
        tried = self.resolved_manifest["check"]["stream_names"]
        try_streams(stream for stream in self.streams(self.settings) if stream.name not in tried)
        return {
            name: str(failure)
            for name, failure in sorted(self._failures.items())
            if self._is_unavailable(name, answered=True)
        }

    def rejected_with(self, status: int) -> bool:
        """True if a stream failed because the vendor rejected a request with this HTTP status."""
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
        report = ReadReport(logger, catalog, self._is_skipped)
        self.reads = report.reads
        failure = None
        try:
            yield from report.pass_on(super().read(logger, config, catalog, state))
        except AirbyteTracedException as error:
            failure = error
        yield from report.finish(self._missing)
        if failure and not report.has_failures:
            raise failure

    def is_wanted(self, stream_config: Mapping[str, Json]) -> bool:
        """True if a stream is to be built: it is in the catalog, if there is one, and its state is valid."""
        name = stream_config["name"]
        if self._configured_names and name not in self._configured_names:
            return False
        if fault := state_fault(stream_config, self._states.get(name, {}), self.settings):
            self._never_built[name] = _damaged_state(fault)
        return name not in self._never_built

    def prepare(self, streams: list[AbstractStream]) -> None:
        """For each stream, keep its first failure, count its requests, and require keys of its records and parents."""
        for stream in streams:
            name, keys = stream.name, self._keys.get(stream.name, ())
            watch_stream(stream, self._within, partial(require_key, stream=name, keys=keys))
            watch_parents(stream, require_parent_key)

    def report_unbuildable(self, stream: str, error: AirbyteTracedException) -> None:
        """Count a stream that could not be built as failed."""
        self._never_built[stream] = Failure(error.failure_type, str(error))

    def report_missing(self, streams: list[str]) -> None:
        """Count streams that were not built as failed."""
        self._missing = {name: self._never_built.get(name, _UNKNOWN_STREAM) for name in streams}

    def _is_skipped(self, stream: str) -> bool:
        answered = any(read.answered for read in self.reads.values())
        available = not self._is_unavailable(stream, answered=answered) or self.reads[stream].rows
        return self._skips_unavailable and not available

    def _is_unavailable(self, stream: str, *, answered: bool) -> bool:
        listed = declared(self.resolved_manifest["streams"])
        is_optional = any(each["name"] == stream and each.get("$parameters", {}).get("plan_feature") for each in listed)
        return is_unavailable(self._failures.get(stream), is_optional=is_optional and answered)

    @property
    def _skips_unavailable(self) -> bool:
        return bool(self.settings.get("unavailable_streams") == "skip")

    @contextmanager
    def _within(self, stream: str) -> Iterator[None]:
        try:
            with self.reads.setdefault(stream, StreamRead()).working():
                yield
        except StoppedStreamError:
            raise
        except AirbyteTracedException as error:
            self._failures.setdefault(stream, error)
            raise
        except _OTHER_SHAPES as error:
            self._failures.setdefault(stream, undocumented := _undocumented_response(stream, error))
            raise undocumented from error


def _undocumented_response(stream: str, error: Exception) -> AirbyteTracedException:
    *_, place = traceback.extract_tb(error.__traceback__)
    return transient_error(
        f"A response for stream {stream} does not have the documented form. Run the sync again later. If the error "
        "persists, check that the API URL is the vendor's own.",
        f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}",  # its message can quote data
    )


def _damaged_state(fault: str) -> Failure:
    return Failure(FailureType.config_error, f"The saved state of this stream is damaged: {fault}. Reset the stream.")


def _unavailable_message(streams: Mapping[str, str], *, skipped: bool) -> str:
    remedy = (
        "They will be skipped"
        if skipped
        else "A sync that includes one of them fails: deselect them, or set Unavailable Streams to skip"
    )
    return (
        f"The connection works, but the credential cannot read {len(streams)} stream(s): {', '.join(streams)}. "
        f"{remedy}. {next(iter(streams.values()))}"
    )
