"""Sandbox fixtures of the integration tests."""

from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that no other test has touched."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """A sandbox for tests that only read."""
    with Sandbox() as running:
        yield running
