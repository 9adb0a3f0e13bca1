"""The CDK's record selector still needs its repair, and the repair works as documented."""

import json
from typing import Any

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors import DpathExtractor, RecordSelector
from airbyte_cdk.sources.declarative.transformations import AddFields
from airbyte_cdk.sources.declarative.transformations.add_fields import AddedFieldDefinition
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.cdk_repairs.records import require_objects
from cdp_connectors.json_types import Json


@pytest.fixture
def repaired(monkeypatch: pytest.MonkeyPatch) -> None:
    transform = RecordSelector.filter_and_transform
    monkeypatch.setattr(RecordSelector, "filter_and_transform", getattr(transform, "__wrapped__", transform))
    require_objects()


def selected(answer: Json) -> list[dict[str, Any]]:
    fields = [AddedFieldDefinition(["parent_id"], "1", None, parameters={})]
    selector = RecordSelector(
        extractor=DpathExtractor(field_path=["people"], config={}, parameters={}),
        config={},
        parameters={},
        schema_normalization=TypeTransformer(TransformConfig.NoTransform),
        name="people",
        transformations=[AddFields(fields, parameters={})],
    )
    response = requests.Response()
    response._content = json.dumps(answer).encode()  # a response without a server
    return [dict(record) for record in selector.select_records(response, {}, {})]


@pytest.mark.parametrize("answer", [{"people": 3}, {"people": [{"id": 1}, "two"]}, {"people": [[]]}])
def test_the_cdk_fails_on_a_record_that_is_not_an_object(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    transform = RecordSelector.filter_and_transform
    monkeypatch.setattr(RecordSelector, "filter_and_transform", getattr(transform, "__wrapped__", transform))

    with pytest.raises((AttributeError, TypeError, ValueError)):
        selected(answer)


@pytest.mark.usefixtures("repaired")
@pytest.mark.parametrize("answer", [{"people": 3}, {"people": [{"id": 1}, "two"]}, {"people": [[]]}])
def test_a_record_that_is_not_an_object_is_a_transient_error_that_names_the_stream(answer: dict[str, Any]) -> None:
    with pytest.raises(AirbyteTracedException) as raised:
        selected(answer)

    assert raised.value.failure_type is FailureType.transient_error
    assert (raised.value.message or "").startswith(
        "A response for stream people contains a record that is not a JSON object."
    )


@pytest.mark.usefixtures("repaired")
def test_records_pass_unchanged() -> None:
    assert selected({"people": [{"id": 1}]}) == [{"id": 1, "parent_id": 1}]
