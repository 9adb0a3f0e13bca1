"""The simulated vendors in the campaign: a configuration, time that passes, and the expected rows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any, Protocol

from typing_extensions import Self

from sandbox.clock import Clock
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.heap.s3 import SeaweedS3
from sandbox.heap.world import BUCKET
from sandbox.server import Sandbox

JsonObject = dict[str, Any]
Rows = dict[tuple[Any, ...], JsonObject]

REACH = timedelta(days=60)
_AHEAD = timedelta(minutes=2)
"""The lead of the connectors' clock over the sandbox's: more than the one-minute margin of Segment's windows."""
DELIVERY = "destination_delivery_metrics_summary"


class Vendor(Protocol):
    """A vendor behind the campaign's proxy."""

    package: str
    secrets: tuple[str, ...]
    """Values that no output may contain."""
    new_fields: frozenset[str]
    """Fields that are added as time passes, as `stream.field`; the platform drops them until it has discovered them."""
    most_ahead: float
    """The maximum number of seconds by which a connector's clock was ahead of `connector_now`.

    Such a connector treated days as expired that the vendor still had, and resumes after them.
    """

    @property
    def now(self) -> datetime:
        """The vendor's time, which passes for the platform too."""

    @property
    def connector_now(self) -> datetime | None:
        """The time of the connectors' clock, which follows the vendor's; None for the real time."""

    @property
    def url(self) -> str:
        """The server's address."""

    def config(self, url: str) -> JsonObject:
        """The source's configuration, with this URL instead of the server's."""

    def pass_time(self, days: int) -> None:
        """Advance the clock by this many days."""

    def truth(self, stream: Mapping[str, Any]) -> Rows:
        """The rows that a destination must contain, by key, without nulls."""

    def comparable(self, row: JsonObject) -> JsonObject:
        """The part of a row that is compared."""


def rows_by_key(rows: list[JsonObject], stream: Mapping[str, Any]) -> Rows:
    """Rows by the stream's primary key, without nulls; the last of several with the same key."""
    keys = [path[0] for path in stream.get("source_defined_primary_key") or ()]
    present = ({name: value for name, value in row.items() if value is not None} for row in rows)
    return {tuple(str(row.get(key)) for key in keys): row for row in present}


@dataclass
class _Api:
    """An API of the sandbox."""

    sandbox: Sandbox
    package: str = ""
    secrets: tuple[str, ...] = ()
    new_fields: frozenset[str] = frozenset()
    most_ahead: float = 0.0
    start: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.start = (self.sandbox.clock.now - REACH).replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self.sandbox.clock.now

    @property
    def connector_now(self) -> datetime:
        """A little after the sandbox's time."""
        return self.sandbox.clock.now + _AHEAD

    @property
    def url(self) -> str:
        """The server's address."""
        return self.sandbox.url

    def config(self, url: str) -> JsonObject:
        """The configuration, with this URL."""
        vendor = self.package.removeprefix("source_")
        given = self.sandbox.configs()[f"source-{vendor}"]
        return {**given, "api_url": f"{url}/{vendor}/us", "start_date": self.start.strftime("%Y-%m-%d")}

    def pass_time(self, days: int) -> None:
        """Advance the clock by this many days."""
        self.sandbox.clock.advance(timedelta(days=days))

    def comparable(self, row: JsonObject) -> JsonObject:
        """All of the row."""
        return row


@dataclass
class Segment(_Api):
    """Segment's Public API."""

    package: str = "source_segment"
    unfinished: set[date] = field(default_factory=set)
    """Days at which the sandbox's clock stopped, but which were past by the connector's clock."""
    first_destinations: set[str] = field(init=False)
    """The destinations of the first day; for later ones, Segment returns zeros for the days before they existed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.secrets = (self.sandbox.segment.region_tokens["us"],)
        self.first_destinations = {destination["id"] for destination in self.sandbox.segment.destinations}
        self.unfinished.add(self.sandbox.clock.now.date())

    def pass_time(self, days: int) -> None:
        """Advance the clock by this many days."""
        super().pass_time(days)
        self.unfinished.add(self.sandbox.clock.now.date())

    def truth(self, stream: Mapping[str, Any]) -> Rows:
        """The rows that Segment still returns."""
        name, now = stream["name"], self.connector_now + timedelta(seconds=self.most_ahead)
        first_day = self.start.date().replace(day=1) if "usage" in name else self.start.date()
        rows = self.sandbox.segment.expected(name, first_day)
        if name == DELIVERY:
            first = (now - timedelta(days=13)).strftime("%Y-%m-%dT00:00:00Z")
            days = {day.isoformat() for day in self.unfinished}
            rows = [row for row in rows if row["startTime"] >= first and row["startTime"][:10] not in days]
            rows = [row for row in rows if row["destinationId"] in self.first_destinations]
        elif name.startswith("delivery_overview_"):
            first = (now - timedelta(days=28, hours=18)).strftime("%Y-%m-%d")
            days = {day.isoformat() for day in self.unfinished}
            rows = [row for row in rows if row["time"][:10] >= first and row["time"][:10] not in days]
        elif name == "sources":
            rows = [{key: value for key, value in row.items() if key != "writeKeys"} for row in rows]
        return rows_by_key(rows, stream)


@dataclass
class Customerio(_Api):
    """Customer.io's App API."""

    package: str = "source_customerio"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.secrets = (self.sandbox.customerio.region_keys["us"],)

    def truth(self, stream: Mapping[str, Any]) -> Rows:
        """The rows since the start date."""
        cursor = (stream.get("default_cursor_field") or ["-"])[0]
        since: Any = self.start.strftime("%Y-%m-%dT%H:%M:%SZ") if cursor == "period_start" else self.start.timestamp()
        rows = self.sandbox.customerio.expected(stream["name"])
        return rows_by_key([row for row in rows if (row.get(cursor) or since) >= since], stream)


@dataclass
class Heap:
    """Heap's dumps on S3."""

    bucket: HeapBucket
    clock: Clock
    package: str = "source_heap"
    secrets: tuple[str, ...] = ()
    new_fields: frozenset[str] = frozenset(
        ("pageviews.target_text", "pageviews.cart_value", "search_submit_results.logged_in")
    )
    most_ahead: float = 0.0

    def __post_init__(self) -> None:
        self.secrets = (self.bucket.server.reader.secret,)

    @property
    def now(self) -> datetime:
        """The time by which dumps appear."""
        return self.clock.now

    @property
    def connector_now(self) -> None:
        """The real time, which the S3 server checks in signatures."""
        return

    @property
    def url(self) -> str:
        """The server's address."""
        return self.bucket.server.endpoint_url

    def config(self, url: str) -> JsonObject:
        """The configuration, with this URL."""
        return {**self.bucket.config, "endpoint_url": url, "reread_on_new_columns": True}

    def pass_time(self, days: int) -> None:
        """Advance the clock day by day, with a dump each day."""
        self.clock.advance(timedelta(days=days))
        self.bucket.sync()

    def truth(self, stream: Mapping[str, Any]) -> Rows:
        """The current rows; for each key, the one from the newest dump."""
        if stream["name"] not in self.bucket.world.tables:
            return {}
        rows = sorted(self.bucket.world.expected(stream["name"]), key=lambda row: int(row["_heap_dump_id"]))
        return rows_by_key(rows, stream)

    def comparable(self, row: JsonObject) -> JsonObject:
        """The values as strings: a column becomes a string in later syncs once a dump contains strings in it.

        If two files of a dump contain the same row, either may come last.
        """
        return {name: str(value) for name, value in row.items() if name != "_heap_file"}


class Vendors:
    """Serves a separate vendor for each case; Heap's cases share one S3 server, which takes a second to start."""

    def __init__(self, connector: str) -> None:
        """Serve the vendor of `segment`, `customerio` or `heap`."""
        self._connector = connector
        self._s3 = SeaweedS3(BUCKET) if connector == "heap" else None

    def __enter__(self) -> Self:
        if self._s3:
            self._s3.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._s3:
            self._s3.__exit__(kind, error, trace)

    @contextmanager
    def serve(self, seed: int, scale: float) -> Iterator[Vendor]:
        """Serve data of this seed and scale."""
        if self._s3:
            running, clock = self._s3, Clock()
            _empty(running)
            with heap_bucket(
                clock, seed=seed, scale=scale, server=lambda _: nullcontext(running), adds_columns=True
            ) as bucket:
                yield Heap(bucket, clock)
        else:
            with Sandbox(seed=seed, scale=scale) as sandbox:
                yield Segment(sandbox) if self._connector == "segment" else Customerio(sandbox)


def _empty(server: SeaweedS3) -> None:
    client = server.client(server.writer)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=server.bucket):
        for entry in page.get("Contents", ()):
            client.delete_object(Bucket=server.bucket, Key=entry["Key"])
