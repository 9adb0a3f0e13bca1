"""singer's tap-heap, from its public package, in an environment of its own."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.measure import Cost, measure
from sandbox.heap.s3_server import EXTERNAL_ID, ROLE, S3Server

VERSION = "1.4.0"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cdp-connectors" / "benchmarks"


class TapHeapUnavailableError(Exception):
    """The package cannot be installed here; the message says why."""


def install() -> Path:
    """The path of the command `tap-heap`; installed once into the user's cache.

    Raises:
        TapHeapUnavailableError: when the registry does not have it or it does not install on this Python.
    """
    folder = _CACHE / f"tap-heap-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"
    command = folder / "bin" / "tap-heap"
    if not command.exists():
        venv.create(folder, with_pip=True, clear=True)
        done = subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "--quiet", f"tap-heap=={VERSION}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TapHeapUnavailableError(done.stderr.strip().splitlines()[-1])
    return command


class TapHeap:
    """The tap, pointed at the bucket of a server."""

    def __init__(self, command: Path, server: S3Server, folder: Path) -> None:
        self._command = str(command)
        self._folder = folder
        self._config = folder / "tap-heap.json"
        self._environment = {
            **server.environment,
            "AWS_DEFAULT_REGION": server.region,
            "AWS_ENDPOINT_URL_S3": server.endpoint_url,
        }
        config = {
            "start_date": "2020-01-01T00:00:00Z",
            "bucket": server.bucket,
            "account_id": server.account_id,
            "external_id": EXTERNAL_ID,
            "role_name": ROLE,
        }
        self._config.write_text(json.dumps(config))

    def discover(self) -> Cost:
        """List the streams."""
        return self._run("--discover")

    def read(self, stream: str) -> Cost:
        """Sync one stream, all its columns."""
        catalog = json.loads(self.discover().output)
        for entry in catalog["streams"]:
            for each in entry["metadata"]:
                each["metadata"]["selected"] = entry["stream"] == stream
        path = self._folder / "tap-heap-catalog.json"
        path.write_text(json.dumps(catalog))
        return self._run("--properties", str(path))

    def _run(self, *arguments: str) -> Cost:
        command = [self._command, "--config", str(self._config), *arguments]
        return measure(command, self._environment, keep_output="--discover" in arguments)
