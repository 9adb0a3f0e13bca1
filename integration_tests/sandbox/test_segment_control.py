import pytest
import requests

from cdp_connectors.json_types import Json
from sandbox.server import Sandbox


def change(sandbox: Sandbox, changes: Json) -> requests.Response:
    return requests.post(f"{sandbox.url}/_sandbox/segment", json=changes, timeout=10)


def test_the_control_endpoint_sets_the_apis_behaviour(sandbox: Sandbox) -> None:
    response = change(sandbox, {"gates": ["protocols"], "rate_limit": 5})
    assert response.status_code == 200
    assert response.json()["gates"] == ["protocols"]
    assert sandbox.segment.gates == {"protocols"}
    assert sandbox.segment.rate_limit == 5


@pytest.mark.parametrize("changes", [{"gates": ["x"]}, {"nonsense": 1}, [], "text", None])
def test_invalid_switches_get_an_error_message(sandbox: Sandbox, changes: object) -> None:
    response = change(sandbox, changes)
    assert response.status_code == 400
    assert response.json()["error"]
