"""Asking for people a hundred at a time, and what is made of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.partition_routers.grouping_partition_router import GroupingPartitionRouter
from airbyte_cdk.sources.types import StreamSlice, StreamState

from cdp_connectors.records import RecordChange


@dataclass
class GroupsOfPeople(GroupingPartitionRouter):
    """`GroupingPartitionRouter` that puts each group's `cio_id`s into the body of its request, as `ids`.

    The template `ids: "{{ stream_partition['cio_id'] }}"` says the same, but turns the list into the source of a
    Python literal and parses it again. That costs more than the rest of the request, and CPython before 3.11.8 and
    3.12.2 can fail when several threads parse long literals at once.
    """

    def get_request_body_json(
        self,
        stream_state: StreamState | None = None,  # noqa: ARG002 # the CDK's own signature
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Mapping[str, Any]:
        """The body that asks for the people of the group."""
        return {"ids": stream_slice.partition["cio_id"]} if stream_slice else {}


@dataclass
class PersonWithKey(RecordChange):
    """Lift `identifiers.cio_id` to the top of a person, and the person out of `customer` if it is wrapped.

    The documentation wraps each person, the API does not. `DpathFlattenFields` and `AddFields` say the same, but
    evaluate a template for each of what can be millions of people.
    """

    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place."""
        if "identifiers" not in record:
            record.update(record.pop("customer"))
        record["cio_id"] = str(record["identifiers"]["cio_id"])
