"""Dates for metrics, which Customer.io counts in arrays without any."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor
from airbyte_cdk.sources.declarative.partition_routers import SubstreamPartitionRouter
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.records import ParentKeys, parent_keys

_DAY = 86_400
_MIDNIGHT_EST = 5 * 3_600  # in UTC, in summer too


class _UndatedError(Exception):
    """Why it cannot be told which days the numbers belong to."""


@dataclass
class DatedDays(DpathExtractor):
    """One record for each day of arrays like `{"sent": [0, 7], "opened": [0, 2]}`, with the start of the day.

    What `field_path` finds holds the arrays itself (journeys), under `series`, or, of a link, under `metric.series`.
    The first element of an answer to a request with `start` is the UTC day of `start`, and there must be one element
    for each day up to `end`. Of any other answer, the last element is the day in EST on which it was given. Days on
    which nothing was counted give no record.

    `RecordExpander` makes records of an array of objects; nothing makes them of arrays side by side.
    """

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield the records, oldest first; those of one link after those of another.

        Raises:
            AirbyteTracedException: a `system_error` when it cannot be told which days the numbers belong to.
        """
        for found in super().extract_records(response):
            link = found.get("link") or {}
            added = {"link_id": link["id"], "href": link.get("href")} if link else {}
            try:
                series = _arrays(found)
                days = _days(response, len(next(iter(series.values()), [])))
            except _UndatedError as reason:
                raise AirbyteTracedException(
                    message=(
                        f"The metrics that Customer.io gave at {urlsplit(response.url).path} cannot be dated: "
                        f"{reason}. They were left out, since a wrong date would be worse. Run the sync again; if it "
                        "fails again, the API has changed: please report it."
                    ),
                    failure_type=FailureType.system_error,
                ) from reason
            for day, *numbers in zip(days, *series.values(), strict=True):
                if any(numbers):
                    counted = dict(zip(series, numbers, strict=True))
                    yield {**added, "resolution": "days", "period_start": day, **counted}


def _arrays(found: Mapping[str, Any]) -> dict[str, list[Any]]:
    holder = found["metric"] if "link" in found and isinstance(found.get("metric"), dict) else found
    are_arrays = "link" not in found and not any(isinstance(value, dict) for value in holder.values())
    if "series" not in holder and not are_arrays:
        raise _UndatedError("'series' is missing")
    series = holder.get("series", holder)
    arrays = {name: numbers for name, numbers in (series or {}).items() if numbers not in (None, [])}
    if not all(isinstance(numbers, list) for numbers in arrays.values()):
        raise _UndatedError("not every metric is a list")
    if len({len(numbers) for numbers in arrays.values()}) > 1:
        raise _UndatedError("not every metric has the same number of days")
    return arrays


def _days(response: requests.Response, count: int) -> list[str]:
    query = parse_qs(urlsplit(str(response.request.url)).query)
    if "start" in query:
        first, last = (int(query[bound][0]) // _DAY for bound in ("start", "end"))
        if count not in (0, last - first + 1):
            raise _UndatedError(f"{last - first + 1} days were asked for, but {count} came")
        return [_text(day * _DAY) for day in range(first, first + count)]
    date = response.headers.get("Date")
    answered = parsedate_to_datetime(date) if date else datetime.now(timezone.utc)
    today = int(answered.timestamp() - _MIDNIGHT_EST) // _DAY
    return [_text(day * _DAY + _MIDNIGHT_EST) for day in range(today - count + 1, today + 1)]


def _text(moment: int) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class AllParentsFirst(SubstreamPartitionRouter):
    """`SubstreamPartitionRouter` that reads the parents to the end before the first child.

    When a list of parents breaks off, the stock router has yielded those before, and the cursor that all partitions
    share moves on, past what was never read of the others.
    """

    def stream_slices(self) -> Iterator[StreamSlice]:
        """The slices, all of them or none."""
        return iter(list(super().stream_slices()))


@dataclass
class MetricKeys(ParentKeys):
    """`ParentKeys` for the ids alone: `created` is both a field of the parent and one of the numbers.

    Ids are integers, however the parent's list writes them.
    """

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_state: StreamState | None = None,  # noqa: ARG002 # the CDK passes it by name
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Change the record in place."""
        for name, value in parent_keys(stream_slice).items() if stream_slice else ():
            if name.endswith("_id"):
                record[name] = int(value)
