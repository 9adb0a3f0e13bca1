import pickle
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import requests_mock
from airbyte_cdk.sources.declarative import concurrent_declarative_source, yaml_declarative_source
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.utils.yaml_loader import safe_load_yaml
from freezegun import freeze_time

from unit_tests.source_segment.segment_api import NOW

load_text_once = cache(safe_load_yaml)


def load_once(source: Any) -> Any:  # noqa: ANN401 # a text or an open file, and whatever it holds
    return load_text_once(source.read() if hasattr(source, "read") else source)


@pytest.fixture(autouse=True)
def waits(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The clock stands at `NOW`, and what the code waits for passes at once."""
    with freeze_time(NOW) as clock:

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            clock.tick(max(seconds, 0.001))  # a clock that stands still would never leave a window of a rate limit

        monkeypatch.setattr(time, "sleep", sleep)
        yield waits


@pytest.fixture
def api() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker(case_sensitive=True) as mocker:
        yield mocker


@pytest.fixture(scope="session")
def resolved_manifest() -> list[bytes]:
    """Where the first test leaves the resolved manifest for the others."""
    return []


@pytest.fixture(autouse=True)
def quick_start(monkeypatch: pytest.MonkeyPatch, resolved_manifest: list[bytes]) -> None:
    """The manifest is loaded, resolved and validated once, and a read builds the streams of its catalog alone.

    That takes more time than everything else in a test, and there are a dozen tests for every stream.
    """
    resolve = ConcurrentDeclarativeSource._pre_process_manifest  # noqa: SLF001
    validate = ConcurrentDeclarativeSource._validate_source  # noqa: SLF001
    configs = ConcurrentDeclarativeSource._stream_configs  # noqa: SLF001
    read = ConcurrentDeclarativeSource.read
    wanted: set[str] = set()

    def resolve_once(source: ConcurrentDeclarativeSource, manifest: dict[str, Any]) -> Any:  # noqa: ANN401
        if not resolved_manifest:
            resolved_manifest.append(pickle.dumps(resolve(source, manifest)))
        return pickle.loads(resolved_manifest[0])  # noqa: S301 # written above

    def validate_once(source: ConcurrentDeclarativeSource) -> None:
        if len(resolved_manifest) == 1:
            validate(source)
            resolved_manifest.append(b"valid")

    def configs_of_catalog(source: ConcurrentDeclarativeSource, manifest: Mapping[str, Any]) -> Any:  # noqa: ANN401
        return [each for each in configs(source, manifest) if not wanted or each["name"] in wanted]

    def read_catalog(source: ConcurrentDeclarativeSource, *arguments: Any) -> Any:  # noqa: ANN401
        wanted.update(stream.stream.name for stream in arguments[2].streams)
        try:
            yield from read(source, *arguments)
        finally:
            wanted.clear()

    for module in (concurrent_declarative_source, yaml_declarative_source):
        monkeypatch.setattr(module, "safe_load_yaml", load_once)
    monkeypatch.setattr(ConcurrentDeclarativeSource, "_pre_process_manifest", resolve_once)
    monkeypatch.setattr(ConcurrentDeclarativeSource, "_validate_source", validate_once)
    monkeypatch.setattr(ConcurrentDeclarativeSource, "_stream_configs", configs_of_catalog)
    monkeypatch.setattr(ConcurrentDeclarativeSource, "read", read_catalog)
