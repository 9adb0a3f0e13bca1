"""A connector as a process: one command, and the Airbyte messages that it writes."""

import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from cdp_connectors.json_types import Json, JsonObject

PACKAGES = {
    "source-segment": "source_segment",
    "source-customerio": "source_customerio",
    "source-heap": "source_heap",
    "destination-segment": "destination_segment",
}
"""The connectors of this distribution, by name, and the packages whose `python -m` runs them."""
SOURCES = [name for name in PACKAGES if name.startswith("source-")]
_STOP_SECONDS = 10


class ConnectorError(Exception):
    """A command that failed; the message is the connector's own."""


class ConnectorCommand:
    """A running command of a connector.

    After `messages` is exhausted, `exit_code` and `errors` describe how the command ended.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.errors: list[str] = []
        """The messages of the error traces, in the order of their arrival."""
        self._process = process

    def messages(self) -> Iterator[JsonObject]:
        """Yield the Airbyte messages until the connector closes its output."""
        for line in self._process.stdout or ():
            message = orjson.loads(line)
            if message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
                self.errors.append(message["trace"]["error"]["message"])
            yield message

    @property
    def exit_code(self) -> int:
        """The exit code; waits for the process to end."""
        return self._process.wait()


@contextmanager
def command(connector: str, name: str, **inputs: Json) -> Generator[ConnectorCommand]:
    """Run a command of a connector, and end it with SIGTERM if it is still running at the end of the context.

    Args:
        connector: a name in `PACKAGES`.
        name: `spec`, `check`, `discover` or `read`.
        inputs: the JSON values of the options `--config`, `--catalog` and `--state`; None leaves an option out.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = [sys.executable, "-m", PACKAGES[connector], name]
        for option, value in inputs.items():
            if value is not None:
                path = Path(folder) / f"{option}.json"
                path.write_bytes(orjson.dumps(value))
                arguments += [f"--{option}", str(path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            try:
                yield ConnectorCommand(process)
            finally:
                if process.poll() is None:
                    process.terminate()
                    try:
                        process.wait(_STOP_SECONDS)
                    except subprocess.TimeoutExpired:
                        process.kill()


def discover(connector: str, config: JsonObject) -> JsonObject:
    """Return the catalog of the streams that the configuration gives access to.

    Raises:
        ConnectorError: the command failed.
    """
    with command(connector, "discover", config=config) as running:
        catalogs: list[JsonObject] = [each["catalog"] for each in running.messages() if each["type"] == "CATALOG"]
        if not catalogs:
            reason = " ".join(running.errors) or f"It ended with exit code {running.exit_code}."
            raise ConnectorError(f"{connector} discover failed. {reason}")
        return catalogs[0]
