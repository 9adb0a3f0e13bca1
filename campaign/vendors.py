"""The simulated vendors, as the campaign sees them: a configuration, time that passes, and the truth."""

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
"""By how much the connectors' clock is ahead of the sandbox's: more than the minute that Segment's windows keep."""
DELIVERY = "destination_delivery_metrics_summary"


class Vendor(Protocol):
    """A vendor behind the campaign's proxy."""

    package: str
    secrets: tuple[str, ...]
    """Values that no output may contain."""
    new_fields: frozenset[str]
    """Fields that appear as time passes, as `stream.field`: the platform drops them until it has discovered them."""
    most_ahead: float
    """The most seconds by which a connector's clock was ahead of that.

    The connector took days for gone that the vendor still had, and goes on from where it was.
    """

    @property
    def now(self) -> datetime:
        """The vendor's time, which passes for the platform too."""

    @property
    def connector_now(self) -> datetime | None:
        """The time of the connectors' clock, which follows the vendor's; None for the real one."""

    @property
    def url(self) -> str:
        """The server's address."""

    def config(self, url: str) -> JsonObject:
        """The source's configuration, with this address instead of the server's."""

    def pass_time(self, days: int) -> None:
        """Let days pass."""

    def truth(self, stream: Mapping[str, Any]) -> Rows:
        """The rows that a destination must hold, by key, without nulls."""

    def comparable(self, row: JsonObject) -> JsonObject:
        """The part of a row that must be equal."""


def rows_by_key(rows: list[JsonObject], stream: Mapping[str, Any]) -> Rows:
    """Rows by the stream's primary key, without nulls; of several with one key, the last."""
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
        """The configuration, with this address."""
        vendor = self.package.removeprefix("source_")
        given = self.sandbox.configs()[f"source-{vendor}"]
        return {**given, "api_url": f"{url}/{vendor}/us", "start_date": self.start.strftime("%Y-%m-%d")}

    def pass_time(self, days: int) -> None:
        """Let days pass."""
        self.sandbox.clock.advance(timedelta(days=days))

    def comparable(self, row: JsonObject) -> JsonObject:
        """All of the row."""
        return row


@dataclass
class Segment(_Api):
    """Segment's Public API."""

    package: str = "source_segment"
    unfinished: set[date] = field(default_factory=set)
    """Days on which the sandbox's clock stood, but which the connector's, the real one, took for past."""
    first_destinations: set[str] = field(init=False)
    """Those of the first day: of a later one, Segment answers with zeros for the days before it existed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.secrets = (self.sandbox.segment.region_tokens["us"],)
        self.first_destinations = {destination["id"] for destination in self.sandbox.segment.destinations}
        self.unfinished.add(self.sandbox.clock.now.date())

    def pass_time(self, days: int) -> None:
        """Let days pass."""
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
        """The configuration, with this address."""
        return {**self.bucket.config, "endpoint_url": url, "reread_on_new_columns": True}

    def pass_time(self, days: int) -> None:
        """Let days pass, each with its dump."""
        self.clock.advance(timedelta(days=days))
        self.bucket.sync()

    def truth(self, stream: Mapping[str, Any]) -> Rows:
        """The current rows, of each key the one of the newest dump."""
        if stream["name"] not in self.bucket.world.tables:
            return {}
        rows = sorted(self.bucket.world.expected(stream["name"]), key=lambda row: int(row["_heap_dump_id"]))
        return rows_by_key(rows, stream)

    def comparable(self, row: JsonObject) -> JsonObject:
        """The values as text: a column becomes text once a dump has text in it, for rows of later syncs.

        Of a row that two files of a dump hold, either may come last.
        """
        return {name: str(value) for name, value in row.items() if name != "_heap_file"}


class Vendors:
    """Serves a vendor of its own for each case; Heap's cases share one S3 server, which takes a second to start."""

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
