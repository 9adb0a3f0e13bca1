"""The CDK's record selector, given a list that contains something other than objects."""

from collections.abc import Iterable, Iterator, Mapping
from functools import wraps
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.types import Record, StreamSlice, StreamState
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.json_types import Json


def require_objects() -> None:
    """Fail with a message if a response has a string, a number or a list in place of a record.

    The CDK passes it to the transformations, which fail with an AttributeError or a ValueError: a traceback, reported
    as a defect of the connector.
    """
    transform = RecordSelector.filter_and_transform
    if hasattr(transform, "__wrapped__"):
        return

    @wraps(transform)
    def transform_objects(
        selector: RecordSelector,
        all_data: Iterable[Mapping[str, Any]],
        stream_state: StreamState,
        records_schema: Mapping[str, Any],
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> Iterable[Record]:
        objects = _objects(all_data, selector.name)
        return transform(selector, objects, stream_state, records_schema, stream_slice, next_page_token)

    RecordSelector.filter_and_transform = transform_objects  # type: ignore[method-assign, assignment] # same signature


def _objects(records: Iterable[Json], stream: str) -> Iterator[Json]:
    for record in records:
        if not isinstance(record, Mapping):
            message = (
                f"A response for stream {stream} contains a record that is not a JSON object. Run the sync again "
                "later. If the error persists, check that the API URL is the vendor's own."
            )
            raise AirbyteTracedException(
                message=message, internal_message=message, failure_type=FailureType.transient_error
            )
        yield record
