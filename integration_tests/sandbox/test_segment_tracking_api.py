"""The simulated Tracking API compared with Segment's documentation."""

import gzip
import json
from typing import Any

import pytest
import requests

from sandbox.server import Sandbox

IDENTIFY = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}


def post(sandbox: Sandbox, path: str, body: object, *, key: str | None = None, **headers: str) -> requests.Response:
    """Post JSON, or raw bytes, with the write key of a source."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    auth = (sandbox.segment_tracking.write_key if key is None else key, "") if key != "" else None
    return requests.post(
        f"{sandbox.url}/segment-tracking/us/v1{path}",
        data=data,
        auth=auth,
        headers={"Content-Type": "application/json", **headers},
        timeout=10,
    )


def test_every_call_and_a_batch_of_them_are_received(sandbox: Sandbox) -> None:
    calls: dict[str, dict[str, Any]] = {
        "identify": {"userId": "u"},
        "track": {"userId": "u", "event": "Seen"},
        "group": {"userId": "u", "groupId": "g"},
        "page": {"anonymousId": "a"},
        "screen": {"anonymousId": "a"},
        "alias": {"userId": "u", "previousId": "p"},
    }
    for kind, body in calls.items():
        answer = post(sandbox, f"/{kind}", body)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    batch = {"batch": [{"type": kind, **body} for kind, body in calls.items()], "context": {"library": {"name": "x"}}}
    assert post(sandbox, "/batch", batch).status_code == 200
    received = sandbox.segment_tracking.messages
    assert [message["type"] for message in received] == [*calls, *calls]
    assert all("library" in message["context"] for message in received[len(calls) :])


@pytest.mark.parametrize("region", ["us", "eu"])
def test_the_key_may_be_in_the_body_and_the_body_may_be_compressed(sandbox: Sandbox, region: str) -> None:
    body = {"batch": [IDENTIFY], "writeKey": sandbox.segment_tracking.write_key}
    answer = requests.post(
        f"{sandbox.url}/segment-tracking/{region}/v1/batch",
        data=gzip.compress(json.dumps(body).encode()),
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        timeout=10,
    )
    assert answer.status_code == 200
    assert len(sandbox.segment_tracking.messages) == 1


def test_a_message_id_is_received_once(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert post(sandbox, "/identify", {**IDENTIFY, "messageId": "m"}).status_code == 200
    assert len(sandbox.segment_tracking.messages) == 1
    assert sandbox.segment_tracking.rejected == {"repeated messageId": 1}


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/batch", {"batch": [IDENTIFY] * 2_501}, "too many items"),
        ("/identify", {"traits": {}}, "no_user_anon_id"),
        ("/track", {"userId": "u"}, "no event"),
        ("/batch", {"batch": [{"type": "subscribe", "userId": "u"}]}, "unknown type"),
        ("/identify", {**IDENTIFY, "messageId": "m" * 100}, "messageId too long"),
    ],
)
def test_calls_that_the_source_does_not_show_get_200(
    sandbox: Sandbox, path: str, body: dict[str, Any], reason: str
) -> None:
    assert post(sandbox, path, body).json() == {"success": True}
    assert sandbox.segment_tracking.messages == []
    assert list(sandbox.segment_tracking.rejected) == [reason]


def test_a_key_of_no_source_gets_200(sandbox: Sandbox) -> None:
    assert post(sandbox, "/identify", IDENTIFY, key="a-key-of-no-source").status_code == 200
    assert sandbox.segment_tracking.rejected == {"unknown write key": 1}


def sized(size: int) -> bytes:
    """A call of exactly this many bytes."""
    empty = len(json.dumps({"userId": "u", "traits": {"x": ""}}))
    return json.dumps({"userId": "u", "traits": {"x": "x" * (size - empty)}}).encode()


@pytest.mark.parametrize(("size", "status"), [(32 * 1024, 200), (32 * 1024 + 1, 400)])
def test_a_call_may_have_32_kb(sandbox: Sandbox, size: int, status: int) -> None:
    assert post(sandbox, "/identify", sized(size)).status_code == status


@pytest.mark.parametrize(("size", "status"), [(500_000, 200), (500_001, 400)])
def test_a_batch_may_have_500_kb(sandbox: Sandbox, size: int, status: int) -> None:
    items = [{**IDENTIFY, "traits": {"x": "x" * 30_000}} for _ in range(16)]
    missing = size - len(json.dumps({"batch": [*items, {**IDENTIFY, "traits": {"x": ""}}]}))
    body = json.dumps({"batch": [*items, {**IDENTIFY, "traits": {"x": "x" * missing}}]}).encode()
    assert len(body) == size
    assert post(sandbox, "/batch", body).status_code == status


@pytest.mark.parametrize(
    ("path", "body", "settings", "message"),
    [
        ("/batch", b'{"batch": [', {}, "malformed JSON"),
        ("/batch", {"batch": "all"}, {}, "batch must be an array of calls"),
        ("/identify", IDENTIFY, {"key": ""}, "no write key"),
        ("/identify", b"not gzip", {"Content-Encoding": "gzip"}, "malformed gzip"),
        ("/identify", IDENTIFY, {"Content-Type": "text/plain"}, "content type must be application/json"),
    ],
)
def test_unreadable_requests_get_400(
    sandbox: Sandbox, path: str, body: object, settings: dict[str, str], message: str
) -> None:
    answer = post(sandbox, path, body, **settings)
    assert (answer.status_code, answer.json()) == (400, {"success": False, "message": message})


def test_another_path_is_unknown_and_another_method_not_allowed(sandbox: Sandbox) -> None:
    assert post(sandbox, "/delete", {}).status_code == 404
    assert requests.get(f"{sandbox.url}/segment-tracking/us/v1/batch", timeout=10).status_code == 405


def test_the_control_endpoint_shows_and_deletes_received_messages(sandbox: Sandbox) -> None:
    post(sandbox, "/identify", IDENTIFY)
    url = f"{sandbox.url}/_sandbox/segment-tracking"
    [message] = requests.get(url, timeout=10).json()["messages"]
    assert message["userId"] == "u1"
    assert requests.delete(url, timeout=10).json() == {"messages": [], "rejected": {}}


class TestSwitches:
    def test_a_rejected_user_fails_the_entire_batch(self, sandbox: Sandbox) -> None:
        sandbox.segment_tracking.behaviour.update({"rejected_users": ["u1"]})
        batch = {"batch": [IDENTIFY, {**IDENTIFY, "userId": "u2"}]}
        answer = post(sandbox, "/batch", batch)
        assert (answer.status_code, answer.json()["success"]) == (400, False)
        assert sandbox.segment_tracking.messages == []

    def test_a_body_can_be_too_large_for_a_gateway(self, sandbox: Sandbox) -> None:
        sandbox.segment_tracking.behaviour.update({"largest_body": 50})
        assert post(sandbox, "/identify", {"userId": "u" * 60}).status_code == 413
        assert post(sandbox, "/identify", {"userId": "u"}).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "sent"),
        [
            ("both", ("3", "4")),
            ("retry_after", ("3", None)),
            ("x_ratelimit_reset", (None, "4")),
            ("none", (None, None)),
        ],
    )
    def test_a_number_of_requests_is_limited(
        self, sandbox: Sandbox, headers: str, sent: tuple[str | None, str | None]
    ) -> None:
        sandbox.segment_tracking.behaviour.update(
            {"rate_limited": 1, "rate_limit_headers": headers, "rate_limit_wait": 3}
        )
        answer = post(sandbox, "/identify", {"userId": "u"})
        assert answer.status_code == 429
        assert (answer.headers.get("Retry-After"), answer.headers.get("X-RateLimit-Reset")) == sent
        assert post(sandbox, "/identify", {"userId": "u"}).status_code == 200

    @pytest.mark.parametrize(("answer", "body"), [("ok", "OK"), ("empty", "")])
    def test_success_can_look_like_that_of_compatible_collectors(
        self, sandbox: Sandbox, answer: str, body: str
    ) -> None:
        url = f"{sandbox.url}/_sandbox/segment-tracking"
        assert requests.post(url, json={"answer": answer}, timeout=10).json()["answer"] == answer
        assert post(sandbox, "/identify", {"userId": "u"}).text == body
        assert len(sandbox.segment_tracking.messages) == 1

    @pytest.mark.parametrize("change", [{"answer": "maybe"}, {"largest_body": "1"}, {"unknown": 1}, []])
    def test_an_unknown_switch_is_rejected(self, sandbox: Sandbox, change: object) -> None:
        assert requests.post(f"{sandbox.url}/_sandbox/segment-tracking", json=change, timeout=10).status_code == 400
