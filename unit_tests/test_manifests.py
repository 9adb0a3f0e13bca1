"""The manifests as tables: a row of at most twelve lines per stream, and one URL template per vendor."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MANIFESTS = {name: (ROOT / name / "manifest.yaml").read_text() for name in ("source_segment", "source_customerio")}
LONGEST_ROW = 12
ABOVE_THE_TABLE = ("lists", "rows")
"""The definitions that contain the rows of streams by which other streams are read."""


def rows(package: str) -> dict[str, list[str]]:
    """The lines of each stream's row, without comments and blank lines, by its place in the manifest."""
    found: dict[str, list[str]] = {}
    for node in _row_nodes(yaml.compose(MANIFESTS[package])):
        lines = MANIFESTS[package][node.start_mark.index : node.end_mark.index].splitlines()
        place = f"{package}, line {node.start_mark.line + 1}"
        found[place] = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return found


def _row_nodes(manifest: yaml.Node) -> Iterator[yaml.Node]:
    definitions = _members(_members(manifest)["definitions"])
    waiting = [
        *(node for name in ABOVE_THE_TABLE if name in definitions for node in _members(definitions[name]).values()),
        *_members(manifest)["streams"].value,
    ]
    seen = set()
    while waiting:
        node = waiting.pop(0)
        if "condition" in (members := _members(node)):
            waiting = [*members["streams"].value, *waiting]
        elif id(node) not in seen:  # an alias and its anchor are the same node
            seen.add(id(node))
            yield node


def _members(node: yaml.Node) -> dict[str, yaml.Node]:
    return {key.value: value for key, value in node.value}


ROWS = {place: lines for package in MANIFESTS for place, lines in rows(package).items()}


@pytest.mark.parametrize("place", ROWS)
def test_a_row_fits_twelve_lines(place: str) -> None:
    assert len(ROWS[place]) <= LONGEST_ROW


@pytest.mark.parametrize("package", MANIFESTS)
def test_there_is_one_url_template(package: str) -> None:
    assert MANIFESTS[package].count("config['base_url']") == 1
