"""Any other request of Segment's APIs."""

import orjson
import pytest
from airbyte_cdk.models import FailureType
from requests_mock import Mocker

from unit_tests.destination_segment.segment_writes import JsonObject, catalog_of, config_of, record, state, write

GROUP_URL = "https://api.segment.io/v1/group"
SOURCES_URL = "https://api.segmentapis.com/sources"
REGULATIONS_URL = "https://api.segmentapis.com/regulations"


def api_call(**settings: object) -> JsonObject:
    return {"stream": "users", "call_type": "api_call", "path": "/group", **settings}


def template(body: object) -> JsonObject:
    return {"source": "template", "template": orjson.dumps(body).decode()}


def test_associate_a_user_with_a_group(api: Mocker) -> None:
    api.post(GROUP_URL, json={"success": True})
    body = {
        "userId": "{{ record.id | string }}",
        "groupId": "{{ record.account }}",
        "traits": {"name": "{{ record.name }}"},
    }
    written = write(
        config_of(api_call(body=template(body))),
        catalog_of(),
        [record({"id": 7, "account": "a1", "name": 'Initech "North"'}), state(1)],
    )
    assert written.error is None
    assert len(written.states) == 1
    [request] = api.request_history
    sent = request.json()
    assert sent.pop("messageId").startswith("airbyte-")
    assert sent == {"userId": "7", "groupId": "a1", "traits": {"name": 'Initech "North"'}}
    assert request.headers["Authorization"].startswith("Basic ")


def test_delete_a_user_through_the_public_api(api: Mocker) -> None:
    api.get(SOURCES_URL, json={"data": {"sources": [{"id": "s", "slug": "s", "writeKeys": ["sandbox-key"]}]}})
    api.post(REGULATIONS_URL, json={"data": {"regulateId": "r1"}})
    body = {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["{{ record.id }}"]}
    mapping = api_call(api="public", path="/regulations", body=template(body))
    assert write(config_of(mapping, public_api_token="token"), catalog_of(), [record({"id": "u7"})]).error is None
    _, request = api.request_history
    assert request.json() == {**body, "subjectIds": ["u7"]}
    assert request.headers["Authorization"] == "Bearer token"


@pytest.mark.parametrize(
    ("settings", "data", "url", "body"),
    [
        pytest.param(
            {"method": "DELETE", "path": "users/{{ record.id }}", "body": {"source": "none"}},
            {"id": "a/b c"},
            "https://api.segment.io/v1/users/a%2Fb%20c",
            None,
            id="path",
        ),
        pytest.param({"method": "GET"}, {"id": 1}, GROUP_URL, None, id="get"),
        pytest.param(
            {"path": "/import", "query": [{"name": "q", "value": "{{ record.id }} & more"}]},
            {"id": "é"},
            "https://api.segment.io/v1/import?q=%C3%A9+%26+more",
            {"id": "é"},
            id="query",
        ),
        pytest.param(
            {"body": {"source": "field", "field": "payload"}},
            {"id": 1, "payload": {"a": [1]}},
            GROUP_URL,
            {"a": [1]},
            id="field",
        ),
        pytest.param(
            {
                "body": template(
                    {
                        "n": "{{ record.n }}",
                        "list": "{{ record.list }}",
                        "text": "n{{ record.n }}",
                        "items": "{{ record.items }}",
                        "limit": 10,
                        "ratio": [0.5, True, None],
                    }
                )
            },
            {"n": 5, "list": [1], "items": 2},
            GROUP_URL,
            {"n": 5, "list": [1], "text": "n5", "items": 2, "limit": 10, "ratio": [0.5, True, None]},
            id="template",
        ),
    ],
)
def test_a_request_is_built_from_the_record(
    api: Mocker, settings: JsonObject, data: JsonObject, url: str, body: JsonObject | None
) -> None:
    method = settings.get("method", "POST")
    api.register_uri(method, url, json={"success": True})
    assert write(config_of(api_call(**settings)), catalog_of(), [record(data)]).error is None
    [request] = api.request_history
    assert (request.method, request.url) == (method, url)
    assert ({**request.json(), "messageId": None} if request.body else None) == (body and {**body, "messageId": None})


def test_headers_are_filled_in(api: Mocker) -> None:
    api.post(GROUP_URL, json={"success": True})
    write(
        config_of(api_call(headers=[{"name": "X-Tenant", "value": "{{ record.id }}"}])),
        catalog_of(),
        [record({"id": "t"})],
    )
    assert api.request_history[0].headers["X-Tenant"] == "t"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"path": "/{{ record.id }}"}, "a template could not be rendered (UndefinedError)"),
        (
            {"body": template({"a": "{{ record.id }}"})},
            "a template refers to a field that the record does not have",
        ),
        (
            {"body": template({"a": "{{ 1 / 0 }}"})},
            "a template could not be rendered (ZeroDivisionError)",
        ),
        ({"body": template({"a": "{{ record.get }}"})}, "the call contains a value that JSON cannot represent"),
        ({"body": {"source": "field", "field": "id"}}, "the field 'id' with the request's body is empty"),
    ],
)
def test_a_record_that_a_template_cannot_render_is_not_sent(api: Mocker, settings: JsonObject, reason: str) -> None:
    written = write(config_of(api_call(**settings)), catalog_of(primary_key=[]), [record({"other": 1})])
    assert reason in str(written.error)
    assert not api.request_history


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"path": "/{{ record.text }}"}, "a template could not be rendered (UnicodeEncodeError)"),
        ({"query": [{"name": "q", "value": "{{ record.text }}"}]}, "a query parameter is not valid Unicode"),
        (
            {"headers": [{"name": "X-Text", "value": "{{ record.text }}"}]},
            "the header 'X-Text' contains characters that HTTP does not allow",
        ),
    ],
)
def test_text_that_is_not_valid_unicode_is_not_sent(api: Mocker, settings: JsonObject, reason: str) -> None:
    line = b'{"type":"RECORD","record":{"stream":"users","data":{"id":1,"text":"\\ud800"}}}'
    written = write(config_of(api_call(**settings)), catalog_of(), [line])
    assert f"1 of stream 'users': {reason}." in str(written.error)
    assert not api.request_history


def test_a_record_whose_request_segment_rejects_for_its_content_cannot_be_sent(
    api: Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    gone = "https://api.segment.io/v1/users"
    api.delete(f"{gone}/1", json={"success": True})
    api.delete(f"{gone}/2", status_code=404)
    api.delete(f"{gone}/3", json={"success": True})
    mapping = api_call(method="DELETE", path="/users/{{ record.id }}", body={"source": "none"})
    messages = [item for n in (1, 2, 3) for item in (record({"id": n}), state(n))]

    written = write(config_of(mapping), catalog_of(), messages)
    assert "1 of stream 'users': Segment rejected the API call (HTTP 404)." in str(written.error)
    assert [state["stream"]["stream_state"] for state in written.states] == [{"number": 1}]
    assert (
        "The record of stream 'users' with key [2] was not sent: Segment rejected the API call (HTTP 404)."
        in caplog.messages
    )
    assert [request.path[-1] for request in api.request_history] == ["1", "2", "3"]

    skipped = write(config_of(mapping, on_invalid="skip"), catalog_of(), messages)
    assert skipped.error is None
    assert [state["destinationStats"]["recordCount"] for state in skipped.states] == [1, 0, 1]


def test_rejected_credentials_end_the_sync(api: Mocker) -> None:
    api.get(SOURCES_URL, json={"data": {"sources": [{"id": "s", "slug": "s", "writeKeys": ["sandbox-key"]}]}})
    api.post(REGULATIONS_URL, status_code=401, json={"errors": [{"type": "x", "message": "Unauthorized"}]})
    mapping = api_call(api="public", path="/regulations")
    written = write(config_of(mapping, public_api_token="t"), catalog_of(), [record({"id": n}) for n in range(50)])
    assert written.error is not None
    assert written.error.failure_type is FailureType.config_error
    assert "(HTTP 401: Unauthorized)" in str(written.error)
    assert len(api.request_history) < 5


def test_requests_of_one_user_keep_their_order_among_the_users_calls(api: Mocker) -> None:
    api.post(GROUP_URL, json={"success": True})
    mapping = api_call(user_id_field="id")
    identify = {"stream": "users", "call_type": "identify", "user_id_field": "id"}
    write(config_of(identify, mapping), catalog_of(), [record({"id": "u", "n": n}) for n in range(3)])
    assert [request.path.split("/")[-1] for request in api.request_history] == ["batch", "group"] * 3


def test_an_id_that_is_not_valid_unicode_still_orders_the_requests(api: Mocker) -> None:
    api.post(GROUP_URL, json={"success": True})
    mapping = api_call(user_id_field="id", body=template({"groupId": "{{ record.account }}"}))
    line = b'{"type":"RECORD","record":{"stream":"users","data":{"id":"\\ud800","account":"a1"}}}'
    assert write(config_of(mapping), catalog_of(primary_key=[]), [line]).error is None
    assert api.request_history[0].json()["groupId"] == "a1"
