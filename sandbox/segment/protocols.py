"""Protocols: tracking plans with their rules and sources, and transformations."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.api.cursors import Cursors, LastNext
from sandbox.api.endpoints import Endpoint, Listing
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, Seeded, timestamp, visible
from sandbox.segment.connections import Connections
from sandbox.segment.transformations import transformations
from sandbox.segment.workspace import Workspace

_PLANS = 12
_TYPES = ("LIVE", "ENGAGE", "LIVE", "TEMPLATE", "PROPERTY_LIBRARY", "RULE_LIBRARY")
_OBJECTS = ("Order", "Cart", "Product", "Coupon", "Invoice", "Return", "Review", "Wishlist")
_VERBS = ("Viewed", "Added", "Removed", "Completed", "Updated", "Shared", "Failed")
_KEYLESS = ("COMMON", "IDENTIFY", "GROUP")
_LONGEST = 1_040
_LONG = 30


class Protocols:
    """Tracking plans: the first has more rules than fit on a page, the others have up to thirty.

    A day after the clock starts, a rule of the first plan is changed; six hours later, another one is deprecated in
    favour of its second version. A plan is created every third day.
    """

    def __init__(self, workspace: Workspace, connections: Connections) -> None:
        self._chance = workspace.chance("protocols")
        self._workspace = workspace
        self._connections = connections
        self._transformations = transformations(workspace, connections)
        births = workspace.births(self._chance, _PLANS)
        births = [*births[:-30], *births[-30::3]]
        self._plans = [Dated(self._plan(number, birth), birth) for number, birth in enumerate(births)]
        self._rules = {plan.record["id"]: self._rules_of(number, plan.since) for number, plan in enumerate(self._plans)}
        self._evolve(self._rules[self._plans[0].record["id"]])
        at_origin = visible(connections.sources, workspace.origin)
        self._source_ids = {
            plan.record["id"]: {
                source["id"] for source in self._chance.sample(at_origin, k=min(len(at_origin), number % 5))
            }
            for number, plan in enumerate(self._plans)
        }

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tags Tracking Plans and Transformations."""
        return [
            Listing(
                path="/transformations",
                stream="transformations",
                key="transformations",
                records=lambda _, now: visible(self._transformations, now),
                gate="protocols",
            ),
            Listing(
                path="/tracking-plans",
                stream="tracking_plans",
                key="trackingPlans",
                records=self._plans_of_type,
                choices={"type": tuple(sorted(set(_TYPES)))},
                paging=Cursors(with_total=False),
                gate="protocols",
            ),
            Listing(
                path="/tracking-plans/{trackingPlanId}/rules",
                stream="tracking_plan_rules",
                primary_key=("trackingPlanId", "type", "key", "version"),
                key="rules",
                records=lambda arguments, now: visible(self._rules[arguments["trackingPlanId"]], now),
                makes=lambda rule: [{"key": "", **rule}],
                of=self._each_plan,
                adds={"trackingPlanId": "trackingPlanId"},
                paging=Cursors(with_total=False),
                gate="protocols",
                per_minute=200,
            ),
            Listing(
                path="/tracking-plans/{trackingPlanId}/sources",
                stream="tracking_plan_sources",
                primary_key=("trackingPlanId", "id"),
                key="sources",
                records=self._sources_of,
                of=self._each_plan,
                adds={"trackingPlanId": "trackingPlanId"},
                removes=("writeKeys",),
                paging=Cursors(LastNext.NULL),
                gate="protocols",
            ),
        ]

    def _each_plan(self, now: datetime) -> list[Arguments]:
        return [{"trackingPlanId": plan["id"]} for plan in visible(self._plans, now)]

    def _plans_of_type(self, arguments: Arguments, now: datetime) -> list[Record]:
        return [plan for plan in visible(self._plans, now) if arguments.get("type", plan["type"]) == plan["type"]]

    def _sources_of(self, arguments: Arguments, now: datetime) -> list[Record]:
        followed = self._source_ids[arguments["trackingPlanId"]]
        return [source for source in visible(self._connections.sources, now) if source["id"] in followed]

    def _plan(self, number: int, birth: datetime) -> Record:
        plan: Record = {
            "id": f"tp_{self._chance.identifier()}",
            "resourceSchemaId": f"rs_{self._chance.identifier(27)}",
            "type": _TYPES[number % len(_TYPES)],
        }
        if number % 5 != 4:  # noqa: PLR2004 # a fifth of the plans lacks everything optional
            plan |= {
                "name": f"Plan {number + 1}",
                "slug": f"plan-{number + 1}" if number % 2 else "",
                "description": (None, "", "What the shop's teams may send")[number % 3],
                "createdAt": timestamp(birth),
                "updatedAt": timestamp(birth + timedelta(hours=2)),
            }
        return plan

    def _rules_of(self, number: int, birth: datetime) -> list[Dated]:
        count = self._workspace.scaled(_LONGEST) if number == 0 else self._chance.randrange(_LONG)
        rules: list[Record] = [{"type": kind, "version": 1} for kind in _KEYLESS[: number % 4]]
        rules += [self._keyed_rule(place) for place in range(count)]
        return [Dated(rule | self._times(birth) | {"jsonSchema": _json_schema(self._chance)}, birth) for rule in rules]

    def _keyed_rule(self, place: int) -> Record:
        subject, verb = _OBJECTS[place % len(_OBJECTS)], _VERBS[place // len(_OBJECTS) % len(_VERBS)]
        batch = place // (len(_OBJECTS) * len(_VERBS))
        kind = ("TRACK", "TRACK", "TRACK", "PAGE", "SCREEN")[place % 5]
        return {"type": kind, "key": f"{subject} {verb}" + f" {batch + 1}" * bool(batch), "version": 1}

    def _times(self, birth: datetime) -> Record:
        created = timestamp(birth)
        if self._chance.happens(0.1):
            return {"createdAt": None, "updatedAt": None}
        deprecated = {"deprecatedAt": self._chance.choice((None, created))} if self._chance.happens(0.2) else {}
        return {"createdAt": created, "updatedAt": created, **deprecated}

    def _evolve(self, rules: list[Dated]) -> None:
        keyed = [rule for rule in rules if "key" in rule.record]
        changed, replaced = keyed[0], keyed[-1]
        moment = self._workspace.origin + timedelta(days=1)
        later = moment + timedelta(hours=6)
        new_schema = _json_schema(self._chance)
        successor = replaced.record | {"version": 2, "createdAt": timestamp(later), "updatedAt": timestamp(later)}
        rules.remove(changed)
        rules += self._workspace.changed(changed.record, changed.since, moment, jsonSchema=new_schema)
        if replaced is not changed:
            rules.remove(replaced)
            rules += self._workspace.changed(replaced.record, replaced.since, later, deprecatedAt=timestamp(later))
        rules.append(Dated(successor, later))


def _json_schema(chance: Seeded) -> dict[str, Any]:
    names = chance.sample(("orderId", "value", "currency", "sku", "email"), k=2)
    properties = {name: {"type": chance.choice(("string", ["number", "null"]))} for name in names}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"properties": {"type": "object", "properties": properties, "required": names[:1]}},
    }
