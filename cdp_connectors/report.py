"""The report on a read: the streams that failed, the order of their traces, and the counts of each stream."""

import logging
from collections.abc import Callable, Iterator, Mapping

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    DestinationSyncMode,
    FailureType,
)

from cdp_connectors.failures import Failure, error_trace, failed_streams, stream_failure
from cdp_connectors.lines import record_count
from cdp_connectors.reads import StreamRead

_ENDS = {AirbyteStreamStatus.COMPLETE, AirbyteStreamStatus.INCOMPLETE}


class ReadReport:
    """The outcome of the streams of one read.

    Airbyte looks at the first error trace to decide whether to retry: transient errors are therefore passed on at once,
    and configuration errors after everything else. A stream has one trace per reason, however many requests failed.
    """

    def __init__(
        self, logger: logging.Logger, catalog: ConfiguredAirbyteCatalog, is_skipped: Callable[[str], bool]
    ) -> None:
        """Begin the report.

        Args:
            logger: the logger for the closing line of each stream.
            catalog: the streams that are read.
            is_skipped: True for a failed stream that the vendor does not offer and that the user wants skipped.
        """
        self.reads = {stream.stream.name: StreamRead() for stream in catalog.streams}
        self._overwritten = {
            stream.stream.name
            for stream in catalog.streams
            if stream.destination_sync_mode is DestinationSyncMode.overwrite
        }
        self._logger = logger
        self._is_skipped = is_skipped
        self._seen: set[tuple[str, Failure]] = set()
        self._held: list[tuple[str, Failure]] = []
        self._failures: dict[str, Failure] = {}

    def pass_on(self, messages: Iterator[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """Yield all messages except untrustworthy states, repeated error traces, and those left to `finish`.

        The counts of a stream are logged as soon as it has ended.
        """
        for message in messages:
            if message.record and message.record.stream in self.reads:
                self.reads[message.record.stream].rows += record_count(message)
            failed = stream_failure(message)
            if (failed is None or self._is_due(*failed)) and not self._is_untrustworthy_state(message):
                yield message
            if ended := _ended_stream(message):
                self._logger.info("Stream %s: %s", ended, self.reads.get(ended, StreamRead()))

    def _is_due(self, stream: str, failure: Failure) -> bool:
        if (stream, failure) in self._seen:
            return False
        self._seen.add((stream, failure))
        if failure.failure_type is FailureType.config_error:
            self._held.append((stream, failure))
            return False
        self._failures.setdefault(stream, failure)
        return True

    def _is_untrustworthy_state(self, message: AirbyteMessage) -> bool:
        saved = message.state.stream if message.state else None
        read = self.reads.get(saved.stream_descriptor.name) if saved else None
        return read is not None and not read.may_save_state

    @property
    def has_failures(self) -> bool:
        """True if a stream had an error trace, so that the CDK's own summary adds nothing."""
        return bool(self._seen)

    def finish(self, never_read: Mapping[str, Failure]) -> Iterator[AirbyteMessage]:
        """Yield the traces of configuration errors, and warn about streams that were skipped.

        Args:
            never_read: the failures of streams that could not even be built.

        Raises:
            AirbyteTracedException: a stream failed.
        """
        for stream, failure in [*self._held, *never_read.items()]:
            if self._is_skipped(stream):
                emptied = " Its table is overwritten and therefore empty now." if stream in self._overwritten else ""
                self._logger.warning("Skipped stream %s, as configured.%s %s", stream, emptied, failure.message)
            else:
                self._failures.setdefault(stream, failure)
                yield error_trace(stream, failure)
        if self._failures:
            raise failed_streams(self._failures, overwritten=bool(self._overwritten))


def _ended_stream(message: AirbyteMessage) -> str | None:
    status = message.trace.stream_status if message.trace else None
    return status.stream_descriptor.name if status and status.status in _ENDS else None
