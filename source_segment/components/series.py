"""Extraction and completion of the rows of time series."""

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import requests
from airbyte_cdk.sources.declarative.extractors import DpathExtractor
from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.types import Config

from cdp_connectors.failures import config_error
from cdp_connectors.records import RecordChange

_TOTALS = ("total", "totalRetryCount")


@dataclass
class DistinctSeries(DpathExtractor):
    """`DpathExtractor` for the points of series, which must be unique by their dimensions and time.

    Segment documents some dimensions as parameters, but not as fields of the response. If it grouped by one without
    returning it, all rows of a point in time would have the same key, and all but one would be lost in the destination.

    Attributes:
        dimensions: the fields that the series can be grouped by.
    """

    dimensions: list[str] = field(default_factory=list)

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield the points.

        Raises:
            AirbyteTracedException: a `config_error` if two points have the same time and dimensions.
        """
        seen = set()
        for point in super().extract_records(response):
            key = repr([point.get(name) for name in (*self.dimensions, "time")])
            if key in seen:
                raise config_error(
                    "Segment groups the delivery overview as configured, but its response does not say which group a "
                    "count belongs to. Set Delivery Grouping to none, and refresh the schema."
                )
            seen.add(key)
            yield point


@dataclass
class SeriesKeys(RecordChange):
    """Complete the key of a point of a series, and remove the totals, which cover the whole requested window.

    A dimension that Segment leaves out or returns as null becomes `''`, because a key is never null. The granularity
    of the series is added as `granularity`.

    `AddFields` would evaluate two templates per field and row, and an hourly series has millions of rows.

    Attributes:
        dimensions: the fields that the series was grouped by.
        granularity: `DAY` or `HOUR`, or a template over the configuration that yields one of them.
    """

    config: Config
    dimensions: list[str]
    granularity: str = "DAY"

    def __post_init__(self) -> None:
        self._granularity = InterpolatedString.create(self.granularity, parameters={}).eval(self.config)

    def change(self, record: dict[str, Any]) -> None:
        """Change the row in place."""
        for name in _TOTALS:
            record.pop(name, None)
        for name in self.dimensions:
            if record.get(name) is None:
                record[name] = ""
        record["granularity"] = self._granularity
