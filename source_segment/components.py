"""What the declarative language cannot say about Segment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pendulum
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration
from airbyte_cdk.sources.declarative.retrievers import Retriever, SimpleRetriever
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils import AirbyteTracedException

_CURSOR_FIELD = "timestamp"


@dataclass
class FloorStateToMonth(StateMigration):
    """Set the cursor of a usage stream's saved state to the first day of its month, never after the present month.

    `{"timestamp": "2026-03-17"}` becomes `{"timestamp": "2026-03-01"}`; in January 2026 it becomes
    `{"timestamp": "2026-01-01"}`. With that, the stock cursor steps through whole calendar months, which is what
    Segment's `period` parameter names.

    `clamping: MONTH` of the stock cursor was not enough: it moves a start in the middle of a month to the
    *next* month and ends before the present one, so it would skip both months that matter most.
    """

    def should_migrate(self, stream_state: Mapping[str, Any]) -> bool:
        """Whether the state has a cursor at all; flooring a floored one changes nothing."""
        return _CURSOR_FIELD in stream_state

    def migrate(self, stream_state: Mapping[str, Any]) -> Mapping[str, Any]:
        """The state with its cursor on the first of the month, as `YYYY-MM-DD`.

        Raises:
            AirbyteTracedException: a `config_error` when the cursor is no date.
        """
        cursor = stream_state[_CURSOR_FIELD]
        try:
            moment = pendulum.parse(str(cursor), exact=False)
        except ValueError as error:
            raise AirbyteTracedException(
                message=f"The saved state of a usage stream holds '{cursor}', which is not a date. Reset the stream.",
                internal_message=f"{_CURSOR_FIELD}: {cursor!r}",
                failure_type=FailureType.config_error,
            ) from error
        now = pendulum.now("UTC")
        month = min(moment, now) if isinstance(moment, pendulum.DateTime) else now
        return {**stream_state, _CURSOR_FIELD: month.in_timezone("UTC").start_of("month").to_date_string()}


@dataclass
class OneRequestAtATime(Retriever):
    """Read the slices of a `GroupingPartitionRouter` one after another, as one partition with one request under way.

    The CDK gives each slice a worker of its own, and a worker that waits for the rate limit of its endpoint is lost to
    all other streams: a few dozen parents of an endpoint with two requests a minute would hold every worker. Nothing
    built in limits the workers of one stream. One worker is enough for a low limit: it makes hundreds of requests a
    minute if it may.

    Attributes:
        retriever: reads one slice; its own partition router is not used.
    """

    retriever: SimpleRetriever

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """The records of every slice in the group, in its order."""
        for each in ungrouped(stream_slice) if stream_slice else ():
            yield from self.retriever.read_records(records_schema, each)


def ungrouped(group: StreamSlice) -> Iterator[StreamSlice]:
    """The slices that a `GroupingPartitionRouter` made the group of."""
    size = len(next(iter(group.partition.values())))
    for index in range(size):
        yield StreamSlice(
            partition={name: values[index] for name, values in group.partition.items()},
            cursor_slice={},
            extra_fields={name: values[index] for name, values in group.extra_fields.items()},
        )
