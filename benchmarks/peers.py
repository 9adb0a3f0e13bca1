"""Third-party packages with which the connectors are compared, each in its own environment."""

import os
import subprocess
import sys
import venv
from pathlib import Path

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cdp-connectors" / "benchmarks"


class PeerUnavailableError(Exception):
    """The package cannot be installed here; the message gives the reason."""


def install(package: str, version: str, *more: str) -> Path:
    """Create an environment with the package, and more, once in the user's cache; return its folder of commands.

    Raises:
        PeerUnavailableError: the registry does not have the package, or it cannot be installed on this Python.
    """
    folder = _CACHE / f"{package}-{version}-python{sys.version_info.major}.{sys.version_info.minor}"
    installed = folder / ".installed"
    if not installed.exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"{package}=={version}", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerUnavailableError(done.stderr.strip().splitlines()[-1])
        installed.touch()
    return folder / "bin"
