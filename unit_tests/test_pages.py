"""The pages of the sources share one skeleton and one table of settings; the destination's has a test of its own."""

import re
from pathlib import Path

import pytest
import yaml

from cdp_connectors.json_types import Json

ROOT = Path(__file__).parents[1]
SOURCES = ("source_segment", "source_customerio", "source_heap")
SKELETON = [
    "Prerequisites",
    "Setup guide",
    "Supported sync modes",
    "Supported streams",
    "Performance",
    "Behaviours worth knowing",
    "Differences from Qlik/Stitch",
    "Endpoints not read",
    "Limitations and troubleshooting",
    "IP allow list",
    "Changelog",
]


def page(package: str) -> str:
    return (ROOT / package / "README.md").read_text()


def form(package: str) -> Json:
    return yaml.safe_load((ROOT / package / "manifest.yaml").read_text())["spec"]["connection_specification"]


@pytest.mark.parametrize("package", SOURCES)
def test_the_sections_are_those_of_every_source(package: str) -> None:
    sections = re.findall(r"^## (.+)$", page(package), re.MULTILINE)
    assert [section for section in sections if section in SKELETON] == SKELETON


@pytest.mark.parametrize("package", SOURCES)
def test_the_settings_are_those_of_the_form_in_its_order(package: str) -> None:
    shown = {name: field for name, field in form(package)["properties"].items() if not field.get("airbyte_hidden")}
    in_form = sorted(shown, key=lambda name: shown[name]["order"])
    table = page(package).partition("| setting | field | required | default | description |\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([^|]+) \| `(\w+)` \| (yes|no) \|", table, re.MULTILINE)

    assert [(title, name) for title, name, _ in rows] == [(shown[name]["title"], name) for name in in_form]
    assert [name for _, name, required in rows if required == "yes"] == form(package)["required"]
