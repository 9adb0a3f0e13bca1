"""The endpoints of metrics: numbers by period, without dates by default."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from starlette.requests import Request

from cdp_connectors.json_types import Json
from sandbox.api.endpoints import Endpoint, OfParents
from sandbox.api.errors import invalid
from sandbox.api.present import Arguments, Present
from sandbox.api.timeline import DAY, Record, epoch, visible
from sandbox.api.validation import integer, parameters
from sandbox.customerio.behaviour import Behaviour
from sandbox.customerio.content import LANGUAGES, branch_of
from sandbox.customerio.periods import STEPS, Periods, Totals, by_date, by_steps, last_periods, periods, requested_zone
from sandbox.customerio.sent import (
    JOURNEY_SERIES,
    SERIES,
    SERIES_OF_2026,
    WEBHOOK_SERIES,
    Count,
    Sent,
    clicked_links,
    journey_metrics,
    link_of,
    recorded_metrics,
)


@dataclass(frozen=True, kw_only=True)
class Metrics(OfParents):
    """Metrics of a sender of messages.

    Attributes:
        origin: the field of a delivery that contains its sender's id.
        envelope: `metric`, `journey_metric`, or `links`.
    """

    sent: Sent
    origin: str
    behaviour: Behaviour
    envelope: str = "metric"

    def answer(self, request: Request, present: Present) -> Record:
        """Return the series of the requested periods."""
        given = parameters(request, present)
        arguments = self._arguments(request, given, present)
        now = epoch(present.now)
        return self._body(arguments, self._periods(given, now), now)

    def rows(self, present: Present, start: datetime) -> list[Record]:  # noqa: ARG002 # all that can be read
        """Return the rows of days with nonzero counts: since the sender's creation, or of the last 45 days."""
        return self.rows_by("days", present)

    def rows_by(self, resolution: str, present: Present) -> list[Record]:
        """Return the rows of a resolution: since the sender's creation, or of as many periods as the API returns."""
        now = epoch(present.now)
        return [row for arguments in self._existing(present) for row in self._rows(resolution, arguments, now)]

    def _rows(self, resolution: str, arguments: Arguments, now: int) -> Iterator[Record]:
        if self._by_date:
            found = periods(resolution, self._created(arguments), now, timezone.utc)
        else:
            found = last_periods(resolution, STEPS[resolution][0], now, self.behaviour)
        ids, body = self._row({}, arguments), self._body(arguments, found, now)[self.envelope]
        if self.envelope != "links":
            yield from _dated(ids, found, body.get("series", body))
            return
        for each in body or []:
            link = {"link_id": each["link"]["id"], "href": each["link"]["href"]}
            yield from _dated(ids | link, found, each["metric"]["series"])

    @property
    def _by_date(self) -> bool:
        return self._kind == "campaigns" and self.envelope != "links"

    def _created(self, arguments: Arguments) -> int:
        return self.sent.created(self._kind, arguments[next(iter(self.adds))])

    def _periods(self, given: Arguments, now: int) -> Periods:
        if self.envelope == "journey_metric":
            anchor = timezone(-timedelta(seconds=integer(given, "start", 0) % DAY))
            return by_date(given, self._journey_parameter(given), anchor, self.behaviour)
        if self._by_date:
            if given.get("version") not in {"1", "2"}:
                raise invalid("version must be 1 or 2")
            if given["version"] == "2":
                return by_date(given, "res", requested_zone(given), self.behaviour)
        return by_steps(given, now, self.behaviour)

    def _journey_parameter(self, given: Arguments) -> str:
        required = self.behaviour.journey_parameter
        if required == "both" and "resolution" not in given:
            raise invalid("resolution is required")
        if required in {"res", "resolution"}:
            return required
        return "resolution" if required == "any" and "resolution" in given else "res"

    def _totals(self, arguments: Arguments, periods: Periods, now: int, count: Count) -> Totals:
        ids = {name: arguments[name] for name in self.adds}
        *_, sender = ids.values()
        totals = self.sent.totals((self.origin, sender), self._created(ids), periods, now, count)
        for variant in self._variants(ids):
            of_variant = self.sent.totals((self.origin, variant), self._created(ids), periods, now, count)
            for position, counted in of_variant.items():
                totals[position] += counted
        return totals

    def _variants(self, ids: Arguments) -> list[int]:
        """Return the language variants of the requested action, which counts for all of them."""
        if not self.behaviour.language_variants or "action_id" not in ids:
            return []
        return [action for action in self.sent.actions(self._kind, ids) if branch_of(action) == ids["action_id"]]

    def _body(self, arguments: Arguments, periods: Periods, now: int) -> Record:
        dates = periods.dates(self.behaviour)
        if self.envelope == "journey_metric":
            stopped = self.sent.stopped(arguments["campaign_id"]) or now + 1
            totals = self._totals(
                arguments, periods, now, lambda sent, at: journey_metrics(sent, at) if sent.created < stopped else ()
            )
            return {"journey_metric": {**periods.arrays(totals, JOURNEY_SERIES), **dates}}
        if self.envelope == "metric":
            totals = self._totals(arguments, periods, now, recorded_metrics)
            series = periods.arrays(totals, self._names)
            return {"metric": {"series": series, **dates, **self._languages(arguments, periods, now)}}
        totals = self._totals(arguments, periods, now, clicked_links)
        links = self._links_ever(arguments, now)
        return {
            "links": [
                {
                    "link": link_of(link),
                    "metric": {"series": {"clicked": periods.arrays(totals, [link])[link]}, **dates},
                }
                for link in links
            ]
            or None
        }

    def _links_ever(self, arguments: Arguments, now: int) -> list[str]:
        """Return the links that were ever clicked, including those without clicks in the requested periods."""
        ever = Periods("ever", (self._created(arguments), now + 1))
        return sorted(
            name for counted in self._totals(arguments, ever, now, clicked_links).values() for name in counted
        )

    @property
    def _names(self) -> tuple[str, ...]:
        names = SERIES if self._kind == "transactional" else SERIES + WEBHOOK_SERIES
        return names + SERIES_OF_2026 if self.behaviour.fields_of_2026 else names

    def _languages(self, arguments: Arguments, periods: Periods, now: int) -> Record:
        variants = self._variants({name: arguments[name] for name in self.adds})
        if not variants:
            return {}
        listed = [
            {
                "language": language,
                "series": self._own_series({**arguments, "action_id": action}, periods, now),
            }
            for language, action in zip(LANGUAGES[1:], variants, strict=False)
        ]
        return {"language_variants": listed}

    def _own_series(self, arguments: Arguments, periods: Periods, now: int) -> dict[str, list[int]]:
        return periods.arrays(self._totals(arguments, periods, now, recorded_metrics), self._names)


def metrics_endpoints(sent: Sent, behaviour: Behaviour) -> list[Endpoint]:
    """Return every endpoint of metrics."""
    senders = {
        "campaign": ("/campaigns/{campaign_id}", "campaign_id"),
        "campaign_action": ("/campaigns/{campaign_id}/actions/{action_id}", "action_id"),
        "broadcast": ("/broadcasts/{broadcast_id}", "broadcast_id"),
        "broadcast_action": ("/broadcasts/{broadcast_id}/actions/{action_id}", "action_id"),
        "newsletter": ("/newsletters/{newsletter_id}", "newsletter_id"),
        "newsletter_variant": ("/newsletters/{newsletter_id}/contents/{variant_id}", "content_id"),
        "transactional": ("/transactional/{transactional_id}", "transactional_message_id"),
    }

    def metrics(stream: str, path: str, origin: str, envelope: str = "metric") -> Metrics:
        ids = re.findall("{(.+?)}", path)
        of_link = ("link_id",) if envelope == "links" else ()
        return Metrics(
            path=path,
            stream=stream,
            primary_key=(*ids, *of_link, "resolution", "period_start"),
            sent=sent,
            behaviour=behaviour,
            origin=origin,
            envelope=envelope,
            of=_each(sent, path.split("/")[1], ids),
            adds={name: name for name in ids},
        )

    return [
        metrics(
            "campaign_journey_metrics", "/campaigns/{campaign_id}/journey_metrics", "campaign_id", "journey_metric"
        ),
        *(metrics(f"{name}_metrics", f"{path}/metrics", origin) for name, (path, origin) in senders.items()),
        *(
            metrics(f"{name}_link_metrics", f"{path}/metrics/links", origin, "links")
            for name, (path, origin) in senders.items()
        ),
    ]


def _each(sent: Sent, kind: str, names: list[str]) -> Callable[[datetime], list[Arguments]]:
    """Return the ids of a kind of senders, or of their actions or variants; `names` are the arguments for the ids."""

    def each(now: datetime) -> list[Arguments]:
        parents = visible(sent.parents[kind], now)
        if len(names) == 1:
            return [{names[0]: parent["id"]} for parent in parents]
        return [{names[0]: parent["id"], names[1]: child} for parent in parents for child in _children(parent)]

    return each


def _children(parent: Record) -> list[int]:
    return parent["content_ids"] if "content_ids" in parent else [action["id"] for action in parent["actions"]]


def _dated(added: Record, periods: Periods, series: Mapping[str, Json]) -> Iterator[Record]:
    arrays = {name: values for name, values in series.items() if isinstance(values, list)}
    for position in range(periods.count):
        numbers = {name: values[position] for name, values in arrays.items()}
        if any(numbers.values()):
            yield added | {"resolution": periods.resolution, "period_start": periods.start(position)} | numbers
