"""Rows made of time series."""

from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.types import Config

from cdp_connectors.records import RecordChange

_TOTALS = ("total", "totalRetryCount")


@dataclass
class SeriesKeys(RecordChange):
    """Complete the key of a point of a series, and remove the totals, which cover the whole requested window.

    A dimension that Segment leaves out or returns as null becomes `''`, because a key is never null. The step of the
    series is added as `granularity`.

    `AddFields` evaluates two templates per field and row, of which an hourly series has millions.

    Attributes:
        dimensions: the fields that the series was grouped by.
        granularity: `DAY` or `HOUR`, or a template for it over the configuration.
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
