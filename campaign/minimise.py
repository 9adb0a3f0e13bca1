"""Minimising the faults of a failing case."""

from collections.abc import Callable

from campaign.case import Plan


def minimise(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """Remove faults from a failing case as long as it still fails: halves first, then single ones.

    Args:
        plan: the failing case.
        fails: runs a case and returns whether it fails.
    """
    kept = plan.faults
    size = max(len(kept) // 2, 1)
    while kept:
        smaller = next(
            (
                rest
                for start in range(0, len(kept), size)
                for rest in [kept[:start] + kept[start + size :]]
                if fails(plan.with_faults(rest))
            ),
            None,
        )
        if smaller is not None:
            kept = smaller
        elif size == 1:
            break
        else:
            size = max(size // 2, 1)
    return plan.with_faults(kept)
