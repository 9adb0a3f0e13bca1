"""Places to intervene between a stream, its partitions and their records."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import wraps
from typing import TypeAlias

from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.sources.concurrent_source.concurrent_read_processor import ConcurrentReadProcessor
from airbyte_cdk.sources.concurrent_source.stream_thread_exception import StreamThreadException
from airbyte_cdk.sources.declarative.stream_slicers.declarative_partition_generator import (
    StreamSlicerPartitionGenerator,
)
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.types import Record

from cdp_connectors.json_types import Json

GeneratePartitions: TypeAlias = Callable[[], Iterable[Partition]]
ReadPartition: TypeAlias = Callable[[Partition], Iterable[Record]]


class WrappedPartition(Partition):
    """A partition that is read by another function."""

    def __init__(self, partition: Partition, read: ReadPartition) -> None:
        self._partition = partition
        self._read = read

    def read(self) -> Iterable[Record]:
        """Read the records of the partition."""
        return self._read(self._partition)

    def to_slice(self) -> Mapping[str, Json] | None:
        """The slice of the partition."""
        return self._partition.to_slice()

    def stream_name(self) -> str:
        """The name of the partition's stream."""
        return self._partition.stream_name()

    def __hash__(self) -> int:
        return hash(self._partition)


def wrap_partitions(wrap: Callable[[GeneratePartitions], Iterable[Partition]]) -> None:
    """Pass the partitions of every stream, and of every list of parents in a router, through a function.

    A second call changes nothing. The CDK reads every partition, whatever happened to those before, and has no hook
    between a stream and its partitions.
    """
    generate = StreamSlicerPartitionGenerator.generate
    if hasattr(generate, "__wrapped__"):
        return

    @wraps(generate)
    def generate_wrapped(generator: StreamSlicerPartitionGenerator) -> Iterable[Partition]:
        return wrap(lambda: generate(generator))

    StreamSlicerPartitionGenerator.generate = generate_wrapped  # type: ignore[method-assign, assignment] # as above


def leave_unreported(kind: type[Exception]) -> None:
    """Write neither a trace nor a log line for partitions that end with this exception, which adds nothing.

    A second call changes nothing. The CDK reports the exception of every partition, ten thousand times if it must.
    """
    report = ConcurrentReadProcessor.on_exception
    if hasattr(report, "__wrapped__"):
        return

    @wraps(report)
    def report_others(processor: ConcurrentReadProcessor, failed: StreamThreadException) -> Iterable[AirbyteMessage]:
        return () if isinstance(failed.exception, kind) else report(processor, failed)

    ConcurrentReadProcessor.on_exception = report_others  # type: ignore[method-assign, assignment] # as above


def watch_stream(stream: AbstractStream, within: Callable[[str], AbstractContextManager[None]]) -> None:
    """Do all the work of a stream within a context that is given the name of the stream.

    That is the generation of its partitions, which reads the parents, and the reading of each partition, in whatever
    thread. The CDK keeps no such context, and turns the exceptions of a stream into strings.
    """
    generate = stream.generate_partitions

    def read(partition: Partition) -> Iterator[Record]:
        with within(stream.name):
            yield from partition.read()

    def generate_watched() -> Iterator[Partition]:
        with within(stream.name):
            for partition in generate():
                yield WrappedPartition(partition, read)

    stream.generate_partitions = generate_watched  # type: ignore[method-assign] # for this stream alone
