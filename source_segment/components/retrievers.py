"""Reading the parents of an endpoint with a low rate limit."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.retrievers import Retriever, SimpleRetriever
from airbyte_cdk.sources.streams import NO_CURSOR_STATE_KEY
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import StreamSlice

from cdp_connectors.rejections import ParentAbsentError
from cdp_connectors.states import state_message

_LONGEST_SILENCE = 600  # seconds; the interval at which the CDK saves the states of streams with partitions
_logger = logging.getLogger("airbyte")


@dataclass
class OneRequestAtATime(Retriever):
    """Read the slices of a `GroupingPartitionRouter` one after another, as one partition with one request at a time.

    The CDK assigns a worker to each slice, and a worker that waits for the rate limit of its endpoint is lost to
    all other streams: a few dozen parents of an endpoint with two requests per minute would occupy every worker. The
    CDK cannot limit the workers of one stream. One worker is enough for a low limit: it can make hundreds of requests
    per minute.

    Airbyte ends a sync that is silent for hours, as it would be if no parent had records. A state is therefore written
    every ten minutes; like that of any full refresh, it holds no position.

    Attributes:
        retriever: reads one slice; its own partition router is not used.
    """

    retriever: SimpleRetriever

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Yield the records of the group's slices, in order, and a state every ten minutes.

        Raises:
            AirbyteTracedException: the verdict of the error handler, if all parents were absent.
        """
        absent, answered, stated_at = None, False, time.monotonic()
        for each in ungrouped(stream_slice) if stream_slice else ():
            try:
                yield from self.retriever.read_records(records_schema, each)
                answered = True
            except ParentAbsentError as error:
                absent = error
                _logger.info(error.message)
            if time.monotonic() - stated_at > _LONGEST_SILENCE:
                stated_at = time.monotonic()
                yield state_message(self.retriever.name, {NO_CURSOR_STATE_KEY: True})
        if absent and absent.verdict and not answered:
            raise absent.verdict


def ungrouped(group: StreamSlice) -> Iterator[StreamSlice]:
    """Yield the slices that a `GroupingPartitionRouter` combined into the group."""
    size = len(next(iter(group.partition.values())))
    for index in range(size):
        yield StreamSlice(
            partition={name: values[index] for name, values in group.partition.items()},
            cursor_slice={},
            extra_fields={name: values[index] for name, values in group.extra_fields.items()},
        )
