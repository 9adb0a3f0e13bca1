"""Rejections of one parent and of a whole stream, and rate limits, which are not failures."""

from collections import Counter

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_customerio.customerio_api import CONFIG, US, errors_by_stream, last_status, only_error

STREAM = "campaign_actions"
BUSY = {"status_code": 429, "headers": {"Retry-After": "1"}, "json": {"errors": [{"status": "429"}]}}


def rejection(status: int, detail: str = "no") -> JsonObject:
    return {"status_code": status, "json": {"errors": [{"detail": detail, "status": str(status)}]}}


def serve_campaigns(api: requests_mock.Mocker, count: int, answer: JsonObject, others: dict[int, JsonObject]) -> None:
    """Serve `count` campaigns, with `answer` for their actions except those of `others`."""
    api.get(US + "/campaigns", json={"campaigns": [{"id": number} for number in range(1, count + 1)]})
    for number in range(1, count + 1):
        api.get(f"{US}/campaigns/{number}/actions", **others.get(number, answer))


def requested(api: requests_mock.Mocker) -> int:
    return sum(request.path.endswith("/actions") for request in api.request_history)


ONE_ACTION = {"json": {"actions": [{"id": 1}]}}


@pytest.mark.parametrize("status", [401, 402, 403, 451])
def test_a_stream_that_is_rejected_as_a_whole_requests_no_further_parent(
    api: requests_mock.Mocker, status: int
) -> None:
    serve_campaigns(api, 200, rejection(status), {})

    output = read_streams(SourceCustomerio, CONFIG, [STREAM])

    assert requested(api) <= 20  # one for each worker
    [(failure_type, _)] = errors_by_stream(output)[STREAM]
    assert failure_type is FailureType.config_error


def test_five_failures_in_a_row_end_the_stream(api: requests_mock.Mocker) -> None:
    serve_campaigns(api, 200, rejection(500), {})

    output = read_streams(SourceCustomerio, {**CONFIG, "retries": 0}, [STREAM])

    assert requested(api) < 60
    [(failure_type, message)] = errors_by_stream(output)[STREAM]
    assert failure_type is FailureType.transient_error
    assert "Customer.io is temporarily unavailable" in message


@pytest.mark.parametrize("status", [400, 404])
def test_one_rejected_parent_loses_only_its_own_rows(api: requests_mock.Mocker, status: int) -> None:
    serve_campaigns(api, 3, ONE_ACTION, {2: rejection(status, "invalid campaign")})

    output = read_streams(SourceCustomerio, CONFIG, [STREAM])

    assert {row["campaign_id"] for row in rows(output)} == {1, 3}
    assert last_status(output, STREAM) is AirbyteStreamStatus.COMPLETE
    logs = [each.log.message for each in output.logs if f"Skipped in stream {STREAM}" in each.log.message]
    assert "/campaigns/2/actions" in logs[0]
    assert "1 parents skipped" in logs[-1]


@pytest.mark.parametrize(("status", "count"), [(400, 5), (404, 20)])
def test_a_stream_whose_parents_are_all_unknown_is_an_error_and_not_an_empty_table(
    api: requests_mock.Mocker, status: int, count: int
) -> None:
    serve_campaigns(api, 60, rejection(status, "what is that"), {})

    output = read_streams(SourceCustomerio, CONFIG, [STREAM])

    failure_type, message = only_error(output)
    assert failure_type is FailureType.system_error
    assert f"rejected the requests of stream {STREAM} as invalid: what is that." in message
    assert count <= requested(api) <= count + 20


def test_twenty_deleted_parents_among_others_are_not_an_error(api: requests_mock.Mocker) -> None:
    gone = {number: rejection(404) for number in range(2, 40)}
    serve_campaigns(api, 40, ONE_ACTION, gone)

    assert len(rows(read_streams(SourceCustomerio, CONFIG, [STREAM]))) == 2


def test_a_wait_for_the_shared_limit_is_not_a_failed_attempt(api: requests_mock.Mocker, waits: list[float]) -> None:
    api.get(US + "/segments", [*[BUSY] * 20, rejection(503), *[BUSY] * 20, {"json": {"segments": [{"id": 1}]}}])

    output = read_streams(SourceCustomerio, CONFIG, ["segments"])

    assert len(rows(output)) == 1
    assert len(set(waits)) > 20, "clients that share a limit must not all come back at the same moment"


def test_the_error_of_a_persistent_rate_limit_names_the_setting(api: requests_mock.Mocker) -> None:
    api.get(US + "/segments", **BUSY)

    failure_type, message = only_error(read_streams(SourceCustomerio, CONFIG, ["segments"]))

    assert failure_type is FailureType.transient_error
    assert "Lower Rate Limit Share" in message


def test_other_failures_are_retried_five_times(api: requests_mock.Mocker) -> None:
    api.get(US + "/segments", **rejection(503))

    read_streams(SourceCustomerio, CONFIG, ["segments"])

    assert len(api.request_history) == 6


def test_a_missing_optional_field_costs_no_retry(api: requests_mock.Mocker) -> None:
    api.get(US + "/sender_identities", json={"sender_identities": [{"id": 8}], "next": ""})
    api.get(US + "/sender_identities/8/used_by", json={"sent_newsletters": [5]})

    output = read_streams(SourceCustomerio, CONFIG, ["sender_usage"])

    assert rows(output) == [{"sender_id": 8, "sent_newsletters": [5]}]


@pytest.mark.parametrize("state", [{"updated": "yesterday"}, {"updated": []}, {"timestamp": 5}, {"updated": None}])
def test_the_error_of_a_damaged_state_names_the_remedy(api: requests_mock.Mocker, state: JsonObject) -> None:
    api.get(US + "/campaigns", json={"campaigns": []})

    output = read_streams(SourceCustomerio, CONFIG, ["campaigns"], {"campaigns": state})

    messages = [trace.trace.error.message for trace in output.errors]
    assert "The saved state of this stream is damaged" in messages[0]
    assert "Reset the stream." in messages[0]


FOLDERS = {"": ["a", "b"], "a": ["c"], "b": [], "c": []}
FILES = {"": [1], "a": [2], "b": [1, 3], "c": [4]}


@pytest.mark.parametrize("lists_everything", [True, False])
@pytest.mark.parametrize(
    ("stream", "path", "key"),
    [("assets", "assets", "assets"), ("design_studio_emails", "design_studio/emails", "emails")],
)
def test_a_list_is_read_folder_by_folder_and_each_row_once(
    api: requests_mock.Mocker, stream: str, path: str, key: str, *, lists_everything: bool
) -> None:
    def listed(of: dict[str, list[object]], name: str):  # noqa: ANN202 # a callback of requests_mock
        def answer(request: object, _: object) -> JsonObject:
            folder = request.qs.get("parent_folder_id", [""])[0]
            below = [each for rows_ in of.values() for each in rows_] if lists_everything and not folder else of[folder]
            return {name: [{"id": each, "updated": 1795132800} for each in below]}

        return answer

    api.get(f"{US}/{path}", json=listed(FILES, key))
    api.get(
        f"{US}/{path.replace('emails', 'folders') if 'emails' in path else 'assets/folders'}",
        json=listed(FOLDERS, "folders"),
    )

    output = read_streams(SourceCustomerio, CONFIG, [stream])

    assert Counter(row["id"] for row in rows(output)) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_a_folder_that_was_deleted_during_the_sync_has_no_rows(api: requests_mock.Mocker) -> None:
    api.get(f"{US}/assets", json={"assets": [{"id": 1, "updated": 1795132800}]})
    api.get(f"{US}/assets/folders", json={"folders": [{"id": "a"}]})
    for path in ("assets", "assets/folders"):
        api.get(f"{US}/{path}?parent_folder_id=a", **rejection(404))

    output = read_streams(SourceCustomerio, CONFIG, ["assets"])

    assert [row["id"] for row in rows(output)] == [1]
    assert last_status(output, "assets") is AirbyteStreamStatus.COMPLETE


@pytest.mark.parametrize("known_as", ["30e00001", "cio_30e00001"])
@pytest.mark.parametrize("listed_as", ["30e00001", "cio_30e00001"])
def test_people_are_requested_by_the_form_that_is_known(
    api: requests_mock.Mocker, known_as: str, listed_as: str
) -> None:
    def attributes(request: object, _: object) -> JsonObject:
        ids = request.json()["ids"]
        return {"customers": [{"identifiers": {"cio_id": listed_as}} for each in ids if each == known_as]}

    api.post(US + "/customers", json={"identifiers": [{"cio_id": listed_as}], "next": ""})
    api.post(US + "/customers/attributes", json=attributes)
    for form in ("30e00001", "cio_30e00001"):
        api.get(f"{US}/customers/{form}/segments", **rejection(404))
    api.get(f"{US}/customers/{known_as}/segments", json={"segments": [{"id": 4}]})

    output = read_streams(SourceCustomerio, CONFIG, ["customers", "person_segments"])

    found = {message.record.stream: message.record.data for message in output.records}
    assert found["customers"]["cio_id"] == found["person_segments"]["cio_id"] == "30e00001"
    assert found["customers"]["identifiers"]["cio_id"] == "30e00001"
    assert output.errors == []
