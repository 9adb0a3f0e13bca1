"""A connector as the Airbyte platform runs it: a process for every command, JSON lines on its standard output."""

import itertools
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

JsonObject = dict[str, Any]


@dataclass
class Output:
    """What a command wrote, sorted by kind of message."""

    exit_code: int | None = None
    """The process's exit code; None while it runs."""
    spec: JsonObject | None = None
    status: JsonObject | None = None
    catalog: JsonObject | None = None
    records: dict[str, list[JsonObject]] = field(default_factory=lambda: defaultdict(list))
    """The data of the records, by stream, in the order they were written."""
    states: dict[str, JsonObject] = field(default_factory=dict)
    """The latest state message of each stream."""
    statuses: dict[str, str] = field(default_factory=dict)
    """The latest status of each stream: STARTED, RUNNING, COMPLETE or INCOMPLETE."""
    errors: list[JsonObject] = field(default_factory=list)
    """The error traces: `message`, `failure_type`, `stream_descriptor`, `internal_message`, `stack_trace`."""
    logs: list[JsonObject] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    """Lines that are no messages; a connector must not write any."""
    _committed: dict[str, int] = field(default_factory=dict)

    def committed(self, stream: str) -> list[JsonObject]:
        """The records that a destination has for certain: those the stream's latest state came after."""
        return self.records[stream][: self._committed.get(stream, 0)]

    def state_list(self) -> list[JsonObject]:
        """The states in the form of a `--state` file."""
        return list(self.states.values())

    def add(self, line: str) -> None:
        """Sort one line in."""
        try:
            message = orjson.loads(line)
        except orjson.JSONDecodeError:
            self.unreadable.append(line)
            return
        match message["type"]:
            case "RECORD":
                self.records[message["record"]["stream"]].append(message["record"]["data"])
            case "STATE":
                stream = message["state"]["stream"]["stream_descriptor"]["name"]
                self.states[stream] = message["state"]
                self._committed[stream] = len(self.records[stream])
            case "TRACE" if message["trace"]["type"] == "STREAM_STATUS":
                status = message["trace"]["stream_status"]
                self.statuses[status["stream_descriptor"]["name"]] = status["status"]
            case "TRACE" if message["trace"]["type"] == "ERROR":
                self.errors.append(message["trace"]["error"])
            case "LOG":
                self.logs.append(message["log"])
            case "SPEC":
                self.spec = message["spec"]
            case "CONNECTION_STATUS":
                self.status = message["connectionStatus"]
            case "CATALOG":
                self.catalog = message["catalog"]


class ConnectorProcess:
    """Runs the commands of one connector, each as a process of its own."""

    def __init__(self, module: str) -> None:
        """Run `python -m MODULE` with this interpreter, as the console script of the same connector does."""
        self._command = [sys.executable, "-m", module]

    def spec(self) -> Output:
        """Run `spec`."""
        return self.run("spec")

    def check(self, config: Mapping[str, Any]) -> Output:
        """Run `check`."""
        return self.run("check", config=config)

    def discover(self, config: Mapping[str, Any]) -> Output:
        """Run `discover`."""
        return self.run("discover", config=config)

    def read(
        self,
        config: Mapping[str, Any],
        catalog: Mapping[str, Any],
        state: list[JsonObject] | None = None,
        *,
        stop_when: Callable[[int, Output], bool] | None = None,
        on_line: Callable[[Output], None] | None = None,
    ) -> Output:
        """Run `read`.

        Args:
            config: the configuration.
            catalog: the configured catalog; see `configured`.
            state: what `Output.state_list` of the sync before returned.
            stop_when: called with the number of lines and the output so far; once it is true, the process is
                killed with SIGKILL.
            on_line: called after every line, to show progress.
        """
        return self.run("read", stop_when=stop_when, on_line=on_line, config=config, catalog=catalog, state=state)

    def run(
        self,
        command: str,
        *,
        stop_when: Callable[[int, Output], bool] | None = None,
        on_line: Callable[[Output], None] | None = None,
        **inputs: object,
    ) -> Output:
        """Run any command; every input becomes a JSON file and its option, a text is written as it is."""
        output = Output()
        with tempfile.TemporaryDirectory() as folder:
            arguments = [*self._command, command, *_options(inputs, Path(folder))]
            with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
                for count, line in enumerate(_lines(process), start=1):
                    output.add(line)
                    if on_line:
                        on_line(output)
                    if stop_when and stop_when(count, output):
                        process.kill()
                        break
                process.wait()
            output.exit_code = process.returncode
        return output


def configured(catalog: Mapping[str, Any], streams: Iterable[str] | None = None) -> JsonObject:
    """Select streams of a discovered catalog, incremental where the stream can be, as a user would."""
    selected = set(streams) if streams is not None else None
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": sync_mode(stream),
                "destination_sync_mode": "append_dedup" if sync_mode(stream) == "incremental" else "overwrite",
                "cursor_field": stream.get("default_cursor_field") or [],
                "primary_key": stream.get("source_defined_primary_key") or [],
            }
            for stream in catalog["streams"]
            if selected is None or stream["name"] in selected
        ]
    }


def sync_mode(stream: Mapping[str, Any]) -> str:
    """The better one of the stream's sync modes."""
    return "incremental" if "incremental" in stream["supported_sync_modes"] else "full_refresh"


def _options(inputs: Mapping[str, object], folder: Path) -> Iterator[str]:
    present = {name: value for name, value in inputs.items() if value is not None}
    paths = {name: folder / f"{name}.json" for name in present}
    for name, value in present.items():
        paths[name].write_text(value if isinstance(value, str) else json.dumps(value))
    return itertools.chain.from_iterable((f"--{name}", str(path)) for name, path in paths.items())


def _lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    if process.stdout:
        yield from process.stdout
