"""The manifest has the paths of Segment's reference."""

import re
from pathlib import Path

import yaml

from cdp_connectors.json_types import Json

TEXT = (Path(__file__).parents[2] / "source_segment" / "manifest.yaml").read_text()
MANIFEST = yaml.safe_load(TEXT)


def names(streams: Json) -> list[str]:
    """The names of the streams in a list, without repeating those that depend on a setting."""
    rows = [row for entry in streams for row in entry.get("streams", [entry])]
    return list(dict.fromkeys(row["$parameters"]["name"] for row in rows))


def test_every_path_is_segments_own() -> None:
    endpoints = re.findall(r"endpoint: \"?([^\",\n]*)", TEXT)

    assert len(endpoints) == len(names(MANIFEST["streams"]))
    assert all(re.fullmatch(r"(\w[\w-]*|\{\w+\})?(/(\w[\w-]*|\{\w+\}))*", endpoint) for endpoint in endpoints)
