"""The campaign's plans, minimisation and oracle."""

import pytest

from campaign.case import LEAST_FAULTS, Plan, draw_plan
from campaign.faults import RESPONSE, S3_RESPONSE, Fault
from campaign.minimise import minimise
from campaign.mutations import Mutator
from campaign.proxy import Response, Schedule, spoil


@pytest.mark.parametrize("seed", range(20))
def test_a_seed_draws_the_same_plan_with_enough_faults(seed: int) -> None:
    plan = draw_plan("segment", seed, RESPONSE)

    assert plan == draw_plan("segment", seed, RESPONSE)
    assert all(len(job.faults) >= LEAST_FAULTS for job in plan.jobs)
    assert 2 <= len(plan.jobs) <= 3


def test_a_failing_case_is_reduced_to_the_faults_that_it_needs() -> None:
    plan = draw_plan("heap", 3, S3_RESPONSE)
    needed = {plan.jobs[0].faults[2], plan.jobs[1].faults[1]}

    def fails(smaller: Plan) -> bool:
        return needed <= {fault for job in smaller.jobs for fault in job.faults}

    assert {fault for job in minimise(plan, fails).jobs for fault in job.faults} == needed


def test_a_fault_lasts_for_its_responses_and_an_outage_to_the_end_of_the_attempt() -> None:
    schedule = Schedule()
    schedule.begin([Fault("response", "html", 2, count=2), Fault("response", "null", 5, count=10_000)])

    assert [schedule.next_fault() for _ in range(7)] == [None, "html", "html", None, "null", "null", "null"]
    schedule.begin_attempt()
    assert schedule.next_fault() is None


@pytest.mark.parametrize("what", sorted({*RESPONSE, *S3_RESPONSE} - {"reset", "slow"}))
def test_every_fault_of_a_response_changes_it(what: str) -> None:
    body = b'{"data": {"users": [{"id": 1}]}}'
    response = Response(200, {"content-type": "application/json", "etag": '"1"'}, body)

    spoil(response, what)

    changed = response.status, response.body, response.sent, response.headers["etag"] if what == "wrong etag" else ""
    assert changed != (200, body, None, "")


def test_harmless_mutations_leave_what_identifies_a_row() -> None:
    mutator = Mutator(7, {"slug"}, hostile=False)
    body = b'{"data": {"users": [{"id": 1, "slug": "a", "plan": "pro"}], "pagination": {"next": "x"}}}'

    for number in range(200):
        response = Response(200, {}, body)
        mutator(number, response)
        assert b'"id": 1' in response.body
        assert b'"slug": "a"' in response.body
        assert b'"next": "x"' in response.body
    assert mutator.mutated > 20
