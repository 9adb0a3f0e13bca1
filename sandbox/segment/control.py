"""Changing how the simulated Segment API behaves."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.timeline import Record
from sandbox.segment.access import GATES
from sandbox.segment.world import SegmentWorld


def behaviour(world: SegmentWorld) -> Record:
    """Return how the API behaves at present, in the form that `change_behaviour` takes."""
    return {
        "gates": sorted(world.gates),
        "rate_limit": world.rate_limit,
        "token_limited": world.token_limited,
        "endpoint_limits": world.endpoint_limits,
        "largest_count": world.largest_count,
        "removed_ids": sorted(world.removed_ids),
    }


def change_behaviour(world: SegmentWorld, changes: Mapping[str, Any]) -> None:
    """Set the given ones of the fields that `behaviour` returns.

    Raises:
        ValueError: for anything else, and for a value that the attribute of `SegmentWorld` cannot take; nothing is
            changed then.
    """
    wanted = {**behaviour(world), **changes}
    if len(wanted) != len(behaviour(world)):
        raise ValueError(f"Only {', '.join(behaviour(world))} can be changed.")
    if not _is_list_of_text(wanted["gates"]) or not GATES.keys() >= set(wanted["gates"]):
        raise ValueError(f"gates must be a list of these: {', '.join(GATES)}.")
    if wanted["rate_limit"] is not None and not _is_positive(wanted["rate_limit"]):
        raise ValueError("rate_limit must be a number of requests per minute, or null for none.")
    for name in ("token_limited", "endpoint_limits"):
        if type(wanted[name]) is not bool:
            raise ValueError(f"{name} must be true or false.")
    if not _is_positive(wanted["largest_count"]):
        raise ValueError("largest_count must be a number of records per page.")
    if not _is_list_of_text(wanted["removed_ids"]):
        raise ValueError("removed_ids must be a list of ids.")
    world.gates = set(wanted["gates"])
    world.rate_limit = wanted["rate_limit"]
    world.token_limited = wanted["token_limited"]
    world.endpoint_limits = wanted["endpoint_limits"]
    world.largest_count = wanted["largest_count"]
    world.removed_ids = set(wanted["removed_ids"])


def _is_positive(value: object) -> bool:
    return type(value) is int and value > 0


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
