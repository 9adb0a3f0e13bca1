"""What is made of Customer.io's records."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import requests
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString

from cdp_connectors.records import RecordChange


@dataclass
class ScalarExtractor(DpathExtractor):
    """`DpathExtractor` for a list of plain values: each becomes a record with the single field `field_name`."""

    field_name: str = "value"

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Evaluate the template of the name."""
        super().__post_init__(parameters)
        self.field_name = str(InterpolatedString.create(self.field_name, parameters=parameters).eval(self.config))

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield one record for each value."""
        for value in super().extract_records(response):
            yield {self.field_name: value}


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
