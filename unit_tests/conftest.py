"""Fixtures of every unit test: no waiting, and a response cache of its own."""

import time
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The seconds that the code under test wanted to wait; it does not wait."""
    waited: list[float] = []
    monkeypatch.setenv("REQUEST_CACHE_PATH", str(tmp_path))
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited
