"""Requests for people by `cio_id`, one or a hundred at a time, and transformations of their records."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.partition_routers.grouping_partition_router import GroupingPartitionRouter
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

from cdp_connectors.records import RecordChange
from cdp_connectors.rejections import ParentAbsentError

_PREFIX = "cio_"


def bare(cio_id: str | int) -> str:
    """The `cio_id` without the prefix `cio_`, the form of all keys.

    Customer.io's documents write a person's `cio_id` with the prefix in some places and without it in others.
    """
    return str(cio_id).removeprefix(_PREFIX)


@dataclass
class GroupsOfPeople(GroupingPartitionRouter):
    """`GroupingPartitionRouter` that puts the `cio_id`s of `PeopleRetriever` into the body of the request, as `ids`.

    The template `ids: "{{ stream_slice.extra_fields['person'] }}"` does the same, but converts the list to a Python
    literal and parses it again, which takes longer than the rest of the request.
    """

    def get_request_body_json(
        self,
        stream_state: StreamState | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,  # noqa: ARG002 # the CDK passes it by name
    ) -> Mapping[str, Any]:
        """The body of the request for a group of people."""
        return {"ids": stream_slice.extra_fields["person"]} if stream_slice else {}


@dataclass
class PeopleRetriever(Retriever):
    """The `rows` of a person (or a group of people), requested by the form of `cio_id` that Customer.io accepts.

    `rows` finds its parameters in `stream_slice.extra_fields`: `person` and `id_type`. If the slice has a value in the
    extra field `id`, the person is requested by that `id` instead of the `cio_id`.

    Whether a `cio_id` needs the prefix `cio_` differs between Customer.io's documents and between its endpoints. A
    person who is unknown in one form is requested in the other, until a request has succeeded. No declared component
    can repeat a request with another path.
    """

    rows: SimpleRetriever
    config: Config
    _prefix: str | None = None
    """The prefix that works, once a request has succeeded. Threads may set it twice, to the same value."""

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Mapping[str, Any]]:
        """Yield the rows, each once.

        Raises:
            ParentAbsentError: for a person whom Customer.io knows in neither form.
        """
        if stream_slice is None:
            return
        if person := stream_slice.extra_fields.get("id"):
            yield from self._rows(records_schema, stream_slice, person, "id")
            return
        cio_id = stream_slice.partition["cio_id"]
        prefixes = self._prefixes(cio_id)
        for prefix in prefixes:
            person = [prefix + bare(each) for each in cio_id] if isinstance(cio_id, list) else prefix + bare(cio_id)
            answered = False
            try:
                for row in self._rows(records_schema, stream_slice, person, "cio_id"):
                    answered = True
                    yield row
            except ParentAbsentError:
                if answered or prefix == prefixes[-1]:
                    raise
                continue
            if answered or not isinstance(cio_id, list):  # unknown people in a group are omitted silently
                self._prefix = prefix
                return

    def _prefixes(self, cio_id: str | list[str]) -> list[str]:
        if self._prefix is not None:
            return [self._prefix]
        listed = cio_id[0] if isinstance(cio_id, list) else cio_id
        return [_PREFIX, ""] if str(listed).startswith(_PREFIX) else ["", _PREFIX]

    def _rows(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice, person: str | list[str], id_type: str
    ) -> Iterator[Mapping[str, Any]]:
        extra_fields = {**stream_slice.extra_fields, "person": person, "id_type": id_type}
        requested = StreamSlice(
            partition=stream_slice.partition, cursor_slice=stream_slice.cursor_slice, extra_fields=extra_fields
        )
        yield from ({**row} for row in self.rows.read_records(records_schema, requested) if isinstance(row, Mapping))


@dataclass
class PersonKey(RecordTransformation):
    """Add the `cio_id` of the person for whom the record was requested, in the form of all keys.

    `ParentKeys` would add it in the form in which it was listed, together with the request's parameters.
    """

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_state: StreamState | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Change the record in place."""
        if stream_slice:
            record["cio_id"] = bare(stream_slice.partition["cio_id"])


@dataclass
class CioIds(RecordChange):
    """Write every `cio_id` of a record in one form: at the top, in `identifiers` and in `customer_identifiers`.

    If only `identifiers` has one, it is copied to the top as the key. A person inside `customer`, as in the
    documentation of `customers` but not in the API, is moved to the top.

    `DpathFlattenFields` and `AddFields` do the same, but evaluate templates for each of possibly millions of rows.
    """

    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place."""
        if isinstance(record.get("customer"), dict):
            record.update(record.pop("customer"))
        for name in ("identifiers", "customer_identifiers"):
            identifiers = record.get(name)
            if isinstance(identifiers, dict) and identifiers.get("cio_id"):
                identifiers["cio_id"] = bare(identifiers["cio_id"])
        lifted = record.get("cio_id") or (record.get("identifiers") or {}).get("cio_id")
        if lifted:
            record["cio_id"] = bare(lifted)
