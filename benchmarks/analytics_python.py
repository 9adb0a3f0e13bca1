"""Segment's own Python library, in an environment of its own: sends the records of the standard input with `identify`.

As a module it installs the library; as a script, run by that environment's Python, it is the program that is measured.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

VERSION = "2.4.0"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cdp-connectors" / "benchmarks"
_LARGEST_BATCH = 1_000


class LibraryUnavailableError(Exception):
    """The package cannot be installed here; the message says why."""


def install() -> Path:
    """The Python of an environment that has the library; made once, in the user's cache.

    Raises:
        LibraryUnavailableError: when the registry does not have it or it does not install on this Python.
    """
    folder = _CACHE / f"analytics-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "--quiet", f"segment-analytics-python=={VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            python.unlink()
            raise LibraryUnavailableError(done.stderr.strip().splitlines()[-1])
    return python


def main(host: str, write_key: str) -> None:
    """Send what comes on the standard input; four threads and large batches, for the library's best."""
    from segment.analytics.client import Client  # noqa: PLC0415 # only the other environment has it

    client = Client(write_key, host=host, gzip=True, thread=4, upload_size=_LARGEST_BATCH, max_queue_size=100_000)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["type"] != "RECORD":
            continue
        data = message["record"]["data"]
        user = data.pop("id")
        while not client.identify(user, data)[0]:
            client.flush()
    client.flush()
    client.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
