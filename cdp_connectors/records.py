"""Record transformations shared by the HTTP sources."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

_NOT_KEYS = ("parent_slice", "child_response")  # added by the CDK to every slice that has a parent


@dataclass
class ParentKeys(RecordTransformation):
    """Add the keys of the parents whose records the request was made for: the partition and its `extra_fields`.

    A field of that name in the record is overwritten, since it identifies the same parent. Values keep their JSON
    types. Nothing is added to the records of a stream without parents.

    Attributes:
        names: the field for a key, where its name differs from the key's.

    `AddFields` needs one template per key and parent, evaluates it for every record (millions in a large segment), and
    turns the string `1` into a number.
    """

    names: Mapping[str, str] = field(default_factory=dict)

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_state: StreamState | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Change the record in place."""
        if stream_slice:
            keys = parent_keys(stream_slice)
            record.update({self.names.get(name, name): value for name, value in keys.items()})


def parent_keys(stream_slice: StreamSlice) -> dict[str, Any]:
    """Return the parents' keys that a slice carries, without the cursor's window and the CDK's own entries."""
    keys = {**stream_slice.partition, **stream_slice.extra_fields}
    for name in _NOT_KEYS:
        keys.pop(name, None)
    return keys


@dataclass
class RecordChange(RecordTransformation, ABC):
    """A transformation that depends on the record alone."""

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_state: StreamState | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_slice: StreamSlice | None = None,  # noqa: ARG002 # the CDK passes it by name
    ) -> None:
        """Change the record in place."""
        self.change(record)

    @abstractmethod
    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place."""
