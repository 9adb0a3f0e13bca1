"""A compiled encoder that cannot be used here is ignored, and Python encodes the lines."""

import ctypes
import importlib.util
from pathlib import Path
from types import ModuleType
from unittest.mock import Mock

import pytest

from source_heap import native


class OlderLibrary:
    """A library whose interface has another number."""

    def __init__(self, _: str) -> None:
        self.encoder_interface = Mock(return_value=1)


def installed(folder: Path, library: bytes) -> ModuleType:
    """The module, imported as if it were installed in a folder with this library."""
    (folder / native.LIBRARY.name).write_bytes(library)
    spec = importlib.util.spec_from_file_location("installed_native", native.__file__)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(folder / "__init__.py")
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(native.PYTHON_ONLY, raising=False)


def test_a_library_for_another_platform_is_ignored(tmp_path: Path) -> None:
    assert not installed(tmp_path, b"built elsewhere").is_available()


def test_a_library_of_another_version_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", OlderLibrary)
    assert not installed(tmp_path, b"").is_available()
