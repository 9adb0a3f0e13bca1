"""Hooks between a stream, its partitions and their records."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial, wraps
from typing import TypeAlias

from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.sources.concurrent_source.concurrent_read_processor import ConcurrentReadProcessor
from airbyte_cdk.sources.concurrent_source.stream_thread_exception import StreamThreadException
from airbyte_cdk.sources.declarative.incremental import ConcurrentPerPartitionCursor
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.declarative.partition_routers import (
    CartesianProductStreamSlicer,
    GroupingPartitionRouter,
    SubstreamPartitionRouter,
)
from airbyte_cdk.sources.declarative.partition_routers.substream_partition_router import ParentStreamConfig
from airbyte_cdk.sources.declarative.stream_slicers.declarative_partition_generator import (
    StreamSlicerPartitionGenerator,
)
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
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
    """Write neither a trace nor a log line for partitions that end with this exception.

    A second call changes nothing. The CDK reports the exception of every partition, ten thousand times if it must.
    """
    report = ConcurrentReadProcessor.on_exception
    if hasattr(report, "__wrapped__"):
        return

    @wraps(report)
    def report_others(processor: ConcurrentReadProcessor, failed: StreamThreadException) -> Iterable[AirbyteMessage]:
        return () if isinstance(failed.exception, kind) else report(processor, failed)

    ConcurrentReadProcessor.on_exception = report_others  # type: ignore[method-assign, assignment] # as above


def watch_stream(
    stream: AbstractStream,
    within: Callable[[str], AbstractContextManager[None]],
    pass_on: Callable[[Iterable[Record]], Iterable[Record]] = iter,
) -> None:
    """Do all the work of a stream within a context that receives the name of the stream.

    The work is the generation of its partitions, which reads the parents, the reading of each partition, and the
    cursor's processing of each record, in any thread. The CDK keeps no such context, and turns the exceptions of a
    stream into strings.

    Args:
        stream: the stream, built and not read yet.
        within: the context.
        pass_on: a function through which the records of each partition are passed.
    """
    generate, observe = stream.generate_partitions, stream.cursor.observe

    def read(partition: Partition) -> Iterator[Record]:
        with within(stream.name):
            for record in pass_on(partition.read()):
                yield record
                observe(record)

    def generate_watched() -> Iterator[Partition]:
        with within(stream.name):
            for partition in generate():
                yield WrappedPartition(partition, read)

    stream.generate_partitions = generate_watched  # type: ignore[method-assign] # for this stream alone
    stream.cursor.observe = _leave_unobserved  # type: ignore[method-assign] # done above


def _leave_unobserved(record: Record) -> None:
    """Do nothing with the record."""


def watch_parents(
    stream: AbstractStream, pass_on: Callable[[str, str, str, Iterable[Record]], Iterable[Record]]
) -> None:
    """Pass the records of a stream's parents, and of theirs, through a function before their keys are used.

    The CDK skips a parent that has no key, and logs that at debug level only.

    Args:
        stream: the stream, built and not read yet.
        pass_on: a function of the names of parent, child and key, and the records of the parent.
    """
    for config in _parents(_router(stream)):
        parent, key = config.stream, InterpolatedString.create(config.parent_key, parameters={}).eval(config.config)
        parent.generate_partitions = _passing_on(  # type: ignore[method-assign] # of this child alone
            parent.generate_partitions, partial(pass_on, parent.name, stream.name, key)
        )
        watch_parents(parent, pass_on)


def _passing_on(
    generate: Callable[[], Iterable[Partition]], pass_on: Callable[[Iterable[Record]], Iterable[Record]]
) -> Callable[[], Iterator[Partition]]:
    def generate_passing_on() -> Iterator[Partition]:
        for partition in generate():
            yield WrappedPartition(partition, lambda wrapped: pass_on(wrapped.read()))

    return generate_passing_on


def _router(stream: AbstractStream) -> object:
    """The router or cursor that generates a stream's partitions."""
    generator = stream._stream_partition_generator if isinstance(stream, DefaultStream) else None
    slicer = generator._stream_slicer if isinstance(generator, StreamSlicerPartitionGenerator) else None
    return slicer._partition_router if isinstance(slicer, ConcurrentPerPartitionCursor) else slicer


def _parents(router: object) -> Iterator[ParentStreamConfig]:
    if isinstance(router, SubstreamPartitionRouter):
        yield from router.parent_stream_configs
    elif isinstance(router, GroupingPartitionRouter):
        yield from _parents(router.underlying_partition_router)
    elif isinstance(router, CartesianProductStreamSlicer):
        for each in router.stream_slicers:
            yield from _parents(each)
