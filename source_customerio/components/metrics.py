"""Dates for metrics, which Customer.io returns as arrays."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor
from airbyte_cdk.sources.declarative.partition_routers import SubstreamPartitionRouter
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

from cdp_connectors.failures import transient_error
from cdp_connectors.json_types import Json
from cdp_connectors.records import ParentKeys, parent_keys
from source_customerio.components.periods import (
    EST,
    NEW_YORK,
    UTC,
    beginning,
    count_between,
    later,
    parsed,
    resolution_named,
    written,
    zone_of,
)

_DATES = ("start", "end", "res")
_LANGUAGES = ("language_variants", "multi_language_branch_action_id")


class _UndatedError(Exception):
    """Raised if numbers cannot be assigned to periods."""


@dataclass
class DatedPeriods(DpathExtractor):
    """One record per period of arrays like `{"sent": [0, 7], "opened": [0, 2]}`, with the start of the period.

    The object at `field_path` contains the arrays directly (journeys), under `series` or, for a link, under
    `metric.series`.

    The periods are those that the response states with `start` (and `end` and `res`, which must agree with the number
    of elements). In a response without them, the first element is the period with the requested `start`, and there must
    be one element for each period up to `end`; if no `start` was requested, the last element is the period in EST in
    which the response was sent. Numbers by language are a column of the same record.

    Periods in which nothing was counted yield no record, with one exception. While New York has summer time, a response
    to a request without `start` also yields a record of zeros for each day under which another reading of "Eastern
    time" has its numbers, so that rows written by that reading are replaced.

    `RecordExpander` makes records from an array of objects; no built-in component makes them from parallel arrays.
    """

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield the records, oldest first and link by link.

        Raises:
            AirbyteTracedException: a `transient_error` if the periods of the numbers cannot be determined.
        """
        query = {name: values[0] for name, values in parse_qs(urlsplit(str(response.request.url)).query).items()}
        resolution = query.get("res") or query.get("period") or "days"
        for found in super().extract_records(response):
            try:
                yield from _records(found, response, query, resolution)
            except _UndatedError as reason:
                raise transient_error(
                    f"The metrics that Customer.io returned at {urlsplit(response.url).path} cannot be dated: "
                    f"{reason}. They were skipped, because a wrong date would be worse than none. Run the sync again; "
                    "if it fails again, the API has changed: please report it."
                ) from reason


@dataclass
class ParentIds(ParentKeys):
    """`ParentKeys` for ids only: `created` is both a field of the parent and a metric.

    Ids become integers, whatever their type in the parent's list.
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


@dataclass
class AllParentsFirst(SubstreamPartitionRouter):
    """`SubstreamPartitionRouter` that reads all parents before the first child.

    If listing the parents fails midway, the built-in router has already yielded the earlier ones, and the cursor that
    all partitions share advances past data of the other parents that was never read.
    """

    def stream_slices(self) -> Iterator[StreamSlice]:
        """Yield the slices, all of them or none."""
        return iter(list(super().stream_slices()))


def is_dated(body: Json) -> bool:
    """True if a response states the periods of its numbers."""
    holders = [body, *(body.get(name) for name in ("metric", "journey_metric"))] if isinstance(body, dict) else []
    links = body.get("links") if isinstance(body, dict) else None
    holders += [link.get("metric") for link in links or [] if isinstance(link, dict)]
    return any(isinstance(holder, dict) and holder.get("start") for holder in holders)


def _records(
    found: Mapping[str, Any], response: requests.Response, query: Mapping[str, str], resolution: str
) -> Iterator[MutableMapping[Any, Any]]:
    if not isinstance(found, dict):
        raise _UndatedError("they are not an object")
    link = found.get("link") or {}
    if link and not (isinstance(link, dict) and "id" in link):
        raise _UndatedError("a link is not an object with an id")
    holder = found["metric"] if link and isinstance(found.get("metric"), dict) else found
    series = _arrays(holder, is_link=bool(link))
    count = len(next(iter(series.values()), []))
    body = response.json()
    dates = {name: value for name in _DATES if (value := holder.get(name) or found.get(name) or body.get(name))}
    starts = _named(dates, count, resolution) if "start" in dates else _assumed(response, query, count, resolution)
    added = {"link_id": link["id"], "href": link.get("href")} if link else {}
    languages = {name: value for name in _LANGUAGES if (value := holder.get(name) or body.get(name))}
    rows = dict(zip(starts, zip(*series.values(), strict=True), strict=True))
    counted = [start for start, numbers in rows.items() if any(numbers)]
    kept = {written(start) for start in counted}
    replaced = _replaced(starts, counted) - kept if "start" not in query and resolution == "days" else set()
    for position, start in enumerate(starts):
        if written(start) in kept:
            by_language = {name: _at(value, position, count) for name, value in languages.items()}
            numbers = dict(zip(series, rows[start], strict=True))
            yield {**added, "resolution": resolution, "period_start": written(start), **numbers, **by_language}
    for period_start in sorted(replaced):
        yield {**added, "resolution": resolution, "period_start": period_start, **dict.fromkeys(series, 0)}


def _arrays(holder: Mapping[str, Any], *, is_link: bool) -> dict[str, list[Any]]:
    others = {name: value for name, value in holder.items() if name not in (*_DATES, *_LANGUAGES)}
    if "series" not in holder and (is_link or any(isinstance(value, dict) for value in others.values())):
        raise _UndatedError("'series' is missing")
    series = holder.get("series", others) or {}
    if not isinstance(series, dict):
        raise _UndatedError("'series' is not an object")
    arrays = {name: numbers for name, numbers in series.items() if numbers not in (None, [])}
    if not all(isinstance(numbers, list) for numbers in arrays.values()):
        raise _UndatedError("not every metric is a list")
    if len({len(numbers) for numbers in arrays.values()}) > 1:
        raise _UndatedError("not every metric has the same number of periods")
    return arrays


def _named(dates: Mapping[str, Any], count: int, resolution: str) -> list[datetime]:
    """The periods stated in the response."""
    start, end = parsed(dates["start"]), parsed(dates.get("end"))
    if start is None or (end is None and "end" in dates):
        raise _UndatedError(f"'{dates['start']}' to '{dates.get('end')}' are not times")
    if (named := resolution_named(str(dates.get("res", resolution)))) != resolution:
        raise _UndatedError(f"{resolution} were requested, but {named} were returned")
    first = beginning(start.astimezone(zone_of(start, end, resolution)), resolution)
    starts = [later(first, resolution, position) for position in range(count)]
    if end and starts and not starts[-1] <= end <= later(first, resolution, count):
        raise _UndatedError(f"{count} {resolution} were returned, which do not span {dates['start']} to {dates['end']}")
    return starts


def _assumed(response: requests.Response, query: Mapping[str, str], count: int, resolution: str) -> list[datetime]:
    """The periods that were requested."""
    if "start" in query:
        start, end = (datetime.fromtimestamp(int(query[bound]), UTC) for bound in ("start", "end"))
        requested = count_between(start, end, resolution)
        if count not in (0, requested):
            raise _UndatedError(f"{requested} {resolution} were requested, but {count} were returned")
        return [later(beginning(start, resolution), resolution, position) for position in range(count)]
    current = beginning(answered_at(response).astimezone(EST), resolution)
    return [later(current, resolution, position - count + 1) for position in range(count)]


def answered_at(response: requests.Response) -> datetime:
    """The time of the response by the server's clock, or else by this machine's."""
    date = response.headers.get("Date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)


def _replaced(starts: list[datetime], counted: list[datetime]) -> set[str]:
    """The days under which a sync that read "Eastern time" as EST all year wrote the same numbers.

    While New York has summer time, such a day begins an hour late, and in a response sent between 04:00 and 05:00 UTC
    it is the previous day.
    """
    within = {start.date() for start in starts}
    summer = [start for start in counted if start.astimezone(NEW_YORK).dst()]
    days = {later(start, "days", -1).date() for start in summer} & within
    days |= {start.date() for start in summer if start.utcoffset() != EST.utcoffset(None)}
    return {written(datetime(day.year, day.month, day.day, tzinfo=EST)) for day in days}


def _at(value: Json, position: int, count: int) -> Json:
    """Numbers by language reduced to one period: each list with one element per period becomes its element."""
    if isinstance(value, dict):
        return {name: _at(part, position, count) for name, part in value.items()}
    if isinstance(value, list):
        is_series = len(value) == count and not any(isinstance(part, dict) for part in value)
        return value[position] if is_series else [_at(part, position, count) for part in value]
    return value
