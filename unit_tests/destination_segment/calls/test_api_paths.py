"""Paths, headers and bodies of API calls: as users paste them, and as records fill them in."""

import json

import pytest
from requests_mock import Mocker

from cdp_connectors.json_types import JsonObject
from unit_tests.destination_segment.segment_writes import catalog_of, config_of, record, state, write

GROUP_URL = "https://api.segment.io/v1/group"


def api_call(**settings: object) -> JsonObject:
    return {"stream": "users", "call": {"call_type": "api_call", **settings}}


@pytest.mark.parametrize(
    "path",
    ["/group", "group", "group/", "/v1/group", "/v1/group/", "v1/group", GROUP_URL, "https://API.segment.io/v1/group/"],
)
def test_all_spellings_of_a_pasted_path_are_equivalent(api: Mocker, path: str) -> None:
    api.post(GROUP_URL, json={"success": True})
    assert write(config_of(api_call(path=path)), catalog_of(), [record({"id": 1})]).error is None
    assert [request.url for request in api.request_history] == [GROUP_URL]


@pytest.mark.parametrize("path", ["/v1/group", "group"])
def test_the_version_prefix_is_that_of_the_configured_url(api: Mocker, path: str) -> None:
    api.post("http://proxy:80/segment/v1/group", json={"success": True})
    config = config_of(api_call(path=path), api_url="http://proxy:80/segment/v1")
    assert write(config, catalog_of(), [record({"id": 1})]).error is None


@pytest.mark.parametrize("path", ["/regulations", "regulations/", "https://api.segmentapis.com/regulations"])
def test_a_path_of_the_public_api(api: Mocker, path: str) -> None:
    api.get(
        "https://api.segmentapis.com/sources", json={"data": {"sources": [{"slug": "s", "writeKeys": ["sandbox-key"]}]}}
    )
    api.post("https://api.segmentapis.com/regulations", json={"data": {}})
    config = config_of(api_call(path=path, api="public"), public_api_token="t")
    assert write(config, catalog_of(), [record({"id": 1})]).error is None


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("https://example.com/group", "'path' is a URL of a host other than api.segment.io; enter only the path."),
        ("/a//b", "'path' contains a segment that is empty, '.' or '..'."),
        ("/a/../b", "'path' contains a segment that is empty, '.' or '..'."),
        ("/", "'path' contains a segment that is empty, '.' or '..'."),
        ("/{{ record.id", "'call.path' is not a valid template"),
    ],
)
def test_an_impossible_path_is_rejected(api: Mocker, path: str, problem: str) -> None:
    written = write(config_of(api_call(path=path)), catalog_of(), [record({"id": 1})])
    assert problem in str(written.error)
    assert not api.request_history


@pytest.mark.parametrize("value", ["", ".", "..", None])
def test_a_record_cannot_change_the_resource_of_a_path(api: Mocker, value: str | None) -> None:
    mapping = api_call(path="/users/{{ record.key }}/traits", method="DELETE")
    written = write(config_of(mapping), catalog_of(), [record({"id": 1, "key": value})])
    assert "1 of stream 'users': " in str(written.error)
    assert not api.request_history


@pytest.mark.parametrize(
    ("value", "sent"), [("a/b", "a%2Fb"), ("..%2f", "..%252f"), ("?x=1", "%3Fx%3D1"), ("å", "%C3%A5")]
)
def test_inserted_values_are_percent_encoded(api: Mocker, value: str, sent: str) -> None:
    api.delete(f"https://api.segment.io/v1/users/{sent}", json={"success": True})
    mapping = api_call(path="/users/{{ record.key }}", method="DELETE")
    assert write(config_of(mapping), catalog_of(), [record({"id": 1, "key": value})]).error is None


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("on_invalid", ["fail", "skip"])
def test_an_unknown_constant_path_ends_the_sync(api: Mocker, status: int, on_invalid: str) -> None:
    api.post(GROUP_URL, status_code=status)
    written = write(
        config_of(api_call(path="/group"), on_invalid=on_invalid), catalog_of(), [record({"id": 1}), state(1)]
    )
    assert "/v1/group" in str(written.error)
    assert f"(HTTP {status})" in str(written.error)
    assert written.states == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    ("body", "sent"),
    [({}, None), ({"body": {"source": "automatic"}}, None), ({"body": {"source": "record"}}, {"id": 1})],
    ids=["default", "automatic", "explicit"],
)
def test_get_and_delete_have_no_body_unless_one_is_configured(
    api: Mocker, method: str, body: JsonObject, sent: JsonObject | None
) -> None:
    api.register_uri(method, GROUP_URL, json={"success": True})
    assert (
        write(config_of(api_call(path="/group", method=method, **body)), catalog_of(), [record({"id": 1})]).error
        is None
    )
    [request] = api.request_history
    received = request.json() if request.body else None
    assert received is None if sent is None else received["id"] == sent["id"]


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX-Evil: 1", "日本", "\x00", "\ud800"])
def test_a_record_with_an_invalid_header_value_is_not_sent(api: Mocker, value: str) -> None:
    api.post(GROUP_URL, json={"success": True})
    mapping = api_call(
        path="/group", headers=[{"name": "X-Tenant", "value": "{{ record.tenant }}"}], body={"source": "none"}
    )
    line = b'{"type":"RECORD","record":{"stream":"users","data":{"id":1,"tenant":%b}}}' % json.dumps(value).encode()
    written = write(
        config_of(mapping, on_invalid="skip"), catalog_of(), [line, record({"id": 2, "tenant": " é "}), state(1)]
    )
    assert (written.error, written.counts) == (None, [(1, 1)])
    assert [request.headers["X-Tenant"] for request in api.request_history] == ["é"]


@pytest.mark.parametrize("name", ["X Tenant", "", "X:Y", "Authorization", "content-length"])
def test_a_header_name_that_cannot_be_sent_is_rejected(api: Mocker, name: str) -> None:
    mapping = api_call(path="/group", headers=[{"name": name, "value": "a"}])
    assert write(config_of(mapping), catalog_of(), [record({"id": 1})]).error is not None
    assert not api.request_history
