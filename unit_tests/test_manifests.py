"""The manifests as tables: their order, rows of at most twelve lines, and one URL template per vendor."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from cdp_connectors.json_types import Json

ROOT = Path(__file__).parents[1]
MANIFESTS = {name: (ROOT / name / "manifest.yaml").read_text() for name in ("source_segment", "source_customerio")}
LONGEST_ROW = 12
SECTIONS = ["rates", "errors", "requests", "parents", "transformations", "bases", "streams"]


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
    waiting = [*_members(definitions["rows"]).values(), *_members(manifest)["streams"].value]
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


def names(package: str, streams: Iterable[Json]) -> list[str]:
    """The names of the streams in a list, without repeating those that depend on a setting."""
    definitions = yaml.safe_load(MANIFESTS[package])["definitions"]
    found = []
    for row in (row for entry in streams for row in entry.get("streams", [entry])):
        parameters = row.get("$parameters", row)
        shared = parameters.get("$ref", "").rpartition("/")[2]
        found.append((definitions["lists"][shared] if shared else parameters)["name"])
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("package", MANIFESTS)
def test_streams_have_the_same_order_everywhere(package: str) -> None:
    manifest = yaml.safe_load(MANIFESTS[package])
    listed = names(package, manifest["streams"])
    shown = re.findall(r"^\| `(\w+)` \| `(?:GET|POST)", (ROOT / package / "README.md").read_text(), re.MULTILINE)

    assert listed == shown
    for section in ("lists", "rows"):
        above = names(package, manifest["definitions"].get(section, {}).values())
        assert above == [name for name in listed if name in above]
    groups = [stream["name"] for group in manifest.get("stream_groups", {}).values() for stream in group["streams"]]
    assert groups == [name for name in listed if name in groups]


@pytest.mark.parametrize("package", MANIFESTS)
def test_both_manifests_have_the_same_sections(package: str) -> None:
    assert re.findall(r"^ *# ---- (\w+)", MANIFESTS[package], re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("package", MANIFESTS)
def test_there_is_one_url_template(package: str) -> None:
    assert MANIFESTS[package].count("config['base_url']") == 1
