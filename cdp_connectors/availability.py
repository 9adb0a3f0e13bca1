"""Streams that the vendor denies to this account, because of its plan or the permissions of the credential."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from airbyte_cdk.sources.declarative.partition_routers import ListPartitionRouter, SinglePartitionRouter
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.utils import AirbyteTracedException

_FORBIDDEN = 403
_SIMULTANEOUS_REQUESTS = 4


def is_unavailable(failure: AirbyteTracedException | None) -> bool:
    """Whether a stream failed because the vendor denied access to it, as opposed to any other reason."""
    return getattr(failure, "status", None) == _FORBIDDEN


def try_streams(streams: Iterable[AbstractStream]) -> None:
    """Request the first page of each stream that has no parents; failures are seen by whoever watches the streams."""
    with ThreadPoolExecutor(_SIMULTANEOUS_REQUESTS) as pool:
        for stream in streams:
            if isinstance(stream, DefaultStream) and _is_without_parents(stream):
                pool.submit(stream.check_availability)


def _is_without_parents(stream: DefaultStream) -> bool:
    router = stream.get_partition_router()
    return router is None or isinstance(router, SinglePartitionRouter | ListPartitionRouter)
