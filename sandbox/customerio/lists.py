"""The lists of the whole workspace: settings, messages, and activities."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.paging import Paging
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import DAY, Dated, Record, epoch, visible
from sandbox.api.tokens import Tokens
from sandbox.api.validation import integer, parameters
from sandbox.customerio.activities import Activity
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.collections import with_key_fields
from sandbox.customerio.deliveries import Delivery
from sandbox.customerio.exports import Exports

LONGEST_WINDOW = 183 * DAY
_MOST = 10**20 - 1
_CLEAN_ENDPOINTS = {
    2: "https://collector.example.com/cio",
    3: "https://collector.example.com/cio?team=***&token=***",
}
"""The endpoints of reporting webhooks that contain credentials, with these removed."""


def configuration_endpoints(
    tables: Mapping[str, list[Dated]], ip_addresses: list[str], exports: Exports, behaviour: Behaviour
) -> list[Endpoint]:
    """Return the lists of the configuration."""

    def newsletters(arguments: Arguments, now: datetime) -> list[Record]:
        rows = visible(tables["newsletters"], now)
        return rows if arguments.get("sort") == "asc" else rows[::-1]

    def collections(_: Arguments, now: datetime) -> list[Record]:
        rows = visible(tables["collections"], now)
        return [with_key_fields(row) for row in rows] if behaviour.fields_of_2026 else rows

    def whole(path: str, stream: str, **others: Json) -> Listing:
        """Return a list that is never paged."""
        usual: dict[str, Json] = {"key": stream, "records": lambda _, now: visible(tables[stream], now)}
        return Listing(path=path, stream=stream, paging=None, **(usual | others))

    return [
        whole("/campaigns", "campaigns"),
        whole("/broadcasts", "broadcasts"),
        whole("/segments", "segments"),
        whole("/transactional", "transactional_messages", key="messages"),
        whole("/exports", "exports", records=lambda _, now: exports.listed(now), null_if_empty=True),
        whole("/snippets", "snippets", primary_key=("name",)),
        whole("/collections", "collections", records=collections, null_if_empty=True),
        whole("/subscription_topics", "topics"),
        whole("/object_types", "types"),
        whole("/reporting_webhooks", "reporting_webhooks", makes=_without_credentials, null_if_empty=True),
        whole(
            "/info/ip_addresses",
            "ip_addresses",
            primary_key=("ip_address",),
            records=lambda *_: list(ip_addresses),
            makes=lambda address: [{"ip_address": address}],
            public=True,
        ),
        Listing(
            path="/newsletters",
            stream="newsletters",
            key="newsletters",
            records=newsletters,
            paging=Tokens("nws", default=50, largest=100, ends_empty=True),
        ),
    ]


def _without_credentials(webhook: Record) -> list[Record]:
    return [webhook | {"endpoint": _CLEAN_ENDPOINTS.get(webhook["id"], webhook["endpoint"])}]


@dataclass(frozen=True, kw_only=True)
class Messages(Endpoint):
    """The deliveries of a window of at most half a year, newest first; drafts are a separate list.

    Attributes:
        sent, drafts: all deliveries, oldest first.
        of_drafts: whether the stream reads the drafts.
    """

    path: str = "/messages"
    stream: str = "messages"
    sent: list[Delivery]
    drafts: list[Delivery]
    of_drafts: bool = False
    paging: Paging = Tokens("v20", default=50, largest=1000, clamps=True)  # noqa: RUF009 # frozen

    def answer(self, request: Request, present: Present) -> Record:
        """Return a page of the deliveries, with their tracked responses if requested."""
        given, now = parameters(request, present), epoch(present.now)
        end = integer(given, "end_ts", now)
        start = max(integer(given, "start_ts", 0), min(end, now) - LONGEST_WINDOW)
        found = self.between(start, min(end, now), drafts=given.get("drafts") == "true")
        page = self.paging.page(request, given, present).answer("messages", found)
        rows = [delivery.at(now) for delivery in page["messages"]]
        if given.get("get_tracked_responses") != "true":
            for row in rows:
                row.pop("tracked_responses", None)
        return {"messages": rows, "next": page["next"]}

    def between(self, start: int, end: int, *, drafts: bool = False) -> list[Delivery]:
        """Return the deliveries created from `start` to `end`, both inclusive, newest first."""
        deliveries, created = self.drafts if drafts else self.sent, attrgetter("created")
        first = bisect_left(deliveries, start, key=created)
        return deliveries[first : bisect_right(deliveries, end, key=created)][::-1]

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 # all are expected
        """Return all deliveries with the time of their last metric."""
        now = epoch(present.now)
        rows = [delivery.at(now) for delivery in self.between(0, now, drafts=self.of_drafts)]
        return [row | {"updated_at": max([row["created"], *row["metrics"].values()])} for row in rows]


_BY_ROW = Tokens("row", default=10, largest=100, key=lambda activity: f"{_MOST - activity.number:020d}")
"""Pagination of activities by the row before the page."""


@dataclass(frozen=True, kw_only=True)
class Activities(Endpoint):
    """The activities, latest arrival first."""

    path: str = "/activities"
    stream: str = "activities"
    ever: list[Activity]
    behaviour: Behaviour
    paging: Paging = Tokens("act", default=10, largest=100)  # noqa: RUF009 # frozen

    def answer(self, request: Request, present: Present) -> Record:
        """Return a page of the activities."""
        paging = self.paging if self.behaviour.activity_tokens == "position" else _BY_ROW
        page = paging.page(request, parameters(request, present), present)
        data = page.answer("activities", self.arrived(present.now))
        return data | {"activities": self._rows(data["activities"])}

    def arrived(self, now: datetime) -> list[Activity]:
        """Return the activities that have arrived, latest first."""
        return self.ever[: bisect_right(self.ever, epoch(now), key=attrgetter("arrived"))][::-1]

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 # all are expected
        """Return all activities that have arrived."""
        return self._rows(self.arrived(present.now))

    def _rows(self, activities: list[Activity]) -> list[Record]:
        if self.behaviour.fields_of_2026:
            return [activity.row_of_2026 for activity in activities]
        return [activity.row for activity in activities]
