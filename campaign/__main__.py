"""`make campaign`: run cases until the time is up, and print the findings and how to reproduce them.

Exits with 1 if a guarantee was broken: lost rows, leaked secrets or personal data, tracebacks, wrong states, hangs.
"""

import argparse
import re
import sys
import time
from dataclasses import asdict

from campaign.case import Outcome, Plan, Stage, draw_plan, run_case
from campaign.destination import run_destination_case
from campaign.minimise import minimise
from campaign.surroundings import ACCELERATED
from campaign.vendors import Vendors
from campaign.zygote import Zygote

_PROMISES = re.compile(
    r"lost|too many|differs|undeclared|checksum|skipped line|secret|personal data|traceback|hang|did not exit"
    r"|left behind|breaking schema|the state .*fell|without faults failed|counted as rejected",
    re.IGNORECASE,
)
"""Findings that fail the run; others, such as a message of the wrong type, are only printed."""
CONNECTORS = ("segment", "customerio", "heap", "destination")


def main() -> int:
    """Run the campaign; returns 1 if a guarantee was broken."""
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    parser.add_argument("--connector", choices=[*CONNECTORS, "all"], default="all")
    parser.add_argument("--seed", type=int, help="run only this case; by default cases 1, 2, 3 …")
    parser.add_argument("--first", type=int, default=1, help="the first case, if no seed is given")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=0, help="stop after this many jobs per connector; 0 for no limit")
    options = parser.parse_args()
    connectors = CONNECTORS if options.connector == "all" else (options.connector,)
    found = 0
    for connector in connectors:
        ends = time.monotonic() + options.minutes * 60 / len(connectors)
        found += _run(connector, options.seed, options.first, ends, options.jobs)
    return 1 if found else 0


def _run(connector: str, seed: int | None, first: int, ends: float, most_jobs: int) -> int:
    total, found, broken, case = Outcome(), 0, 0, first if seed is None else seed
    package = "destination_segment" if connector == "destination" else f"source_{connector}"
    run = run_destination_case if connector == "destination" else run_case
    with Zygote(package, ACCELERATED) as zygote, Vendors(connector) as vendors:
        stage = Stage(zygote, vendors)
        while True:
            plan = draw_plan(connector, case)
            started = time.monotonic()
            outcome = run(plan, stage)
            _add(total, outcome)
            print(f"{connector} {case}: {_summary(outcome)}, {time.monotonic() - started:.0f} s", flush=True)
            if outcome.breaches:
                found += 1
                broken += any(map(breaks_promise, outcome.breaches))
                minimal = minimise(plan, lambda each: bool(run(each, stage).breaches)) if seed else None
                _report(plan, outcome, minimal)
            case += 1
            if seed is not None or time.monotonic() > ends or (most_jobs and total.jobs >= most_jobs):
                break
    print(f"{connector}, {case - (first if seed is None else seed)} cases: {_summary(total)}; {found} with findings")
    return broken


def breaks_promise(breach: str) -> bool:
    """True if a finding means that a guarantee was broken, rather than that a message could be better."""
    return _PROMISES.search(breach) is not None


def _report(plan: Plan, outcome: Outcome, minimal: Plan | None) -> None:
    for breach in outcome.breaches:
        print(f"  FOUND {breach}")
    for number, job in enumerate((minimal or plan).jobs):
        print(f"  job {number}: {job.days} days pass; {'; '.join(map(str, job.faults)) or 'no faults'}")
    purpose = "reproduce and minimise" if minimal is None else "reproduce"
    print(f"  {purpose}: make campaign CONNECTOR={plan.connector} SEED={plan.seed}")


def _add(total: Outcome, outcome: Outcome) -> None:
    for name, value in asdict(outcome).items():
        now = getattr(total, name)
        setattr(total, name, max(now, value) if name == "memory_mb" else now + value)


def _summary(outcome: Outcome) -> str:
    return (
        f"{outcome.jobs} jobs, {outcome.attempts} attempts ({outcome.failed_attempts} failed), "
        f"{outcome.faults_planned} faults planned, {outcome.responses_spoiled} responses spoiled, "
        f"{outcome.records:,} records, {outcome.schema_changes} schema changes, at most {outcome.memory_mb:.0f} MB"
    )


if __name__ == "__main__":
    sys.exit(main())
