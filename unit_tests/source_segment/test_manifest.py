"""The manifest lists streams in the order of the README, with the paths of Segment's reference."""

import re
from pathlib import Path

import yaml

from cdp_connectors.json_types import Json

ROOT = Path(__file__).parents[2] / "source_segment"
TEXT = (ROOT / "manifest.yaml").read_text()
MANIFEST = yaml.safe_load(TEXT)


def names(streams: Json) -> list[str]:
    """The names of the streams in a list, without repeating those that depend on a setting."""
    rows = [row for entry in streams for row in entry.get("streams", [entry])]
    return list(dict.fromkeys(row["$parameters"]["name"] for row in rows))


def test_manifest_and_readme_list_the_streams_in_the_same_order() -> None:
    listed = names(MANIFEST["streams"])
    parents = names(MANIFEST["definitions"]["lists"].values())
    shown = re.findall(r"^\| `(\w+)` \| `GET", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert listed == shown
    assert parents == [name for name in listed if name in parents]


def test_every_path_is_segments_own() -> None:
    endpoints = re.findall(r"endpoint: \"?([^\",\n]*)", TEXT)

    assert len(endpoints) == len(names(MANIFEST["streams"]))
    assert all(re.fullmatch(r"(\w[\w-]*|\{\w+\})?(/(\w[\w-]*|\{\w+\}))*", endpoint) for endpoint in endpoints)
