"""Changing how the simulated Customer.io API behaves."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.timeline import Record
from sandbox.customerio.world import CustomerioWorld


def behaviour(world: CustomerioWorld) -> Record:
    """Return how the API behaves at present, in the form that `change_behaviour` takes."""
    return {
        "rate_limit_per_second": world.rate_limit_per_second,
        "daily_quota": world.daily_quota,
        "largest_page": world.largest_page,
        "segment_id_in_usage": world.audience.segment_id_in_usage,
        "removed": sorted(world.removed),
    }


def change_behaviour(world: CustomerioWorld, changes: Mapping[str, Any]) -> None:
    """Set the given ones of the fields that `behaviour` returns.

    Raises:
        ValueError: for anything else, and for a value that the field cannot take; nothing is changed then.
    """
    wanted = behaviour(world) | dict(changes)
    if len(wanted) != len(behaviour(world)):
        raise ValueError(f"Only {', '.join(behaviour(world))} can be changed.")
    for name, least in (("rate_limit_per_second", 0), ("daily_quota", 0), ("largest_page", 1)):
        if not (wanted[name] is None or (type(wanted[name]) is int and wanted[name] >= least)):
            raise ValueError(f"{name} must be a number from {least} on, or null for none.")
    if type(wanted["segment_id_in_usage"]) is not bool:
        raise ValueError("segment_id_in_usage must be true or false.")
    if not isinstance(wanted["removed"], list) or not all(isinstance(path, str) for path in wanted["removed"]):
        raise ValueError("removed must be a list of paths like campaigns/3.")
    world.rate_limit_per_second = wanted["rate_limit_per_second"]
    world.daily_quota = wanted["daily_quota"]
    world.largest_page = wanted["largest_page"]
    world.audience.segment_id_in_usage = wanted["segment_id_in_usage"]
    world.removed = set(wanted["removed"])
