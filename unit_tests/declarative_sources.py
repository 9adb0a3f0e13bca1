"""Fixtures for the unit tests of declarative sources: a clock, mocked HTTP, and manifests that are resolved once."""

import time
from collections.abc import Iterator
from functools import cache

import pytest
import requests_mock
from airbyte_cdk.sources.declarative import concurrent_declarative_source
from freezegun import freeze_time
from pyrate_limiter import BucketFactory

from cdp_connectors.cdk_repairs import resolve_manifests_once

__all__ = ["NOW", "api", "quick_start", "waits"]

NOW = "2026-11-22T12:00:00Z"

_component_schema = cache(concurrent_declarative_source.get_declarative_component_schema)


@pytest.fixture(autouse=True)
def waits(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Freeze the clock at `NOW`; a wait advances it and returns at once."""
    with freeze_time(NOW) as clock:

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            clock.tick(max(seconds, 0.001))  # on a frozen clock, no rate limit's window would ever end

        monkeypatch.setattr(time, "sleep", sleep)
        yield waits


@pytest.fixture
def api() -> Iterator[requests_mock.Mocker]:
    """The vendor's API; a request that is not mocked fails."""
    with requests_mock.Mocker(case_sensitive=True) as mocker:
        yield mocker


@pytest.fixture(autouse=True)
def quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load, resolve and validate each manifest once, because that takes longer than the rest of a test."""
    resolve_manifests_once()
    monkeypatch.setattr(concurrent_declarative_source, "get_declarative_component_schema", _component_schema)
    monkeypatch.setattr(BucketFactory, "schedule_leak", lambda *_: None)  # a thread for each policy of each source
