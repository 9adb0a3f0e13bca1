"""Fixtures for every unit test: no waiting, and a separate response cache."""

import time
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The waits that the code under test requested, in seconds; none takes place."""
    waited: list[float] = []
    monkeypatch.setenv("REQUEST_CACHE_PATH", str(tmp_path))
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited
