"""Check that the sandbox's README describes its switches."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import sandbox
from sandbox.api.faults import Faults
from sandbox.customerio.behaviour import Behaviour as CustomerioBehaviour
from sandbox.segment.behaviour import Behaviour as SegmentBehaviour
from sandbox.segment_tracking.behaviour import Behaviour as TrackingBehaviour

README = (Path(sandbox.__file__).parent / "README.md").read_text()


def rows_of(table: str) -> set[str]:
    """The names in the first column of the table whose heading contains the path."""
    _, _, rest = README.partition(f"| field of `{table}` |")
    first_columns = [line.split("|")[1] for line in rest.partition("\n\n")[0].splitlines()[2:]]
    return {name for column in first_columns for name in re.findall("`(.+?)`", column)}


@pytest.mark.parametrize(
    ("path", "switches"),
    [
        ("/_sandbox/faults", Faults),
        ("/_sandbox/customerio", CustomerioBehaviour),
        ("/_sandbox/segment", SegmentBehaviour),
        ("/_sandbox/segment-tracking", TrackingBehaviour),
    ],
)
def test_every_switch_is_described(
    path: str, switches: type[Faults | CustomerioBehaviour | SegmentBehaviour | TrackingBehaviour]
) -> None:
    assert rows_of(path) == {field.name for field in fields(switches)}
