"""The switches of the simulated Segment API."""

import pytest

from cdp_connectors.json_types import JsonObject
from sandbox.segment.access import GATES
from sandbox.segment.behaviour import Behaviour, Gate
from sandbox.segment.world import SegmentWorld


def test_only_the_given_switches_change(world: SegmentWorld) -> None:
    assert world.switches() == Behaviour().switches()
    world.change({"gates": ["protocols"], "rate_limit": 30})
    world.change({"rate_limit": None, "removed_ids": ["a", "b"]})
    assert world.switches() == Behaviour().switches() | {"gates": ["protocols"], "removed_ids": ["a", "b"]}
    assert world.gates == {"protocols"}


@pytest.mark.parametrize(
    "changes",
    [
        {"gate": ["protocols"]},
        {"gates": ["engage"]},
        {"gates": "protocols"},
        {"gate_status": 500},
        {"rate_limit": 0},
        {"rate_limit": True},
        {"token_limited": 1},
        {"endpoint_limits": None},
        {"largest_count": "200"},
        {"removed_ids": [1]},
        {"after_last_page": "more"},
    ],
)
def test_an_invalid_switch_changes_nothing(world: SegmentWorld, changes: JsonObject) -> None:
    with pytest.raises(ValueError, match=r"is invalid|is unknown"):
        world.change({"token_limited": True, **changes})
    assert world.switches() == Behaviour().switches()


def test_every_feature_has_its_name() -> None:
    assert set(GATES) == set(Gate.__args__)
