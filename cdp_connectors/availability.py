"""Streams that the vendor denies to this account, because of its plan or the permissions of the credential."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from airbyte_cdk.sources.declarative.partition_routers import ListPartitionRouter, SinglePartitionRouter
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.utils import AirbyteTracedException

_FORBIDDEN = 403
_NOT_FOUND = 404
_SIMULTANEOUS_REQUESTS = 4


def is_unavailable(failure: AirbyteTracedException | None, *, is_optional: bool) -> bool:
    """True if a stream failed because the account does not have it, and not for any other reason.

    The vendor responded with 403; or with 404 to the only request of the stream or to those for all of its parents, and
    the stream belongs to an optional feature.

    Args:
        failure: the failure of the stream.
        is_optional: True if 404 can mean that the plan lacks the stream. It cannot if the vendor documents no feature
            that the stream needs, or if no other request succeeded either: then the base URL is wrong.
    """
    status = getattr(failure, "status", None)
    return status == _FORBIDDEN or (status == _NOT_FOUND and is_optional)


def try_streams(streams: Iterable[AbstractStream]) -> None:
    """Request the first page of each stream that has no parents; failures are left to `watch_stream`."""
    with ThreadPoolExecutor(_SIMULTANEOUS_REQUESTS) as pool:
        for stream in streams:
            if isinstance(stream, DefaultStream) and _is_without_parents(stream):
                pool.submit(stream.check_availability)


def _is_without_parents(stream: DefaultStream) -> bool:
    router = stream.get_partition_router()
    return router is None or isinstance(router, SinglePartitionRouter | ListPartitionRouter)
