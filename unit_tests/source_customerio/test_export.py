"""Exports of people: when a job fails the stream, and how a row of the file becomes a record."""

import json

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from source_customerio.components.exports import ExportedPerson, ExportStatus
from unit_tests.helpers import JsonObject

CREATED = 1795348800  # 2026-11-22 12:00 UTC


def status(export: JsonObject, date: str) -> list[object]:
    response = requests.Response()
    response.status_code = 200
    response.headers["Date"] = date
    response._content = json.dumps({"export": {"id": 7, **export}}).encode()  # noqa: SLF001 # without a server
    return list(ExportStatus(field_path=["export", "status"], config={}, parameters={}).extract_records(response))


@pytest.mark.parametrize("name", ["pending", "done"])
def test_the_status_is_that_of_the_export(name: str) -> None:
    assert status({"status": name, "created_at": CREATED}, "Sun, 22 Nov 2026 17:59:00 GMT") == [name]


def test_a_finished_export_is_used_however_long_it_took() -> None:
    assert status({"status": "done", "created_at": CREATED}, "Mon, 23 Nov 2026 17:59:00 GMT") == ["done"]


@pytest.mark.parametrize(
    ("export", "message"),
    [
        ({"status": "failed", "created_at": CREATED}, "Customer.io could not complete export 7 of people."),
        ({"status": "pending", "failed": True}, "Customer.io could not complete export 7 of people."),
        ({"status": "pending", "created_at": CREATED}, "Export 7 of people was not done after 6 hours."),
    ],
)
def test_a_failed_or_slow_export_fails_the_stream_at_once(export: JsonObject, message: str) -> None:
    with pytest.raises(AirbyteTracedException) as raised:
        status(export, "Sun, 22 Nov 2026 18:01:00 GMT")

    assert raised.value.failure_type is FailureType.config_error, "the CDK retries the job after any other failure"
    assert (raised.value.message or "").startswith(message)


def test_empty_cells_are_omitted_from_the_attributes() -> None:
    row = {"cio_id": "cio_30e00001", "email": "", "id": "", "plan": "free", "country": "", "unsubscribed": "true"}

    ExportedPerson().change(row)

    assert row == {
        "id": "",
        "cio_id": "30e00001",
        "identifiers": {"cio_id": "30e00001", "email": None, "id": None},
        "attributes": {"cio_id": "30e00001", "plan": "free"},
        "unsubscribed": True,
    }


def test_a_file_without_the_key_is_an_error() -> None:
    with pytest.raises(AirbyteTracedException, match="has no column cio_id"):
        ExportedPerson().change({"email": "reader@example.com"})
