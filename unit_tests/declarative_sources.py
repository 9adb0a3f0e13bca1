"""Fixtures for the unit tests of declarative sources: a clock, mocked HTTP, and manifests that are resolved once."""

import pickle
import time
from collections.abc import Iterator
from functools import cache

import pytest
import requests_mock
from airbyte_cdk.sources.declarative import concurrent_declarative_source, yaml_declarative_source
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from airbyte_cdk.utils.yaml_loader import safe_load_yaml
from freezegun import freeze_time
from pyrate_limiter import BucketFactory

from cdp_connectors.json_types import Json

__all__ = ["NOW", "api", "quick_start", "waits"]

NOW = "2026-11-22T12:00:00Z"

_load_text = cache(safe_load_yaml)
_resolved: dict[str, bytes] = {}


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
    resolve = YamlDeclarativeSource._pre_process_manifest  # noqa: SLF001
    validate = YamlDeclarativeSource._validate_source  # noqa: SLF001

    def load_once(source: Json) -> Json:
        return _load_text(source.read() if hasattr(source, "read") else source)

    def resolve_once(source: YamlDeclarativeSource, manifest: dict[str, Json]) -> Json:
        path = source._path_to_yaml  # noqa: SLF001
        if path not in _resolved:
            source._source_config = resolve(source, manifest)  # noqa: SLF001
            validate(source)
            _resolved[path] = pickle.dumps(source._source_config)  # noqa: SLF001
        return pickle.loads(_resolved[path])  # noqa: S301 # written above

    for module in (concurrent_declarative_source, yaml_declarative_source):
        monkeypatch.setattr(module, "safe_load_yaml", load_once)
    monkeypatch.setattr(YamlDeclarativeSource, "_pre_process_manifest", resolve_once)
    monkeypatch.setattr(YamlDeclarativeSource, "_validate_source", lambda _: None)
    monkeypatch.setattr(BucketFactory, "schedule_leak", lambda *_: None)  # a thread for each policy of each source
