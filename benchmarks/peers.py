"""Other people's packages that the connectors are measured against, each in an environment of its own."""

import os
import subprocess
import sys
import venv
from pathlib import Path

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cdp-connectors" / "benchmarks"


class PeerUnavailableError(Exception):
    """The package cannot be installed here; the message says why."""


def install(package: str, version: str, *more: str) -> Path:
    """The folder of the commands of an environment that has the package, and more; made once, in the user's cache.

    Raises:
        PeerUnavailableError: when the registry does not have it or it does not install on this Python.
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
