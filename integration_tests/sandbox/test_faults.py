"""The sandbox with faults, as a client sees it."""

from http.client import HTTPConnection

import pytest
import requests

from integration_tests.sandbox.segment_client import Get
from sandbox.server import Sandbox


@pytest.mark.parametrize(
    ("damage", "body"),
    [
        ("null_data", b'{"data":null}'),
        ("null_lists", b'{"data": {"labels": null}}'),
        ("no_lists", b'{"data": {}}'),
    ],
)
def test_a_damaged_success_is_still_json(get: Get, sandbox: Sandbox, damage: str, body: bytes) -> None:
    sandbox.faults.update({"damage": damage})
    response = get("/labels")
    assert (response.status_code, response.content) == (200, body)


def test_a_truncated_body_has_a_matching_length(get: Get, sandbox: Sandbox) -> None:
    whole = get("/labels").content
    sandbox.faults.damage = "truncated"
    response = get("/labels")
    assert (response.status_code, response.content) == (200, whole[: len(whole) // 2])
    assert response.headers["content-type"] == "application/json"


def test_half_a_gzip_cannot_be_read(get: Get, sandbox: Sandbox) -> None:
    sandbox.faults.damage = "half_gzip"
    assert not get("/labels").content.endswith(b"}")


def test_an_error_is_not_damaged(get: Get, sandbox: Sandbox) -> None:
    sandbox.faults.damage = "null_data"
    assert get("/nothing").json()["errors"]


@pytest.mark.parametrize("body", ["null", "[]", "{}", '"text"', "3"])
def test_a_body_is_sent_as_json_in_place_of_the_response(get: Get, sandbox: Sandbox, body: str) -> None:
    sandbox.faults.body = body
    response = get("/labels")
    assert (response.status_code, response.text, response.headers["content-type"]) == (200, body, "application/json")


def test_a_status_can_have_the_vendors_body(get: Get, sandbox: Sandbox) -> None:
    error = '{"errors":[{"type":"ValidationFailure","message":"Validation failure"}]}'
    sandbox.faults.update({"status": 422, "body": error})
    response = get("/labels")
    assert (response.status_code, response.text) == (422, error)


def test_faults_end_after_their_count_and_keep_to_their_paths(get: Get, sandbox: Sandbox) -> None:
    sandbox.faults.update({"path": "/(labels|users)$", "status": 404, "count": 2})
    assert [get(path).status_code for path in ("/labels", "/roles", "/users", "/labels")] == [404, 200, 404, 200]
    assert sandbox.faults.status == 0


def test_a_connection_is_cut_as_often_as_counted(get: Get, sandbox: Sandbox) -> None:
    sandbox.faults.update({"cut_every": 1, "count": 1})
    with pytest.raises(requests.exceptions.RequestException):
        get("/labels")
    assert get("/labels").status_code == 200


def test_a_slow_response_arrives_completely_in_pieces(get: Get, sandbox: Sandbox) -> None:
    whole = get("/users").content
    sandbox.faults.drip_ms = 20
    connection = HTTPConnection(sandbox.url.removeprefix("http://"))
    connection.request("GET", "/segment/us/users", headers={"Authorization": "Bearer sandbox-token-us"})
    response = connection.getresponse()
    pieces = list(iter(response.read1, b""))
    connection.close()
    assert b"".join(pieces) == whole
    assert len(pieces) > 1


@pytest.mark.parametrize("wrong", [{"damage": "burnt"}, {"path": "("}, {"status": "500"}, {"mood": 1}])
def test_a_wrong_fault_changes_nothing(sandbox: Sandbox, wrong: dict[str, object]) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/faults", json={"status": 500, **wrong}, timeout=10)
    assert (answer.status_code, sandbox.faults.status) == (400, 0)
