"""The log of requests."""

import requests

from integration_tests.sandbox.customerio_client import Ask
from integration_tests.sandbox.segment_client import Get
from sandbox.server import Sandbox


def test_requests_are_counted_by_the_documented_path(sandbox: Sandbox, get: Get, ask: Ask) -> None:
    source, other = (source["id"] for source in sandbox.segment.sources[:2])
    for path in ("/sources", f"/sources/{source}/settings", f"/sources/{other}/settings", "/nothing"):
        get(path)
    for path in ("campaigns/1/actions", "campaigns/2/actions", "collections/sources", "collections/1/content"):
        ask(path)

    assert sandbox.requests_of("segment") == {"/sources": 1, "/sources/{sourceId}/settings": 2}
    assert sandbox.requests_of("customerio") == {
        "/campaigns/{campaign_id}/actions": 2,
        "/collections/sources": 1,
        "/collections/{collection_id}/content": 1,
    }
    answer = requests.get(f"{sandbox.url}/_sandbox/requests", timeout=10).json()
    assert len(answer["requests"]) == 8
    assert answer["by_path"]["segment"]["/sources"] == 1

    requests.delete(f"{sandbox.url}/_sandbox/requests", timeout=10)
    assert not sandbox.requests_of("segment")
