"""The metrics of Customer.io's App API as the unit tests mock them, and the requests of each metrics stream."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import requests_mock
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

from source_customerio import SourceCustomerio
from source_customerio.components.periods import count_between
from unit_tests.helpers import JsonObject, read_streams
from unit_tests.source_customerio.customerio_api import CONFIG, START_TS, US

LINK = {"id": 9, "href": "https://shop.example.com/sale"}
CAMPAIGN = {"id": 3, "created": START_TS - 400 * 86_400 + 1, "actions": [{"id": 31, "type": "email"}]}
PARENTS: dict[str, JsonObject] = {
    "/campaigns": {"campaigns": [CAMPAIGN]},
    "/broadcasts": {"broadcasts": [{"id": 4, "actions": [{"id": 41, "type": "email"}]}]},
    "/newsletters": {"newsletters": [{"id": 5, "content_ids": [51], "sent_at": START_TS}], "next": ""},
    "/transactional": {"messages": [{"id": 6}]},
}


@dataclass(frozen=True)
class Metrics:
    """A metrics stream and its contract, with one parent of each kind."""

    name: str
    path: str
    ids: JsonObject
    envelope: str = "metric"

    @property
    def is_of_a_parent(self) -> bool:
        """True for a parent's own metrics, False for those of something below it."""
        return len(self.ids) == 1 and self.envelope != "links"

    @property
    def by_date(self) -> bool:
        """True if the API takes a start and an end, False if it takes a number of days that end today."""
        return self.path.startswith("/campaigns") and self.envelope != "links"

    @property
    def counted(self) -> str:
        """The name of one of the stream's metrics."""
        return {"metric": "sent", "journey_metric": "started", "links": "clicked"}[self.envelope]

    @property
    def added(self) -> JsonObject:
        """The fields of each record of `LINK`, or of the parent, except its day and its metrics."""
        link = {"link_id": LINK["id"], "href": LINK["href"]} if self.envelope == "links" else {}
        return {**self.ids, **link, "resolution": "days"}

    @property
    def primary_key(self) -> list[str]:
        return [name for name in self.added if name not in {"href", "resolution"}] + ["resolution", "period_start"]

    @property
    def midnight(self) -> str:
        """The time at which the stream's days begin, in UTC."""
        return "T00:00:00Z" if self.by_date else "T05:00:00Z"

    @property
    def is_shared(self) -> bool:
        """True if other streams need these metrics too; they are requested for at least a hundred days before today."""
        return len(self.ids) == 1 and self.envelope != "journey_metric" and self.name != "transactional_link_metrics"

    def requested_days(self, days: int) -> int:
        """The number of days that are requested to read `days`, without a start date."""
        wide = max(days, 101) if self.is_shared else days
        return wide if self.by_date else min(wide, 45)

    @property
    def list_of_parents(self) -> str:
        return "/" + self.path.split("/")[1]

    def body(self, series: object) -> JsonObject:
        """The response with these arrays."""
        if self.envelope == "links":
            return {"links": [{"link": LINK, "metric": {"series": series}}]}
        return {self.envelope: series if self.envelope == "journey_metric" else {"series": series}}

    def days(self, *numbers: int) -> JsonObject:
        """The response with one number per day."""
        return self.body({self.counted: list(numbers)})

    def row(self, day: str, number: int) -> JsonObject:
        """The record of the day."""
        return {**self.added, "period_start": day + self.midnight, self.counted: number}


STREAMS = [
    Metrics("campaign_metrics", "/campaigns/3/metrics", {"campaign_id": 3}),
    Metrics("campaign_action_metrics", "/campaigns/3/actions/31/metrics", {"campaign_id": 3, "action_id": 31}),
    Metrics("campaign_journey_metrics", "/campaigns/3/journey_metrics", {"campaign_id": 3}, "journey_metric"),
    Metrics("broadcast_metrics", "/broadcasts/4/metrics", {"broadcast_id": 4}),
    Metrics("broadcast_action_metrics", "/broadcasts/4/actions/41/metrics", {"broadcast_id": 4, "action_id": 41}),
    Metrics("newsletter_metrics", "/newsletters/5/metrics", {"newsletter_id": 5}),
    Metrics("newsletter_variant_metrics", "/newsletters/5/contents/51/metrics", {"newsletter_id": 5, "variant_id": 51}),
    Metrics("transactional_metrics", "/transactional/6/metrics", {"transactional_id": 6}),
]
STREAMS += [
    Metrics(stream.name.removesuffix("metrics") + "link_metrics", stream.path + "/links", stream.ids, "links")
    for stream in STREAMS
    if stream.envelope == "metric"
]
BY_DATE = [stream for stream in STREAMS if stream.by_date]
BY_STEPS = [stream for stream in STREAMS if not stream.by_date]


def serve(api: requests_mock.Mocker, streams: Sequence[Metrics], *answers: Callable[[Metrics], JsonObject]) -> None:
    """Answer each stream's requests in turn with `answers` (arguments of `Mocker.get`), and list its one parent.

    The parents' own metrics, unless they are among the streams, counted something in every period.
    """
    for path, body in PARENTS.items():
        api.get(US + path, json=body)
    for path in ("/campaigns/3", "/broadcasts/4", "/newsletters/5", "/transactional/6"):
        api.get(f"{US}{path}/metrics", json=_counted)
    for stream in streams:
        api.get(US + stream.path, [answer(stream) for answer in answers])


def _counted(request: Any, _: object) -> JsonObject:  # noqa: ANN401 # requests_mock has no public type for it
    query = {name: values[-1] for name, values in request.qs.items()}
    if "steps" in query:
        return {"metric": {"series": {"sent": [1] * int(query["steps"])}}}
    start, end = (datetime.fromtimestamp(int(query[bound]), timezone.utc) for bound in ("start", "end"))
    return {"metric": {"series": {"sent": [1] * count_between(start, end, query["res"])}}}


def sync(
    streams: Sequence[Metrics], states: Mapping[str, JsonObject] | None = None, **config: object
) -> EntrypointOutput:
    """Read the streams, each from its state; a setting that is None is left out.

    They are read together, because a source takes most of a second to start.
    """
    settings = {name: value for name, value in {**CONFIG, **config}.items() if value is not None}
    return read_streams(SourceCustomerio, settings, [stream.name for stream in streams], states)


def rows_of(output: EntrypointOutput, stream: Metrics, resolution: str = "days") -> list[JsonObject]:
    rows = [message.record.data for message in output.records if message.record.stream == stream.name]
    return [row for row in rows if row["resolution"] == resolution]


def requests_for(api: requests_mock.Mocker, stream: Metrics, resolution: str = "days") -> list[dict[str, str]]:
    """The distinct query parameters of the requests for metrics, in order.

    A parent's metrics are requested for its own stream, and to decide whether to request what is below it.
    """
    found: dict[str, dict[str, str]] = {}
    for request in api.request_history:
        query = {name: values[-1] for name, values in request.qs.items()}
        if request.path == "/v1" + stream.path and query.get("res", query.get("period")) == resolution:
            found.setdefault(query.get("start", query.get("steps", "")), query)
    return list(found.values())


def states_of(output: EntrypointOutput) -> dict[str, JsonObject]:
    """The last state of each stream."""
    return {
        message.state.stream.stream_descriptor.name: vars(message.state.stream.stream_state)
        for message in output.state_messages
    }
