from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
import requests

from integration_tests.sandbox.customerio_client import Ask
from integration_tests.sandbox.segment_client import Get
from sandbox.clock import Clock
from sandbox.segment.world import SegmentWorld
from sandbox.server import Sandbox

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=timezone.utc)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A separate sandbox for a test that changes it or advances its clock."""
    with Sandbox(Clock(NOW), scale=0.3) as running:
        running.segment.pagination_required = False
        yield running


@pytest.fixture(scope="session")
def still_sandbox() -> Iterator[Sandbox]:
    """A sandbox of the usual size that no test changes."""
    with Sandbox(Clock(NOW)) as running:
        running.segment.pagination_required = False
        yield running


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    with requests.Session() as http:
        yield http


@pytest.fixture
def world(sandbox: Sandbox) -> SegmentWorld:
    return sandbox.segment


@pytest.fixture
def get(sandbox: Sandbox, session: requests.Session) -> Get:
    return getter(sandbox, session)


@pytest.fixture(scope="session")
def still_get(still_sandbox: Sandbox, session: requests.Session) -> Get:
    return getter(still_sandbox, session)


@pytest.fixture
def ask(sandbox: Sandbox, session: requests.Session) -> Ask:
    return asker(sandbox, session)


def asker(sandbox: Sandbox, session: requests.Session) -> Ask:
    """Return a function that requests a path of Customer.io's US API with its key; with `json` it posts."""

    def ask(path: str, json: object = None, **parameters: str | int) -> requests.Response:
        headers = {"Authorization": f"Bearer {sandbox.customerio.region_keys['us']}"}
        url, method = f"{sandbox.url}/customerio/us/v1/{path.lstrip('/')}", "POST" if json else "GET"
        return session.request(method, url, params=parameters, json=json, headers=headers, timeout=10)

    return ask


def getter(sandbox: Sandbox, session: requests.Session) -> Get:
    """Return a function that gets a path of the US API with its token and the given query parameters."""

    def get(path: str, **parameters: str | int) -> requests.Response:
        headers = {"Authorization": "Bearer sandbox-token-us"}
        return session.get(f"{sandbox.url}/segment/us{path}", params=parameters, headers=headers, timeout=10)

    return get
