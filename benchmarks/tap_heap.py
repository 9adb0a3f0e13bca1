"""singer's tap-heap, from its public package."""

import json
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import Cost, measure
from sandbox.heap.s3_server import EXTERNAL_ID, ROLE, S3Server

VERSION = "1.4.0"


def install() -> Path:
    """Install tap-heap and return the path of its command.

    Raises:
        PeerUnavailableError: it cannot be installed here.
    """
    return peers.install("tap-heap", VERSION) / "tap-heap"


class TapHeap:
    """The tap, configured for the bucket of a server."""

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

    def read(self, stream: str, prefix: list[str]) -> Cost:
        """Sync one stream with all its columns; `prefix` is a command prefix, such as `taskset`."""
        catalog = json.loads(self.discover().output)
        for entry in catalog["streams"]:
            for each in entry["metadata"]:
                each["metadata"]["selected"] = entry["stream"] == stream
        path = self._folder / "tap-heap-catalog.json"
        path.write_text(json.dumps(catalog))
        return self._run("--properties", str(path), prefix=prefix)

    def _run(self, *arguments: str, prefix: list[str] | None = None) -> Cost:
        command = [*(prefix or []), self._command, "--config", str(self._config), *arguments]
        return measure(command, self._environment, keep=b"" if "--discover" in arguments else None)
