from typing import Any

import pytest

from sandbox.segment.control import behaviour, change_behaviour
from sandbox.segment.world import SegmentWorld


def test_all_is_well_by_default(world: SegmentWorld) -> None:
    assert behaviour(world) == {
        "gates": [],
        "rate_limit": None,
        "token_limited": False,
        "endpoint_limits": False,
        "largest_count": 1000,
        "removed_ids": [],
    }


def test_only_what_is_named_changes(world: SegmentWorld) -> None:
    change_behaviour(world, {"gates": ["protocols"], "rate_limit": 30})
    change_behaviour(world, {"rate_limit": None, "removed_ids": ["a", "b"]})
    assert behaviour(world) == {
        "gates": ["protocols"],
        "rate_limit": None,
        "token_limited": False,
        "endpoint_limits": False,
        "largest_count": 1000,
        "removed_ids": ["a", "b"],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"gate": ["protocols"]},
        {"gates": ["engage"]},
        {"gates": "protocols"},
        {"rate_limit": 0},
        {"rate_limit": True},
        {"token_limited": 1},
        {"endpoint_limits": None},
        {"largest_count": "200"},
        {"removed_ids": [1]},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(world: SegmentWorld, changes: dict[str, Any]) -> None:
    before = behaviour(world)
    with pytest.raises(ValueError, match=r"must be|can be"):
        change_behaviour(world, {"token_limited": True, **changes})
    assert behaviour(world) == before
