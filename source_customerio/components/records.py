"""What is made of Customer.io's records."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

import requests
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState


@dataclass
class ScalarExtractor(DpathExtractor):
    """`DpathExtractor` for a list of plain values: each becomes a record with the single field `field_name`."""

    field_name: str = "value"

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield one record for each value."""
        for value in super().extract_records(response):
            yield {self.field_name: value}


@dataclass
class RecordChange(RecordTransformation, ABC):
    """A transformation that needs nothing but the record."""

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,  # noqa: ARG002 # the CDK's own signature
        stream_state: StreamState | None = None,  # noqa: ARG002
        stream_slice: StreamSlice | None = None,  # noqa: ARG002
    ) -> None:
        """Change the record in place."""
        self.change(record)

    @abstractmethod
    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place."""


@dataclass
class UpdatedAt(RecordChange):
    """Add `updated_at`, in epoch seconds, from the end of `deduplicate_id` (`<id>:<time of the last change>`).

    `AddFields` says the same, but evaluates two templates for each of what can be millions of deliveries.
    """

    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place; one without that suffix stays as it is."""
        _, _, suffix = (record.get("deduplicate_id") or "").rpartition(":")
        if suffix.isdigit():
            record["updated_at"] = int(suffix)
