"""Changing how the simulated Customer.io API behaves."""

from collections.abc import Mapping
from typing import Any

from sandbox.customerio.history import Row
from sandbox.customerio.world import CustomerioWorld

_SWITCHES = ("rate_limit_per_second", "daily_quota")


def behaviour(world: CustomerioWorld) -> Row:
    """Return how the API behaves at present, in the form that `change_behaviour` takes."""
    return {name: getattr(world, name) for name in _SWITCHES}


def change_behaviour(world: CustomerioWorld, changes: Mapping[str, Any]) -> None:
    """Set the given ones of `rate_limit_per_second` and `daily_quota`; null for none.

    Raises:
        ValueError: for anything else, and for a value that is no count of requests; nothing is changed then.
    """
    for name, value in changes.items():
        if name not in _SWITCHES or not (value is None or (type(value) is int and value >= 0)):
            raise ValueError(f"{name} cannot be {value!r}: {' and '.join(_SWITCHES)} are numbers of requests, or null.")
    for name, value in changes.items():
        setattr(world, name, value)
