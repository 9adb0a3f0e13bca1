"""The campaign's plans, minimisation and oracle."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from campaign.__main__ import breaks_promise
from campaign.case import LEAST_FAULTS, Plan, draw_plan
from campaign.destination import Records, position
from campaign.faults import RESPONSE, S3_RESPONSE, SEAMS, TRACKING_RESPONSE, Fault
from campaign.minimise import minimise
from campaign.mutations import Mutator
from campaign.oracle import breaches_of_attempt, breaches_of_job, breaches_of_states
from campaign.proxy import Response, Schedule, spoil
from campaign.vendors import Customerio, Rows
from cdp_connectors.json_types import Json
from sandbox.airbyte import Attempt, BulkCdkLike, Job
from unit_tests.helpers import JsonObject


@pytest.mark.parametrize("connector", SEAMS)
def test_a_seed_draws_the_same_plan_with_enough_faults(connector: str) -> None:
    for seed in range(20):
        plan = draw_plan(connector, seed)

        assert plan == draw_plan(connector, seed)
        assert all(len(job.faults) >= LEAST_FAULTS for job in plan.jobs)
        assert 4 <= len(plan.jobs) <= 6


def test_a_failing_case_is_reduced_to_the_faults_that_it_needs() -> None:
    plan = draw_plan("heap", 3)
    needed = {plan.jobs[0].faults[2], plan.jobs[1].faults[1]}

    def fails(smaller: Plan) -> bool:
        return needed <= {fault for job in smaller.jobs for fault in job.faults}

    assert {fault for job in minimise(plan, fails).jobs for fault in job.faults} == needed


def test_a_fault_lasts_for_its_responses_and_an_outage_to_the_end_of_the_attempt() -> None:
    schedule = Schedule()
    schedule.begin([Fault("response", "html", 2, count=2), Fault("response", "null", 5, count=10_000)])

    assert [schedule.next_fault()[0] for _ in range(7)] == [None, "html", "html", None, "null", "null", "null"]
    schedule.begin_attempt()
    assert schedule.next_fault() == (None, 1)


def test_faults_of_listings_and_of_objects_wait_for_a_matching_request() -> None:
    schedule = Schedule()
    schedule.begin([Fault("response", "listing lags", 1), Fault("response", "removed", 1)])

    answered = [schedule.next_fault(path)[0] for path in ("/b/manifests/sync_1.json", "/b?list-type=2", "/b/x")]

    assert answered == ["removed", "listing lags", None]


@pytest.mark.parametrize(
    "what", sorted({*RESPONSE, *S3_RESPONSE, *TRACKING_RESPONSE} - {"reset", "reset after", "slow"})
)
def test_every_fault_of_a_response_changes_it(what: str) -> None:
    body = b'{"data": {"users": [{"id": 1}]}}<Contents><Key>manifests/sync_7.json</Key></Contents>'
    response = Response(200, {"content-type": "application/json", "etag": '"1"'}, body)

    spoil(response, what)

    changed = response.status, response.body, response.sent, response.headers["etag"] if what == "wrong etag" else ""
    assert changed != (200, body, None, "")


class _Forms(Customerio):
    """A vendor with one record, a form whose layout has a list."""

    def __init__(self) -> None:
        """No server is needed."""

    def truth(self, stream: Mapping[str, Any]) -> Rows:
        return {("1",): {stream["source_defined_primary_key"][0][0]: 1, "layout": {"rows": [1]}}}


@pytest.mark.parametrize("rows", [[], 4, None])
def test_a_value_that_the_vendor_did_not_send_is_found(rows: Json) -> None:
    assert [*_breaches_of_forms({"rows": rows})] == ["forms: row ('1',) differs in ['layout']"]


def test_a_value_replaced_by_the_proxy_may_differ_from_the_truth() -> None:
    assert [*_breaches_of_forms({"rows": 3})] == []


def _breaches_of_forms(layout: JsonObject) -> Iterator[str]:
    properties: JsonObject = {"id": {}, "layout": {}}
    forms = {"name": "forms", "source_defined_primary_key": [["id"]], "json_schema": {"properties": properties}}
    catalog = {"streams": [{"stream": forms, "sync_mode": "full_refresh"}]}
    destination = BulkCdkLike()
    destination.tables["forms"] = [{"id": 1, "layout": layout}]
    return breaches_of_job(Job([Attempt("succeeded")]), catalog, destination, _Forms())


def test_harmless_mutations_keep_keys_and_page_cursors() -> None:
    mutator = Mutator(7, {"slug"}, hostile=False)
    body = b'{"data": {"users": [{"id": 1, "slug": "a", "plan": "pro"}], "pagination": {"next": "x"}}}'

    for number in range(200):
        response = Response(200, {}, body)
        mutator(number, response)
        assert b'"id": 1' in response.body
        assert b'"slug": "a"' in response.body
        assert b'"next": "x"' in response.body
    assert mutator.mutated > 20


def test_a_growing_source_continues_at_the_states() -> None:
    records = Records(random.Random(1))  # noqa: S311 # not for secrets
    records.grow(50)
    lines = [orjson.loads(line) for line in records.lines({"users": 30})]
    users = [
        line["record"]["data"]["id"]
        for line in lines
        if line["type"] == "RECORD" and line["record"]["stream"] == "users"
    ]
    states = {
        line["state"]["stream"]["stream_descriptor"]["name"]: line["state"] for line in lines if line["type"] == "STATE"
    }

    assert users == list(range(30, 50))
    assert {stream: position(states, stream) for stream in states} == {"users": 50, "orders": 50}


def state_message(stream: str, content: JsonObject) -> JsonObject:
    return {"stream": {"stream_descriptor": {"name": stream}, "stream_state": content}}


def partitions(**cursors: str) -> JsonObject:
    return {"states": [{"partition": {"id": name}, "cursor": {"at": value}} for name, value in cursors.items()]}


@pytest.mark.parametrize(
    ("before", "after", "falls"),
    [
        ({"at": "2026-01-02"}, {"at": "2026-01-02"}, False),
        ({"at": "2026-01-02"}, {"at": "2026-01-01"}, True),
        ({"settled_through_dump_id": 7}, {"settled_through_dump_id": 6}, True),
        (partitions(a="2026-01-01", b="2026-01-05"), partitions(b="2026-01-05", a="2026-01-02"), False),
        (partitions(a="2026-01-01", b="2026-01-05"), partitions(b="2026-01-04"), True),
        ({"at": "2026-01-02", "lookback_window": 9}, {"at": "2026-01-03", "lookback_window": 1}, False),
    ],
)
def test_states_that_go_backwards_are_found(before: JsonObject, after: JsonObject, *, falls: bool) -> None:
    within = Job([Attempt("failed", source_states=[state_message("s", before), state_message("s", after)])])
    between = Job([Attempt("succeeded", states={"s": state_message("s", after)})])

    assert bool(list(breaches_of_states(within, {}))) is falls
    assert bool(list(breaches_of_states(between, {"s": state_message("s", before)}))) is falls
    between.attempts[0].status = "failed"
    assert not list(breaches_of_states(between, {"s": state_message("s", before)}))


@pytest.mark.parametrize(
    ("line", "breach"),
    [
        ("token s3cret", "a secret"),
        ("GET /people/jo%40example.com", "personal data"),
        ("Traceback (most recent call last): x", "a traceback"),
        ("UNREASONABLE WAIT of 90000 seconds", "unreasonable wait"),
        ("Stream users: 7 rows, 1,234 requests, 0 retries", "1,234 requests"),
    ],
)
def test_forbidden_output_is_found(line: str, breach: str) -> None:
    attempt = Attempt("succeeded", logs=[{"level": "INFO", "message": line}], source_exit_code=0)

    assert [found for found in breaches_of_attempt(attempt, ["s3cret"], ()) if breach in found]
    attempt.logs = [{"level": "INFO", "message": "Stream users: 7 rows, 1,234 requests, 1,222 retries"}]
    assert not list(breaches_of_attempt(attempt, ["s3cret"], ()))


def test_a_source_that_failed_says_why_unless_the_destination_failed_first() -> None:
    silent = Attempt("failed", source_exit_code=1, destination_exit_code=0)
    assert [breach for breach in breaches_of_attempt(silent, (), ()) if "without an error trace" in breach]
    silent.destination_exit_code = -9
    assert not list(breaches_of_attempt(silent, (), ()))


@pytest.mark.parametrize(
    ("breach", "breaks"),
    [
        ("users: 3 of 9 rows lost, for example [('1',)]", True),
        ("a secret in the output", True),
        ("users: the state .at fell from 2026-01-02 to 2026-01-01", True),
        ("a hang: Thread 1", True),
        ("a system error: the metrics cannot be dated", False),
    ],
)
def test_a_broken_promise_fails_the_run_and_any_other_finding_is_printed(breach: str, *, breaks: bool) -> None:
    assert breaks_promise(breach) is breaks
