"""Extraction and transformation of records."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString

from cdp_connectors.failures import transient_error
from cdp_connectors.records import RecordChange


@dataclass
class ObjectsExtractor(DpathExtractor):
    """`DpathExtractor` for objects that may be nested in one more list.

    Customer.io's schema and its example disagree about that for relationships; a path with `*` would read only one of
    the two forms.
    """

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield the objects."""
        records: Iterable[Any] = super().extract_records(response)
        for record in records:
            yield from record if isinstance(record, list) else [record]


@dataclass
class ScalarExtractor(DpathExtractor):
    """`DpathExtractor` for a list of plain values: each becomes a record with the single field `field_name`."""

    field_name: str = "value"

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Evaluate the template of the field's name."""
        super().__post_init__(parameters)
        self.field_name = str(InterpolatedString.create(self.field_name, parameters=parameters).eval(self.config))

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield one record per value.

        Raises:
            AirbyteTracedException: a `transient_error` for a value that is not a string.
        """
        values: Iterable[Any] = super().extract_records(response)
        for value in values:
            if not isinstance(value, str):
                raise transient_error(
                    f"Customer.io returned values of an undocumented type for {urlsplit(response.url).path}. Nothing "
                    "was skipped: run the sync again; if it fails again, the API has changed: please report it."
                )
            yield {self.field_name: value}


@dataclass
class UpdatedAt(RecordChange):
    """Add `updated_at`, in epoch seconds, from the end of `deduplicate_id` (`<id>:<time of the last change>`).

    `AddFields` does the same, but evaluates two templates for each of possibly millions of deliveries.
    """

    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place; one without that suffix is left unchanged."""
        _, _, suffix = (record.get("deduplicate_id") or "").rpartition(":")
        if suffix.isdigit():
            record["updated_at"] = int(suffix)
