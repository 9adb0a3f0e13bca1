"""The messages when Segment, the network or a proxy rejects a request."""

import logging

import pytest
import requests
import requests_mock
from airbyte_cdk.models import AirbyteStreamStatus, FailureType, Status
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

from source_segment import SourceSegment
from unit_tests.helpers import read_streams, rows
from unit_tests.source_segment.contracts import BY_NAME, CHILDREN, CONTRACTS
from unit_tests.source_segment.segment_api import CONFIG, EU, PARENTS, US, Contract, requests_to, serve

per_stream = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
SKIPPING = {**CONFIG, "unavailable_streams": "skip"}
USERS, GROUPS = BY_NAME["users"], BY_NAME["groups"]
OF_DESTINATIONS = [
    contract
    for contract in CONTRACTS
    if ("destinationId" in contract.added and contract.cursor) or "destinationConfigId" in contract.added
]
per_destination_stream = pytest.mark.parametrize("contract", OF_DESTINATIONS, ids=lambda contract: contract.name)
per_child = pytest.mark.parametrize("contract", CHILDREN, ids=lambda contract: contract.name)
ENVELOPE = {"errors": [{"type": "not-found", "message": "Not found"}]}
HTML = {"text": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}}
TOO_MANY = {
    "errors": [
        {
            "type": "RequestError",
            "message": "Too many requests",
            "data": {"remainingPoints": 0, "msBeforeNext": 42_000, "consumedPoints": 21},
        }
    ]
}


def serve_two_destinations(api: requests_mock.Mocker, contract: Contract, rejection: dict[str, object]) -> None:
    """List a destination `d0` before `d1`, and reject requests for it with `rejection`."""
    api.get(US + "/destinations", json=PARENTS["d1"].page("d0", "d1"))
    api.get(
        f"{US}{contract.path.replace('d1', 'd0')}?{'' if 'd1' in contract.path else 'destinationConfigId=d0'}",
        **rejection,
    )


def only_error(output: EntrypointOutput) -> tuple[FailureType | None, str]:
    """The failure type and message of the one stream that failed."""
    errors = [message.trace.error for message in output.errors if message.trace.error.stream_descriptor]
    assert len(errors) == 1
    return errors[0].failure_type, errors[0].message


@per_stream
@pytest.mark.parametrize(
    ("status", "failure_type", "words"),
    [
        (401, FailureType.config_error, ["rejected the API token", "region 'us'", "Workspace Owner"]),
        (403, FailureType.config_error, ["denied this token access", "deselect the stream"]),
    ],
)
def test_a_denied_stream_fails_alone_and_says_why(
    api: requests_mock.Mocker, contract: Contract, status: int, failure_type: FailureType, words: list[str]
) -> None:
    other = USERS if contract is GROUPS else GROUPS
    serve(api, contract, {"status_code": status, "json": {"errors": [{"type": "forbidden", "message": "no"}]}})
    api.get(US + other.path, json=other.page({"id": "g1"}))

    output = read_streams(SourceSegment, CONFIG, [contract.name, other.name])

    found_type, message = only_error(output)
    assert found_type is failure_type
    assert all(word in message for word in [*words, contract.name])
    assert len(requests_to(api, contract)) == 1
    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.INCOMPLETE
    assert output.get_stream_statuses(other.name)[-1] is AirbyteStreamStatus.COMPLETE
    assert [message.record.stream for message in output.records] == [other.name]


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        ("audit_events", "Audit Trail (Business plan"),
        ("transformations", "Protocols"),
        ("destination_subscriptions", "Destination Actions"),
        ("destination_delivery_metrics_summary", "Event Delivery"),
        ("functions", "Functions"),
        ("source_live_plugins", "Live Plugins"),
        ("spaces", "Spaces"),
        ("space_filters", "Space Filters"),
        ("audiences", "Audience"),
        ("computed_traits", "Computed Trait"),
        ("tracking_plan_rules", "Protocols"),
    ],
)
def test_a_denied_stream_names_the_plan_feature_it_needs(api: requests_mock.Mocker, name: str, feature: str) -> None:
    contract = BY_NAME[name]
    serve(api, contract, {"status_code": 403, "json": {"errors": [{"type": "forbidden"}]}})

    _, message = only_error(read_streams(SourceSegment, CONFIG, [name]))

    assert feature in message


@pytest.mark.parametrize(
    "contract", [each for each in CONTRACTS if each.name != "functions"], ids=lambda each: each.name
)
def test_an_invalid_request_is_not_retried_and_its_error_quotes_segment(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    errors = [
        {"type": "input-validation", "message": "startTime is too old", "field": "startTime"},
        {"type": "input-validation", "message": "period is malformed", "field": "period"},
    ]
    serve(api, contract, {"status_code": 422, "json": {"errors": errors}})

    failure_type, message = only_error(read_streams(SourceSegment, CONFIG, [contract.name]))

    assert failure_type is FailureType.system_error
    assert "startTime is too old; period is malformed" in message
    assert len(requests_to(api, contract)) == 1


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ({"headers": {"Retry-After": "7"}, "json": TOO_MANY}, 7),
        ({"json": TOO_MANY}, 42),
        ({"json": {"errors": [{"type": "RateLimited"}]}}, 4),
    ],
    ids=["Retry-After", "msBeforeNext", "neither"],
)
def test_a_429_is_retried_after_the_wait_that_segment_announces(
    api: requests_mock.Mocker, waits: list[float], answer: dict[str, object], wait: int
) -> None:
    serve(api, USERS, {"status_code": 429, **answer}, {"json": USERS.page({"id": "u1"})})

    output = read_streams(SourceSegment, CONFIG, ["users"])

    assert rows(output) == [{"id": "u1"}]
    assert any(wait <= waited <= wait + 4 for waited in waits)


@per_stream
@pytest.mark.parametrize("status", [429, 500, 503])
def test_every_stream_waits_and_retries(api: requests_mock.Mocker, contract: Contract, status: int) -> None:
    trouble = {"status_code": status, "json": {"errors": [{"type": "trouble"}]}}
    serve(api, contract, trouble, {"json": contract.page(contract.record)})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    assert rows(output) == [{**contract.record, **contract.added}]
    first, second = requests_to(api, contract)
    assert first == second


def test_waits_after_a_429_without_a_hint_exceed_a_minute(api: requests_mock.Mocker, waits: list[float]) -> None:
    serve(api, USERS, {"status_code": 429, "json": {"errors": []}})

    failure_type, message = only_error(read_streams(SourceSegment, CONFIG, ["users"]))

    assert failure_type is FailureType.transient_error
    assert "rate limit" in message
    assert sum(waits) > 60


@pytest.mark.parametrize(
    "trouble",
    [
        {"status_code": 500, "json": {"errors": [{"type": "unexpected"}]}},
        {"status_code": 502, **HTML},
        {"status_code": 503, "text": ""},
        {"exc": requests.ConnectionError("connection refused")},
        {"exc": requests.exceptions.ChunkedEncodingError("connection broken")},
        {"text": '{"data": {"users": [{"id"'},
    ],
    ids=["500", "502 web page", "503 empty", "refused", "cut", "cut JSON"],
)
def test_transient_errors_are_retried(api: requests_mock.Mocker, trouble: dict[str, object]) -> None:
    serve(api, USERS, trouble, trouble, {"json": USERS.page({"id": "u1"})})

    output = read_streams(SourceSegment, CONFIG, ["users"])

    assert rows(output) == [{"id": "u1"}]
    assert output.errors == []


@per_stream
def test_a_web_page_is_an_error_and_never_an_empty_table(api: requests_mock.Mocker, contract: Contract) -> None:
    serve(api, contract, HTML)

    failure_type, message = only_error(read_streams(SourceSegment, CONFIG, [contract.name]))

    assert failure_type is FailureType.config_error
    assert "returned a web page instead of" in message


@per_destination_stream
@pytest.mark.parametrize(
    "rejection",
    [
        {"type": "input-validation", "message": "Amazon S3 is not supported"},
        {"type": "ValidationFailure", "message": "Validation failure"},
    ],
    ids=["explained", "as documented"],
)
def test_a_destination_without_metrics_costs_one_request_and_a_log_line(
    api: requests_mock.Mocker, contract: Contract, rejection: dict[str, str]
) -> None:
    serve(api, contract, {"json": contract.page(contract.record)})
    serve_two_destinations(api, contract, {"status_code": 422, "json": {"errors": [rejection]}})

    output = read_streams(SourceSegment, {**CONFIG, "start_date": "2026-11-18"}, [contract.name])

    assert rows(output)
    assert output.get_stream_statuses(contract.name)[-1] is AirbyteStreamStatus.COMPLETE
    assert any(rejection["message"] in log.log.message for log in output.logs)
    assert len([request for request in api.request_history if "d0" in request.url]) == 1


@per_destination_stream
def test_a_stream_whose_destinations_are_all_rejected_quotes_segment_and_saves_no_state(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    rejection = {"errors": [{"type": "ValidationFailure", "message": "Validation failure"}]}
    serve(api, contract, {"status_code": 422, "json": rejection})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    failure_type, message = only_error(output)
    assert failure_type is FailureType.config_error
    assert "Validation failure" in message
    assert [message.state.stream.stream_state.__dict__ for message in output.state_messages] == []


@per_destination_stream
def test_a_rejected_parameter_is_not_taken_for_a_destination_without_metrics(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    errors = [{"type": "ValidationFailure", "message": '"startTime" must be within 14 days'}]
    serve(api, contract, {"json": contract.page(contract.record)})
    serve_two_destinations(api, contract, {"status_code": 422, "json": {"errors": errors}})

    failure_type, message = only_error(read_streams(SourceSegment, CONFIG, [contract.name]))

    assert failure_type is FailureType.system_error
    assert '"startTime" must be within 14 days' in message


@per_child
def test_a_404_for_every_parent_is_a_missing_feature_and_not_a_deletion(
    api: requests_mock.Mocker, contract: Contract
) -> None:
    serve(api, contract, {"status_code": 404, "json": {"errors": [{"type": "not-found", "message": "Not found"}]}})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    if contract.name == "source_live_plugins":
        assert output.errors == []
        return
    failure_type, message = only_error(output)
    assert failure_type is FailureType.config_error
    assert "Segment has no data for any of the requests" in message
    assert "The plan of the workspace may lack" in message


@pytest.mark.parametrize("status", [401, 403, 404, 407])
@pytest.mark.parametrize("name", ["transformations", "tracking_plan_rules"])
def test_a_web_page_is_reported_as_such_whatever_its_status(api: requests_mock.Mocker, name: str, status: int) -> None:
    serve(api, BY_NAME[name], {"status_code": status, **HTML})
    api.get(US + GROUPS.path, json=GROUPS.page({"id": "g1"}))

    output = read_streams(SourceSegment, SKIPPING, [name, "groups"])

    failure_type, message = only_error(output)
    assert failure_type is FailureType.config_error
    assert "returned a web page" in message


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("transformations", 403),
        ("transformations", 404),
        ("tracking_plan_rules", 404),
        ("audience_schedules", 404),
        ("space_events", 404),
    ],
)
def test_a_feature_that_the_plan_lacks_is_skipped_if_configured(
    api: requests_mock.Mocker, name: str, status: int
) -> None:
    serve(api, BY_NAME[name], {"status_code": status, "json": ENVELOPE})
    api.get(US + GROUPS.path, json=GROUPS.page({"id": "g1"}))

    output = read_streams(SourceSegment, SKIPPING, [name, "groups"])

    assert output.errors == []
    assert output.get_stream_statuses(name)[-1] is AirbyteStreamStatus.INCOMPLETE
    assert any(line.log.message.startswith(f"Skipped stream {name}, as configured.") for line in output.logs)


@pytest.mark.parametrize("name", ["source_settings", "warehouse_syncs", "users"])
def test_a_404_for_a_feature_of_every_plan_is_not_skipped(api: requests_mock.Mocker, name: str) -> None:
    serve(api, BY_NAME[name], {"status_code": 404, "json": ENVELOPE})
    api.get(US + GROUPS.path, json=GROUPS.page({"id": "g1"}))

    only_error(read_streams(SourceSegment, SKIPPING, [name, "groups"]))


@pytest.mark.parametrize("names", [["transformations"], ["transformations", "tracking_plans"]])
def test_a_404_for_every_stream_is_a_wrong_url_and_is_not_skipped(api: requests_mock.Mocker, names: list[str]) -> None:
    api.get(requests_mock.ANY, status_code=404, json=ENVELOPE)

    output = read_streams(SourceSegment, SKIPPING, names)

    assert {error.trace.error.failure_type for error in output.errors} == {FailureType.config_error}


@pytest.mark.parametrize("name", ["destination_delivery_metrics_summary", "delivery_overview_failed_delivery"])
def test_rejections_of_every_destination_are_not_skipped(api: requests_mock.Mocker, name: str) -> None:
    serve(api, BY_NAME[name], {"status_code": 422, "json": ENVELOPE})

    only_error(read_streams(SourceSegment, SKIPPING, [name]))


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("name", ["audit_events", "transformations", "tracking_plan_rules", "audiences"])
def test_the_error_names_a_missing_feature_whatever_the_status(
    api: requests_mock.Mocker, name: str, status: int
) -> None:
    features = {"audit_events": "Audit Trail", "audiences": "Audience"}
    serve(api, BY_NAME[name], {"status_code": status, "json": {"errors": [{"type": "x", "message": "no"}]}})

    failure_type, message = only_error(read_streams(SourceSegment, CONFIG, [name]))

    assert failure_type is FailureType.config_error
    assert features.get(name, "Protocols") in message


def test_a_denied_stream_requests_no_further_parent_and_keeps_what_it_has_read(api: requests_mock.Mocker) -> None:
    contract = BY_NAME["source_connected_warehouses"]
    parents = [f"s{number}" for number in range(1, 301)]
    serve(api, contract, {"json": contract.page(contract.record)})
    api.get(US + "/sources", json=PARENTS["s1"].page(*parents))
    for name in parents[1:]:
        api.get(f"{US}/sources/{name}/connected-warehouses", status_code=403, json={"errors": []})

    output = read_streams(SourceSegment, CONFIG, [contract.name])

    only_error(output)
    assert rows(output) == [{**contract.record, **contract.added}]
    denied = [request for request in api.request_history if request.path.endswith("connected-warehouses")]
    assert len(denied) <= 40  # requests in flight in 32 workers


def test_a_rejected_list_of_parents_is_not_taken_for_a_destination_without_metrics(api: requests_mock.Mocker) -> None:
    contract = BY_NAME["destination_delivery_metrics_summary"]
    serve(api, contract, {"json": contract.page(contract.record)})
    api.get(US + "/destinations", status_code=422, json={"errors": [{"type": "ValidationFailure", "message": "no"}]})

    failure_type, message = only_error(read_streams(SourceSegment, CONFIG, [contract.name]))

    assert failure_type is FailureType.system_error
    assert "stream destinations" in message


def test_a_function_type_that_segment_rejects_is_skipped_alone(api: requests_mock.Mocker) -> None:
    functions = BY_NAME["functions"]
    rejection = {
        "errors": [{"type": "input-validation", "message": "resourceType is invalid", "field": "resourceType"}]
    }
    serve(api, functions, {"json": functions.page(functions.record)})
    for name in ("INSERT_SOURCE", "INSERT_TRANSFORMATION"):
        api.get(f"{US}/functions?resourceType={name}", status_code=422, json=rejection)

    output = read_streams(SourceSegment, CONFIG, ["functions"])

    assert rows(output) == [{**functions.record, **functions.added}]
    assert output.errors == []
    assert len([log for log in output.logs if log.log.message.startswith("Segment has no data")]) == 2


def test_check_requests_one_page_per_stream_and_names_what_the_token_cannot_read(api: requests_mock.Mocker) -> None:
    api.get(requests_mock.ANY, status_code=403, json={"errors": [{"type": "forbidden"}]})
    api.get(US + "/", json={"data": {"workspace": {"id": "w", "slug": "w", "name": "w"}}})

    status = SourceSegment(config=CONFIG).check(logging.getLogger(), CONFIG)

    paths = [request.path for request in api.request_history]
    assert status.status is Status.SUCCEEDED
    assert "cannot read" in str(status.message)
    assert "tracking_plans" in str(status.message)
    assert paths[0] == "/"
    assert paths.count("/") == 1
    assert "/tracking-plans" in paths


def test_check_explains_a_rejected_token(api: requests_mock.Mocker) -> None:
    config = {**CONFIG, "region": "eu"}
    for url in (US, EU):
        api.get(url + "/", status_code=401, json={"errors": [{"type": "unauthorized"}]})

    status = SourceSegment(config=config).check(logging.getLogger(), config)

    assert status.status is Status.FAILED
    assert status.message.startswith("Segment rejected the API token in region 'eu'")
    assert "Check that Region is the region of the token's workspace" in status.message


def test_check_finds_the_region_of_a_token(api: requests_mock.Mocker) -> None:
    api.get(US + "/", status_code=401, json={"errors": [{"type": "unauthorized"}]})
    api.get(EU + "/", json={"data": {"workspace": {"id": "w", "slug": "w", "name": "w"}}})

    status = SourceSegment(config=CONFIG).check(logging.getLogger(), CONFIG)

    assert status.status is Status.FAILED
    assert status.message == "The API token belongs to a workspace in the other region. Set Region to 'eu'."


def test_a_token_is_never_sent_elsewhere_when_an_api_url_is_set(api: requests_mock.Mocker) -> None:
    config = {**CONFIG, "api_url": "https://proxy.example.com"}
    api.get("https://proxy.example.com/", status_code=401, json={"errors": [{"type": "unauthorized"}]})

    assert SourceSegment(config=config).check(logging.getLogger(), config).status is Status.FAILED
    assert {request.hostname for request in api.request_history} == {"proxy.example.com"}


def test_check_gives_up_soon_when_the_api_is_unreachable(api: requests_mock.Mocker, waits: list[float]) -> None:
    api.get(US + "/", exc=requests.ConnectionError("Name or service not known"))

    status = SourceSegment(config=CONFIG).check(logging.getLogger(), CONFIG)

    assert status.status is Status.FAILED
    assert sum(waits) < 30


@pytest.mark.parametrize("pagination", [1.5, "next", ["next"]])
def test_pagination_of_the_wrong_type_fails_the_stream_with_a_message(
    api: requests_mock.Mocker, pagination: object
) -> None:
    page = USERS.page({"id": "u1"})
    api.get(US + USERS.path, json={"data": {**page["data"], "pagination": pagination}})

    output = read_streams(SourceSegment, CONFIG, ["users"])

    failure_type, message = only_error(output)
    assert failure_type is FailureType.transient_error
    assert message.startswith("A response for stream users does not have the documented form.")
