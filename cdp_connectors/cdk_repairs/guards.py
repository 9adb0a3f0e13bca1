"""Streams that stop at their first configuration error."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.types import Record
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.json_types import Json


class StreamReads:
    """The streams that are read, and the configuration error of each one that has failed.

    One object serves all threads of a sync: its only change is to set a key, once.
    """

    def __init__(self) -> None:
        self.failures: dict[str, AirbyteTracedException] = {}

    def require_no_failure(self, stream: str) -> None:
        """Raise the configuration error that the stream has failed with, if any."""
        if failure := self.failures.get(stream):
            raise failure

    @contextmanager
    def within(self, stream: str) -> Iterator[None]:
        """Do a part of a stream's work, unless the stream has failed; remember a configuration error.

        Raises:
            AirbyteTracedException: the configuration error that the stream has failed with, before or now.
        """
        self.require_no_failure(stream)
        try:
            yield
        except AirbyteTracedException as error:
            if error.failure_type is FailureType.config_error:
                self.failures.setdefault(stream, error)
            raise


def guard_stream(stream: AbstractStream, reads: StreamReads) -> None:
    """Request nothing more for a stream after its first configuration error.

    The CDK continues with all other partitions of the stream, each of which meets the same error, and flattens the
    exceptions to strings. It has no hook between a stream and its partitions, hence the replaced method.
    """
    generate = stream.generate_partitions

    def generate_guarded() -> Iterable[Partition]:
        with reads.within(stream.name):
            for partition in generate():
                yield _GuardedPartition(partition, reads)
                reads.require_no_failure(stream.name)

    stream.generate_partitions = generate_guarded  # type: ignore[method-assign] # for this stream alone


class _GuardedPartition(Partition):
    def __init__(self, partition: Partition, reads: StreamReads) -> None:
        self._partition = partition
        self._reads = reads

    def read(self) -> Iterable[Record]:
        with self._reads.within(self.stream_name()):
            yield from self._partition.read()

    def to_slice(self) -> Mapping[str, Json] | None:
        return self._partition.to_slice()

    def stream_name(self) -> str:
        return self._partition.stream_name()

    def __hash__(self) -> int:
        return hash(self._partition)
