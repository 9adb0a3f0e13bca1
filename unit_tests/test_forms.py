"""Airbyte can render the configuration forms of all connectors."""

import logging

import pytest
import yaml

from cdp_connectors.json_types import JsonObject
from destination_segment import DestinationSegment
from unit_tests.forms import form_problems
from unit_tests.test_metadata import SOURCES, folder

OPTION_A = {"type": "object", "title": "A", "properties": {"k": {"type": "string", "const": "a"}}, "required": ["k"]}
OPTION_B = {"type": "object", "title": "B", "properties": {"k": {"type": "string", "const": "b"}}, "required": ["k"]}


def specification(name: str) -> JsonObject:
    if name == "destination-segment":
        spec: JsonObject = DestinationSegment().spec(logging.getLogger("airbyte")).connectionSpecification
    else:
        manifest = yaml.safe_load((folder(name) / "manifest.yaml").read_text())
        spec = manifest["spec"]["connection_specification"]
    return spec


@pytest.mark.parametrize("name", [*SOURCES, "destination-segment"])
def test_the_form_can_be_rendered(name: str) -> None:
    assert list(form_problems(specification(name))) == []


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ({"type": "array", "items": {"type": "object", "oneOf": [OPTION_A, OPTION_B]}}, "items that are a oneOf"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, "an array of arrays"),
        ({"type": "array"}, "an array needs items"),
        ({"oneOf": [OPTION_A, OPTION_B]}, "a oneOf must be an object"),
        ({"type": "object", "oneOf": [OPTION_A, {"type": "object", "title": "C"}]}, "share no constant"),
        ({"type": "object", "oneOf": [OPTION_A, {**OPTION_B, "required": []}]}, "the constant must be required"),
        ({"type": "object", "oneOf": [OPTION_A, {**OPTION_B, "title": ""}]}, "an option has no title"),
        ({"type": ["string", "null"]}, "needs one type"),
        ({"type": "string", "anyOf": []}, "anyOf cannot be rendered"),
        ({"type": "integer", "exclusiveMinimum": 0}, "exclusive bounds are ignored"),
        ({"type": "string", "format": "date-time", "pattern": "^.*$"}, "a date picker would appear"),
    ],
)
def test_schemas_that_airbyte_cannot_render_are_found(field: JsonObject, problem: str) -> None:
    found = list(form_problems({"type": "object", "properties": {"f": field}}))
    assert any(problem in each for each in found), found


def test_a_oneof_inside_the_items_of_an_array_can_be_rendered() -> None:
    items = {"type": "object", "properties": {"call": {"type": "object", "oneOf": [OPTION_A, OPTION_B]}}}
    assert list(form_problems({"type": "object", "properties": {"f": {"type": "array", "items": items}}})) == []
