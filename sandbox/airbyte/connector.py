"""A connector as the Airbyte platform starts it: one process per command, with JSON lines on standard output."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.airbyte.process import ConnectorProcess, Process
from sandbox.airbyte.protocol import JsonObject, MessageReader, body_of, excerpt

COMMAND_SECONDS = 540.0
"""The platform's time limit in seconds for a manual check or discover: nine minutes."""


class CommandError(Exception):
    """A command produced no result; the message is the one that a user would see."""


@dataclass
class Output:
    """The messages of one command outside a sync."""

    exit_code: int | None = None
    """None if the command was killed because it took too long."""
    spec: JsonObject | None = None
    status: JsonObject | None = None
    """The first CONNECTION_STATUS: `status`, `message`."""
    catalog: JsonObject | None = None
    """The first CATALOG."""
    destination_catalog: JsonObject | None = None
    """The first DESTINATION_CATALOG, of a destination with data activation."""
    records: list[JsonObject] = field(default_factory=list)
    states: list[JsonObject] = field(default_factory=list)
    errors: list[JsonObject] = field(default_factory=list)
    """Error traces: `message`, `failure_type`, `stream_descriptor`, `internal_message`, `stack_trace`."""
    logs: list[JsonObject] = field(default_factory=list)
    controls: list[JsonObject] = field(default_factory=list)
    skipped_lines: list[str] = field(default_factory=list)
    """Lines that are not Airbyte messages; a connector must not write any."""
    stderr: list[str] = field(default_factory=list)

    @property
    def check_result(self) -> JsonObject:
        """The result of a check as the user sees it: the first status, else the first error, else the exit code."""
        if self.status:
            return self.status
        message = self.errors[0]["message"] if self.errors else f"The check ended with exit code {self.exit_code}"
        return {"status": "FAILED", "message": message}

    def add(self, line: bytes) -> None:
        """Add one line to the field for its type."""
        message = MessageReader(None).read(line)
        if message is None:
            self.skipped_lines.append(excerpt(line))
            return
        body = body_of(message)
        match message["type"]:
            case "SPEC" | "CONNECTION_STATUS" | "CATALOG" | "DESTINATION_CATALOG" as kind:
                name = "status" if kind == "CONNECTION_STATUS" else kind.lower()
                setattr(self, name, getattr(self, name) or body)
            case "RECORD" | "STATE" | "LOG" | "CONTROL" as kind:
                getattr(self, f"{kind.lower()}s").append(body)
            case "TRACE" if body["type"] == "ERROR":
                self.errors.append(body["error"])


class Connector:
    """One connector with one configuration."""

    def __init__(
        self, command: str | Sequence[str], config: Mapping[str, Any], *, env: Mapping[str, str] | None = None
    ) -> None:
        """Run a connector's commands.

        Args:
            command: a connector's package, run with this interpreter's `python -m`; or the beginning of a command line.
            config: the configuration.
            env: environment variables in addition to this process's.
        """
        self.config = dict(config)
        self._command = [sys.executable, "-m", command] if isinstance(command, str) else list(command)
        self._env = {**os.environ, **(env or {})}

    def spec(self) -> Output:
        """Run `spec`."""
        return self.run("spec")

    def check(self) -> Output:
        """Run `check`."""
        return self.run("check", config=self.config)

    def discover(self) -> JsonObject:
        """Run `discover`; returns the catalog.

        Raises:
            CommandError: no catalog was returned.
        """
        output = self.run("discover", config=self.config)
        if output.catalog is None:
            raise CommandError(" ".join(error["message"] for error in output.errors) or f"{self._command[-1]} discover")
        return output.catalog

    def run(self, command: str, *, stdin: Iterable[bytes] = (), **inputs: object) -> Output:
        """Run any command to completion, without the platform's rules for syncs.

        Args:
            command: `spec`, `check`, `discover`, `read` or `write`.
            stdin: lines for standard input.
            inputs: every input becomes a JSON file and its option; a string is written unchanged.
        """
        output = Output()
        with self.start(command, **inputs) as process:
            process.feed(stdin)
            limit = threading.Timer(COMMAND_SECONDS, process.kill)
            limit.start()
            for line in process.lines():
                output.add(line)
            output.exit_code = process.wait() if limit.is_alive() else None
            limit.cancel()
            output.stderr = process.stderr
        return output

    def start(self, command: str, **inputs: object) -> ConnectorProcess:
        """Start any command without waiting for it; `inputs` as in `run`."""
        folder = tempfile.TemporaryDirectory(prefix="airbyte-")
        paths = {}
        for name, value in inputs.items():
            if value is not None:
                paths[name] = Path(folder.name) / f"{name}.json"
                paths[name].write_text(value if isinstance(value, str) else json.dumps(value))
        return ConnectorProcess(self.popen(command, paths), folder)

    def popen(self, command: str, inputs: Mapping[str, Path]) -> Process:
        """Start the process of a command with its input files."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command_line(command, inputs), stdin=pipe, stdout=pipe, stderr=pipe, env=self._env)

    def command_line(self, command: str, inputs: Mapping[str, Path]) -> list[str]:
        """The command line for a command with its input files; overridden for images."""
        options = [part for name, path in inputs.items() for part in (f"--{name}", str(path))]
        return [*self._command, command, *options]
