"""The manifest as a table: one row per stream, in the order in which the README presents them."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2] / "source_segment"
TEXT = (ROOT / "manifest.yaml").read_text()
MANIFEST = yaml.safe_load(TEXT)
LONGEST_ROW = 12
BEHIND_A_SETTING = {"sources_with_write_keys": "sources", "function_versions_with_code": "function_versions"}


def rows() -> dict[str, list[str]]:
    """The lines of each stream's row, without comments and blank lines."""
    table = TEXT.partition("\n  streams:\n")[2].partition("\nstreams:\n")[0]
    found: dict[str, list[str]] = {}
    for line in table.splitlines():
        if heading := re.match(r"    (\w+):", line):
            found[heading[1]] = []
        if found and line.strip() and not line.lstrip().startswith("#"):
            found[list(found)[-1]].append(line)
    return found


@pytest.mark.parametrize(("name", "lines"), rows().items(), ids=list(rows()))
def test_a_row_fits_twelve_lines(name: str, lines: list[str]) -> None:
    assert len(lines) <= LONGEST_ROW, name


def test_streams_come_in_one_order_everywhere() -> None:
    defined = list(dict.fromkeys(BEHIND_A_SETTING.get(name, name) for name in rows()))
    listed = re.findall(r"#/definitions/streams/(\w+)", TEXT.partition("\nstreams:\n")[2])
    shown = re.findall(r"^\| `(\w+)` \| `GET", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert list(dict.fromkeys(BEHIND_A_SETTING.get(name, name) for name in listed)) == defined
    assert shown == defined


def test_there_is_one_url_template() -> None:
    assert TEXT.count("config['base_url']") == 1


def test_every_path_is_segments_own() -> None:
    endpoints = [
        stream["$parameters"]["endpoint"]
        for stream in MANIFEST["definitions"]["streams"].values()
        if "$parameters" in stream
    ]

    assert all(re.fullmatch(r"(\w[\w-]*|\{\w+\})?(/(\w[\w-]*|\{\w+\}))*", endpoint) for endpoint in endpoints)
