"""How the tests run source-heap: as the process that Airbyte runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]
COMMAND = [sys.executable, "-m", "source_heap"]


@dataclass(frozen=True)
class Output:
    """What a run of the connector wrote."""

    return_code: int
    messages: list[JsonObject]

    def rows(self, stream: str) -> list[JsonObject]:
        return [
            message["record"]["data"] for message in self._of_type("RECORD") if message["record"]["stream"] == stream
        ]

    @property
    def row_count(self) -> int:
        return len(self._of_type("RECORD"))

    @property
    def states(self) -> list[JsonObject]:
        """The last state message of each stream, as Airbyte hands them to the next sync."""
        return list(
            {m["state"]["stream"]["stream_descriptor"]["name"]: m["state"] for m in self._of_type("STATE")}.values()
        )

    @property
    def catalog(self) -> list[JsonObject]:
        return list(self._of_type("CATALOG")[0]["catalog"]["streams"])

    @property
    def check(self) -> JsonObject:
        return dict(self._of_type("CONNECTION_STATUS")[0]["connectionStatus"])

    @property
    def statuses(self) -> dict[str, str]:
        """The last status of each stream."""
        found = [m["trace"]["stream_status"] for m in self._of_type("TRACE") if m["trace"]["type"] == "STREAM_STATUS"]
        return {status["stream_descriptor"]["name"]: status["status"] for status in found}

    @property
    def errors(self) -> list[JsonObject]:
        return [m["trace"]["error"] for m in self._of_type("TRACE") if m["trace"]["type"] == "ERROR"]

    def _of_type(self, kind: str) -> list[JsonObject]:
        return [message for message in self.messages if message["type"] == kind]


def parse(lines: Iterable[str]) -> list[JsonObject]:
    """The messages of whole lines."""
    return [json.loads(line) for line in lines if line.endswith("\n")]


def arguments(folder: Path, command: str, **files: Any) -> list[str]:  # noqa: ANN401 # any JSON value
    """The command line, whose options are files with these contents."""
    options = []
    for name, content in files.items():
        if content is not None:
            path = folder / f"{name}.json"
            path.write_text(json.dumps(content))
            options += [f"--{name}", str(path)]
    return [*COMMAND, command, *options]


def run(folder: Path, command: str, env: Mapping[str, str] | None = None, **files: Any) -> Output:  # noqa: ANN401 # as above
    """Run the connector to its end."""
    finished = subprocess.run(
        arguments(folder, command, **files),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        timeout=300,
    )
    return Output(finished.returncode, parse(finished.stdout.splitlines(keepends=True)))


def configured(streams: list[JsonObject], *names: str) -> JsonObject:
    """The configured catalog of these streams, or of all."""
    return {
        "streams": [
            {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
            for stream in streams
            if not names or stream["name"] in names
        ]
    }


def without_nulls(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Rows in a form to compare, in a fixed order; the CDK leaves null values out of what it writes."""
    return sorted(
        json.dumps({name: value for name, value in row.items() if value is not None}, sort_keys=True) for row in rows
    )
