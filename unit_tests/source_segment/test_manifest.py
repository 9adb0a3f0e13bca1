"""The manifest as a table: one row per stream, in the order in which the README presents them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cdp_connectors.json_types import Json

ROOT = Path(__file__).parents[2] / "source_segment"
TEXT = (ROOT / "manifest.yaml").read_text()
MANIFEST = yaml.safe_load(TEXT)
LONGEST_ROW = 12


def rows() -> dict[str, list[str]]:
    """The lines of each stream's row by its place, without comments and blank lines."""
    found: dict[str, list[str]] = {}
    for node in _row_nodes(yaml.compose(TEXT)):
        lines = TEXT[node.start_mark.index : node.end_mark.index].splitlines()
        place = f"line {node.start_mark.line + 1}"
        found[place] = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return found


def _row_nodes(manifest: yaml.Node) -> Iterator[yaml.Node]:
    """The rows of `lists`, which others need, and of `streams`."""
    lists = _member(_member(manifest, "definitions"), "lists")
    yield from (node for _, node in lists.value)
    known = {id(node) for _, node in lists.value}
    waiting = list(_member(manifest, "streams").value)
    while waiting:
        node = waiting.pop(0)
        if any(key.value == "condition" for key, _ in node.value):
            waiting = [*_member(node, "streams").value, *waiting]
        elif id(node) not in known:  # an alias is the node that it stands for
            yield node


def _member(node: yaml.Node, name: str) -> yaml.Node:
    return next(value for key, value in node.value if key.value == name)


def names(streams: Json) -> list[str]:
    """The names of the streams of a list, those behind a setting once."""
    rows = [row for entry in streams for row in entry.get("streams", [entry])]
    return list(dict.fromkeys(row["$parameters"]["name"] for row in rows))


@pytest.mark.parametrize(("place", "lines"), rows().items(), ids=list(rows()))
def test_a_row_fits_twelve_lines(place: str, lines: list[str]) -> None:
    assert len(lines) <= LONGEST_ROW, place


def test_streams_come_in_one_order_everywhere() -> None:
    listed = names(MANIFEST["streams"])
    parents = names(MANIFEST["definitions"]["lists"].values())
    shown = re.findall(r"^\| `(\w+)` \| `GET", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert listed == shown
    assert parents == [name for name in listed if name in parents]


def test_there_is_one_url_template() -> None:
    assert TEXT.count("config['base_url']") == 1


def test_every_path_is_segments_own() -> None:
    endpoints = re.findall(r"endpoint: \"?([^\",\n]*)", TEXT)

    assert len(endpoints) == len(names(MANIFEST["streams"]))
    assert all(re.fullmatch(r"(\w[\w-]*|\{\w+\})?(/(\w[\w-]*|\{\w+\}))*", endpoint) for endpoint in endpoints)
