"""The end of a read, as the platform and the operators see it."""

import logging
from collections.abc import Sequence

import pytest
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, DestinationSyncMode, FailureType, Status, SyncMode
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput, read
from airbyte_cdk.test.state_builder import StateBuilder

from unit_tests.cdp_connectors.small_source import SmallSource
from unit_tests.declarative_sources import api, waits
from unit_tests.helpers import JsonObject, catalog_of

__all__ = ["api", "waits"]

PARENTS, CHILDREN, EVENTS = (f"https://api.example.com/{path}" for path in ("parents", "children", "events"))
DENIED: JsonObject = {"status_code": 403, "json": {"error": "not in your plan"}}


def sync(
    streams: Sequence[str],
    config: JsonObject | None = None,
    states: dict[str, JsonObject] | None = None,
    mode: DestinationSyncMode = DestinationSyncMode.append,
    key: Sequence[str] = (),
) -> EntrypointOutput:
    catalog = catalog_of(streams, SyncMode.incremental)
    for stream in catalog.streams:
        stream.destination_sync_mode = mode
        stream.primary_key = [[name] for name in key]
    saved = StateBuilder()
    for stream_name, state in (states or {}).items():
        saved = saved.with_stream_state(stream_name, state)
    config = config or {"unavailable_streams": "fail"}
    source = SmallSource(catalog=catalog, config=config, state=saved.build())
    return read(source, config, catalog, saved.build())


def traces(output: EntrypointOutput) -> list[tuple[str | None, str, FailureType]]:
    errors = [message.trace.error for message in output.errors]
    return [
        (error.stream_descriptor.name if error.stream_descriptor else None, error.message, error.failure_type)
        for error in errors
    ]


def log_lines(output: EntrypointOutput) -> list[str]:
    return [message.log.message for message in output.logs]


def test_transient_errors_come_before_configuration_errors_and_each_only_once(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, json={"rows": [{"id": number} for number in range(8)]})
    for number in range(8):
        api.get(f"{CHILDREN}/{number}", **DENIED)
    api.get(EVENTS, status_code=503)

    output = sync(["children", "events"])

    stream_traces = traces(output)[:-1]
    assert stream_traces == [
        ("events", "All retries failed. Unavailable.", FailureType.transient_error),
        ("children", "Denied.", FailureType.config_error),
    ]
    emitted = [message.trace.emitted_at for message in output.errors]
    assert emitted == sorted(emitted), "Airbyte sorts them by this time"


@pytest.mark.parametrize("mode", [DestinationSyncMode.append, DestinationSyncMode.overwrite])
def test_the_last_message_says_that_overwritten_tables_keep_their_content(
    api: requests_mock.Mocker, mode: DestinationSyncMode
) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}]})
    api.get(EVENTS, **DENIED)

    _, last, failure_type = traces(sync(["parents", "events"], mode=mode))[-1]

    assert last.startswith("1 stream(s) failed; all others were read to their end.")
    assert ("keep their previous content" in last) == (mode is DestinationSyncMode.overwrite)
    assert last.endswith("events: Denied.")
    assert failure_type is FailureType.config_error


@pytest.mark.parametrize("mode", [DestinationSyncMode.append, DestinationSyncMode.overwrite])
def test_a_denied_stream_is_skipped_on_request_and_the_sync_succeeds(
    api: requests_mock.Mocker, mode: DestinationSyncMode
) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}]})
    api.get(f"{CHILDREN}/1", **DENIED)

    output = sync(["parents", "children"], {"unavailable_streams": "skip"}, mode=mode)

    assert output.errors == []
    assert output.get_stream_statuses("children")[-1] is AirbyteStreamStatus.INCOMPLETE
    assert output.get_stream_statuses("parents")[-1] is AirbyteStreamStatus.COMPLETE
    (warning,) = [line for line in log_lines(output) if line.startswith("Skipped stream children")]
    assert "Denied." in warning
    assert ("empty now" in warning) == (mode is DestinationSyncMode.overwrite)


@pytest.mark.parametrize(
    "answers",
    [
        [{"status_code": 503}],
        [{"json": {"rows": [{"id": 1}]}}, DENIED],
    ],
    ids=["unavailable for the moment", "denied after rows"],
)
def test_no_other_failure_is_skipped(api: requests_mock.Mocker, answers: list[JsonObject]) -> None:
    api.get(PARENTS, json={"rows": [{"id": number} for number in range(len(answers))]})
    for number, answer in enumerate(answers):
        api.get(f"{CHILDREN}/{number}", **answer)

    assert sync(["children"], {"unavailable_streams": "skip"}).errors


def test_a_stream_that_the_source_does_not_have_fails_alone(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}]})

    output = sync(["parents", "gone"])

    assert len(output.records) == 1
    assert [trace[0] for trace in traces(output)] == ["gone", None]
    assert "no such stream" in traces(output)[0][1]


@pytest.mark.parametrize(
    "state",
    [
        {"at": "yesterday"},
        {"at": ["2026-01-01"]},
        {"at": None},
        {"updated": "2026-01-01"},
        {"states": "none"},
        {"states": [{"partition": {"id": 1}}]},
        {"states": [{"cursor": {"at": "2026-01-01"}}]},
        {"states": [{"partition": {"id": 1}, "cursor": {"updated": "2026-01-01"}}]},
        {"state": {"at": "soon"}},
    ],
    ids=str,
)
def test_a_damaged_state_fails_only_its_stream(api: requests_mock.Mocker, state: JsonObject) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}]})

    output = sync(["parents", "events"], states={"events": state})

    stream, message, failure_type = traces(output)[0]
    assert (stream, failure_type) == ("events", FailureType.config_error)
    assert message.startswith("The saved state of this stream is damaged")
    assert message.endswith("Reset the stream.")
    assert len(output.records) == 1
    assert {request.path for request in api.request_history} == {"/parents"}


def test_a_valid_state_is_resumed(api: requests_mock.Mocker) -> None:
    api.get(EVENTS, json={"rows": [{"id": 1, "at": "2026-02-02"}]})

    assert not sync(["events"], states={"events": {"at": "2026-02-01"}}).errors


def test_the_cdk_keeps_other_fields_of_a_state(api: requests_mock.Mocker) -> None:
    api.get(EVENTS, json={"rows": [{"id": 1, "at": "2026-02-02"}]})

    output = sync(["events"], states={"events": {"at": "2026-02-01", "page": 7}})

    assert vars(output.most_recent_state.stream_state) == {"at": "2026-02-02", "page": 7}


def test_the_log_has_the_counts_of_each_stream(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}, {"id": 2}]})

    lines = log_lines(sync(["parents"]))

    assert "Stream parents: 2 rows, 1 requests, 0 retries, 0 s waited for rate limits" in lines


def test_check_names_the_streams_that_are_denied(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, json={"rows": []})
    api.get(EVENTS, **DENIED)

    source = SmallSource(config={"unavailable_streams": "fail"})
    status = source.check(logging.getLogger("airbyte"), {})

    assert status.status is Status.SUCCEEDED
    assert "cannot read 1 stream(s): events." in str(status.message)
    assert [request.path for request in api.request_history] == ["/parents", "/events"]


KEYLESS = [{"id": 1, "at": "2026-01-02"}, {"id": None, "at": "2026-01-03"}, {"at": "2026-01-04"}]


def test_a_record_without_its_key_fails_only_its_stream_if_the_destination_deduplicates(
    api: requests_mock.Mocker,
) -> None:
    api.get(EVENTS, json={"rows": KEYLESS})
    api.get(PARENTS, json={"rows": [{"id": 1}]})

    output = sync(["parents", "events"], mode=DestinationSyncMode.append_dedup, key=["id"])

    first, last = traces(output)
    assert first[0] == "events"
    assert first[1].startswith("A record of stream events has no value in its primary key (id)")
    assert first[2] is FailureType.transient_error
    assert "1 stream(s) failed; all others were read to their end." in last[1]
    assert [record.record.data["id"] for record in output.records if record.record.stream == "events"] == [1]
    assert output.get_stream_statuses("parents")[-1] is AirbyteStreamStatus.COMPLETE
    assert output.get_stream_statuses("events")[-1] is AirbyteStreamStatus.INCOMPLETE
    saved = {message.state.stream.stream_descriptor.name: message.state.stream for message in output.state_messages}
    assert vars(saved["events"].stream_state) == {"at": "2026-01-01"}, "the start: nothing was passed"


@pytest.mark.parametrize("nothing", [{}, {"id": None, "name": None}], ids=["no fields", "nulls"])
def test_a_record_without_values_fails_only_its_stream(api: requests_mock.Mocker, nothing: JsonObject) -> None:
    api.get(EVENTS, json={"rows": [{"id": 1, "at": "2026-01-02"}]})
    api.get(PARENTS, json={"rows": [{"id": 1}, nothing, {"id": 2}]})

    output = sync(["parents", "events"])

    first, last = traces(output)
    assert first[0] == "parents"
    assert first[1].startswith("A record of stream parents has no values. Run the sync again later.")
    assert first[2] is FailureType.transient_error
    assert "1 stream(s) failed; all others were read to their end." in last[1]
    assert output.get_stream_statuses("parents")[-1] is AirbyteStreamStatus.INCOMPLETE
    assert output.get_stream_statuses("events")[-1] is AirbyteStreamStatus.COMPLETE


@pytest.mark.parametrize(
    ("mode", "key"),
    [(DestinationSyncMode.append, ["id"]), (DestinationSyncMode.append_dedup, ["id", "at"])],
)
def test_without_deduplication_no_key_is_required_and_with_it_one_value_is_enough(
    api: requests_mock.Mocker, mode: DestinationSyncMode, key: list[str]
) -> None:
    api.get(EVENTS, json={"rows": KEYLESS})

    output = sync(["events"], mode=mode, key=key)

    assert (traces(output), len(output.records)) == ([], 3)


def test_a_parent_without_its_key_fails_the_child_instead_of_being_skipped(api: requests_mock.Mocker) -> None:
    api.get(PARENTS, json={"rows": [{"id": 1}, {"name": "no id"}]})
    api.get(f"{CHILDREN}/1", json={"rows": [{"id": 7}]})

    output = sync(["parents", "children"])

    stream, message, failure_type = traces(output)[0]
    assert (stream, failure_type) == ("children", FailureType.transient_error)
    assert message.startswith("Stream children is requested by the field id of stream parents, which a record does not")
    assert output.get_stream_statuses("parents")[-1] is AirbyteStreamStatus.COMPLETE
