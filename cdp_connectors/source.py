"""The base class of the declarative sources."""

import ast
import inspect
import logging
import re
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
    TraceType,
    Type,
)
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils import AirbyteTracedException

_AVAILABILITY_PREFIX = re.compile(r"^Stream \S+ is not available: ")


class ManifestSource(YamlDeclarativeSource):
    """A declarative source whose `manifest.yaml` lies beside the module of its class.

    The CDK looks for a relative manifest in the current directory first, where another connector's
    could lie; the path is therefore absolute. Beyond that, this class only makes failures readable:

    - `check` reports one sentence, and validates the configuration before the CDK would log a traceback for it;
    - a stream that the catalog names and the source does not have fails, after the other streams were read;
    - the trace of a `config_error` carries no stack trace: nothing in the code is wrong;
    - the exception that ends a partly failed `read` names each failed stream with its sentence, and has the
      failure type of its streams: `config_error` if the user can mend any, else `system_error` if any is
      a defect, else `transient_error`.
    """

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
    ) -> None:
        manifest = Path(inspect.getfile(type(self))).with_name("manifest.yaml")
        self._unknown_stream_names: list[str] = []
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
            status.message = _sentence(status.message)
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
        failures: dict[str, tuple[FailureType, str]] = {}
        try:
            for message in super().read(logger, config, catalog, state):
                _note_failure(message, failures)
                yield message
        except AirbyteTracedException as error:
            if not failures:
                raise
            self._note_unknown_streams(failures)
            raise _failed_streams(failures) from error
        self._note_unknown_streams(failures)
        if failures:
            raise _failed_streams(failures)

    def _select_streams(
        self, streams: list[AbstractStream], configured_catalog: ConfiguredAirbyteCatalog
    ) -> list[AbstractStream]:
        known = {stream.name for stream in streams}
        configured = [stream.stream.name for stream in configured_catalog.streams]
        self._unknown_stream_names = [name for name in configured if name not in known]
        return super()._select_streams(streams, configured_catalog)

    def _note_unknown_streams(self, failures: dict[str, tuple[FailureType, str]]) -> None:
        for name in self._unknown_stream_names:
            failures[name] = (
                FailureType.config_error,
                "the source has no such stream; refresh the connection's schema, or remove the stream from the catalog",
            )


def _sentence(message: str | None) -> str | None:
    """The text behind the `repr` and the stream prefix that the CDK's `check` puts around it."""
    if not message:
        return message
    try:
        text = ast.literal_eval(message)
    except (SyntaxError, ValueError):
        return message
    return _AVAILABILITY_PREFIX.sub("", text) if isinstance(text, str) else message


def _note_failure(message: AirbyteMessage, failures: dict[str, tuple[FailureType, str]]) -> None:
    if message.type is not Type.TRACE or message.trace is None:
        return
    error = message.trace.error
    if message.trace.type is TraceType.ERROR and error and error.stream_descriptor:
        if error.failure_type is FailureType.config_error:
            error.stack_trace = None
        failures[error.stream_descriptor.name] = (error.failure_type or FailureType.system_error, error.message)


def _failed_streams(failures: Mapping[str, tuple[FailureType, str]]) -> AirbyteTracedException:
    types = {failure_type for failure_type, _ in failures.values()}
    worst = next(
        failure_type
        for failure_type in (
            FailureType.config_error,
            FailureType.system_error,
            FailureType.transient_error,
        )
        if failure_type in types
    )
    sentences = "; ".join(f"{name}: {sentence}" for name, (_, sentence) in failures.items())
    return AirbyteTracedException(
        message=f"{len(failures)} stream(s) did not sync, all others did. {sentences}",
        internal_message="Failed streams: " + ", ".join(failures),
        failure_type=worst,
    )
