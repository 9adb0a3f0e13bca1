"""The connector's pages: every recipe does what it shows, and the README matches the spec."""

import re
from pathlib import Path

import orjson
import pytest
from requests_mock import Mocker

import destination_segment
from cdp_connectors.json_types import Json, JsonObject
from destination_segment.configuration.config import parse_config
from destination_segment.configuration.spec_form import config_schema
from unit_tests.destination_segment.segment_writes import catalog_of, config_of, record, sent_items, write

FOLDER = Path(destination_segment.__file__).parent
README = (FOLDER / "README.md").read_text()
SECTIONS = re.split(r"^## ", (FOLDER / "RECIPES.md").read_text(), flags=re.MULTILINE)[1:]
SKELETON = [
    "Prerequisites",
    "Setup guide",
    "Supported sync modes",
    "Mappings",
    "Data type map",
    "Records that cannot be sent",
    "Performance",
    "Behaviours worth knowing",
    "Limitations and troubleshooting",
    "IP allow list",
    "Changelog",
]


def block(section: str, kind: str) -> Json:
    found = re.search(rf"^```json {kind}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    assert found, kind
    return orjson.loads(found[1])


RECIPES = {section.partition("\n")[0]: section for section in SECTIONS if "```json mapping" in section}


def test_every_section_is_a_recipe() -> None:
    assert [section.partition("\n")[0] for section in SECTIONS if "```json mapping" not in section] == [
        "Send rejected records again"  # run by test_rejected_records
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_sends_what_it_shows(api: Mocker, name: str) -> None:
    mapping, data, expected = (block(RECIPES[name], kind) for kind in ("mapping", "record", "sent"))
    config = config_of(mapping, public_api_token="sandbox-token" if mapping["call"].get("api") == "public" else None)
    api.get(
        "https://api.segmentapis.com/sources", json={"data": {"sources": [{"slug": "s", "writeKeys": ["sandbox-key"]}]}}
    )
    if "url" in expected:
        api.register_uri(expected["method"], expected["url"], json={"success": True})
    catalog = catalog_of(mapping["stream"], list(data))
    assert write(config, catalog, [record(data, mapping["stream"])]).error is None
    if "url" not in expected:
        [item] = sent_items(api)
        assert item.pop("messageId").startswith("airbyte-")
        assert item == expected
        return
    request = api.request_history[-1]
    body: JsonObject = {name: value for name, value in request.json().items() if name != "messageId"}
    assert (request.method, request.url, body) == (expected["method"], expected["url"], expected["body"])
    assert {name: request.headers[name] for name in expected["headers"]} == expected["headers"]


def test_the_example_of_the_readme_is_a_configuration() -> None:
    [example] = re.findall(r"^```json\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    parse_config(orjson.loads(example) | {"write_key": "sandbox-key"})


def test_the_readme_lists_the_settings_in_the_order_of_the_form() -> None:
    properties = config_schema()["properties"]
    in_form = sorted(properties, key=lambda name: properties[name]["order"])
    rows = re.findall(r"^\| ([\w ]+) \| `(\w+)` \| (yes|no) \|", README, flags=re.MULTILINE)
    assert [(title, name) for title, name, _ in rows] == [(properties[name]["title"], name) for name in in_form]
    assert [name for _, name, required in rows if required == "yes"] == config_schema()["required"]


def test_the_sections_are_those_of_every_connector() -> None:
    assert README.startswith("# Segment destination\n")
    assert re.findall(r"^## (.+)$", README, flags=re.MULTILINE) == SKELETON


def test_every_call_type_and_condition_is_described() -> None:
    mapping = config_schema()["properties"]["mappings"]["items"]["properties"]
    for name, key in (("call", "call_type"), ("send_when", "condition")):
        for option in mapping[name]["oneOf"]:
            assert f"`{option['properties'][key]['const']}`" in README


def test_the_reasons_are_numbered_and_the_readme_refers_to_existing_ones() -> None:
    numbers = [
        int(number) for number in re.findall(r"^(\d+)\. \*\*", (FOLDER / "REASONS.md").read_text(), re.MULTILINE)
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {int(number) for number in re.findall(r"\[(\d+)\]", README)} <= set(numbers)
