"""Rejections that concern one parent, and those that concern an entire stream."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Lock

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler, HttpResponseFilter
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.streams.http.error_handlers import ErrorResolution, ResponseAction
from airbyte_cdk.sources.types import Record, StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.cdk_repairs import (
    RejectedRequestError,
    WrappedPartition,
    is_web_page,
    leave_unreported,
    wrap_partitions,
)
from cdp_connectors.reads import current_read

_FAILURES_IN_A_ROW = 5
_logger = logging.getLogger("airbyte")


class SpentQuotaError(AirbyteTracedException):
    """A quota that is used up, so that no further request of the stream can succeed."""


class StoppedStreamError(AirbyteTracedException):
    """A slice that was not requested because its stream has already failed; it adds nothing to that failure."""


class ParentAbsentError(AirbyteTracedException):
    """A response that concerns one parent only: its slice ends, and the stream continues.

    Args:
        reason: the message for the log.
        verdict: the failure of the stream if too many parents have such a response.
        limit: the number of parents at which the stream fails; None for all of them.
        ever_answered: True if the limit no longer applies once a parent was answered; otherwise, consecutive parents
            are counted.
    """

    def __init__(
        self, reason: str, verdict: AirbyteTracedException | None, limit: int | None, *, ever_answered: bool
    ) -> None:
        super().__init__(message=reason, internal_message=reason, failure_type=FailureType.system_error)
        self.verdict = verdict
        self.limit = limit
        self.ever_answered = ever_answered


@dataclass
class ParentErrorHandler(DefaultErrorHandler):
    """`DefaultErrorHandler` for the requests of a stream with one request (or more) per parent.

    A response that matches a filter of `absent` or `rejected`, and is not a web page, ends the slice of that parent,
    with the filter's message in the log. So does a response that a filter of `response_filters` ignores, unless an
    earlier filter of that list matches. The stream fails with the message and failure type of `verdict` once
    `absent_limit` parents were absent and none was answered (without a limit: once all were), or `rejected_limit`
    parents in a row were rejected.

    With the built-in action IGNORE, such a response is an empty page. These are not counted, so that a stream whose
    parents are all unknown to the vendor would be an empty table.
    """

    absent: list[HttpResponseFilter] = field(default_factory=list)
    absent_limit: int | None = None
    rejected: list[HttpResponseFilter] = field(default_factory=list)
    rejected_limit: int = _FAILURES_IN_A_ROW
    verdict: HttpResponseFilter | None = None
    """A filter that matches every response; without one, the stream never fails for this reason."""

    def interpret_response(self, response_or_exception: requests.Response | Exception | None) -> ErrorResolution:
        """The resolution of the built-in handler for all other responses.

        Raises:
            ParentAbsentError: for a response that concerns one parent only.
        """
        response = response_or_exception if isinstance(response_or_exception, requests.Response) else None
        if response is not None and not response.ok and not is_web_page(response):
            for filters, is_absent in ((self.absent, True), (self.rejected, False)):
                for match in filter(None, (each.matches(response) for each in filters)):
                    raise self._absence(match, response, is_absent=is_absent)
        resolution = super().interpret_response(response_or_exception)
        if response is not None and resolution.response_action is ResponseAction.IGNORE:
            raise self._absence(resolution, response, is_absent=True)
        return resolution

    def _absence(self, match: ErrorResolution, response: requests.Response, *, is_absent: bool) -> ParentAbsentError:
        verdict = None
        if self.verdict and (failure := self.verdict.matches(response)):
            summary = f"{response.status_code} for every parent"
            kind = failure.failure_type or FailureType.system_error
            verdict = RejectedRequestError(failure.error_message or "", summary, kind, response.status_code)
        limit = self.absent_limit if is_absent else self.rejected_limit
        return ParentAbsentError(match.error_message or "", verdict, limit, ever_answered=is_absent)


def stop_rejected_streams() -> None:
    """Make every stream, and every list of parents, stop at the first failure that all its slices share.

    That is a `config_error`, a spent quota, the verdict of a `ParentErrorHandler`, or the fifth failed slice in a row.
    Slices that are already waiting then raise `StoppedStreamError` and make no request. A second call changes nothing.
    """
    wrap_partitions(lambda generate: _StreamRead().guarded(generate))
    leave_unreported(StoppedStreamError)


@dataclass
class _Parent:
    """One parent, for as long as slices of it are waiting or being read."""

    waiting: int = 0
    answered: bool = False
    first: Lock = field(default_factory=Lock)
    """Held by the first slice until its response is known."""


class _StreamRead:
    """One read of one stream. Its slices are read by several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._parents: dict[int, _Parent] = {}
        self._absent: dict[int, ParentAbsentError] = {}
        self._in_a_row = 0
        self._answered = False
        self._failure: AirbyteTracedException | None = None
        self._stream = ""
        self._open = 1  # the generation itself, and each slice that is not finished

    def guarded(self, generate: Callable[[], Iterable[Partition]]) -> Iterator[Partition]:
        """Yield the partitions, until the stream has failed."""
        for partition in generate():
            if self._failure:
                return
            self._stream = partition.stream_name()
            with self._lock:
                self._open += 1
                self._parents.setdefault(_parent_key(partition), _Parent()).waiting += 1
            yield WrappedPartition(partition, self.read)
        self._finish()

    def read(self, partition: Partition) -> Iterator[Record]:
        """Yield the records of a partition.

        Raises:
            AirbyteTracedException: its own failure, or a `StoppedStreamError` after a failure of the entire stream.
        """
        key = _parent_key(partition)
        try:
            with self._turn_of(key) as answered:
                self._raise_if_stopped()
                if key not in self._absent:
                    yield from self._answer(key, partition, answered)
        except ParentAbsentError as error:
            self._count_absent(error)
        except AirbyteTracedException as error:
            self._count_failure(error)
            raise
        self._finish()

    def _answer(self, key: int, partition: Partition, answered: Callable[[], None]) -> Iterator[Record]:
        try:
            for record in partition.read():
                answered()
                yield record
            answered()
        except ParentAbsentError as error:
            self._absent[key] = error  # before the next slice of this parent has its turn
            raise

    @contextmanager
    def _turn_of(self, key: int) -> Iterator[Callable[[], None]]:
        """Hold back a parent's other slices until the response to its first one is known."""
        with self._lock:
            parent = self._parents[key]
        with ExitStack() as turn:
            if not parent.answered:
                turn.enter_context(parent.first)

            def answered() -> None:
                self._answered, self._in_a_row, parent.answered = True, 0, True
                if read := current_read():
                    read.unanswered.discard(self._stream)
                turn.close()

            try:
                yield answered
            finally:
                with self._lock:
                    parent.waiting -= 1
                    if not parent.waiting:
                        self._parents.pop(key, None)

    def _raise_if_stopped(self) -> None:
        if self._failure:
            reason = "not requested, since the stream has failed"
            raise StoppedStreamError(reason, self._failure.message, self._failure.failure_type)

    def _count_absent(self, error: ParentAbsentError) -> None:
        read = current_read()
        with self._lock:
            self._in_a_row += 1
            count = len(self._absent) if error.ever_answered else self._in_a_row
            if error.verdict and not self._answered and read:
                read.unanswered.add(self._stream)
            too_many = error.limit is not None and count >= error.limit
            tolerated = self._failure or (error.ever_answered and self._answered)
            verdict = error.verdict if too_many and not tolerated else None
            self._failure = self._failure or verdict
        _logger.info(error.message)
        if read:
            read.count_skipped(str(error.message))
        if verdict:
            raise verdict from error
        self._raise_if_stopped()

    def _count_failure(self, error: AirbyteTracedException) -> None:
        with self._lock:
            self._in_a_row += 1
            of_all = error.failure_type is FailureType.config_error or isinstance(error, SpentQuotaError)
            if of_all or self._in_a_row >= _FAILURES_IN_A_ROW:
                self._failure = self._failure or error

    def _finish(self) -> None:
        """Fail the stream with the verdict if this was its last slice and all parents were absent."""
        with self._lock:
            self._open -= 1
            last = next(reversed(self._absent.values()), None)
            if self._open or self._answered or last is None or last.limit is not None or last.verdict is None:
                return
            self._failure = last.verdict
        raise last.verdict


def _parent_key(partition: Partition) -> int:
    """A hash of the parent's keys; every slice of a stream without parents has its own."""
    stream_slice = partition.to_slice()
    if isinstance(stream_slice, StreamSlice) and stream_slice.partition:
        return hash(repr(sorted({**stream_slice.extra_fields, **stream_slice.partition}.items(), key=repr)))
    return hash(partition)
