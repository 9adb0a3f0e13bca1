"""A destination as the Airbyte platform runs it: messages on its standard input, accepted states on its output."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from sandbox.connector_process import Output

Process = subprocess.Popen[bytes]


class DestinationProcess:
    """Runs `write` of one destination, each time as a process of its own."""

    def __init__(self, module: str) -> None:
        """Run `python -m MODULE` with this interpreter, as the console script of the same connector does."""
        self._command = [sys.executable, "-m", module]

    def write(
        self,
        config: Mapping[str, Any],
        catalog: Mapping[str, Any],
        lines: Iterable[bytes],
        *,
        while_running: Callable[[Process], None] | None = None,
    ) -> Output:
        """Write the lines.

        Args:
            config: the destination's configuration.
            catalog: the configured catalog.
            lines: messages, one a line; more are asked for as the destination reads them.
            while_running: called once the process runs; what it does to the process is its own affair.
        """
        read_end, write_end = os.pipe()
        with self._started(config, catalog, read_end) as process:
            os.close(read_end)
            threading.Thread(target=_feed, args=(write_end, lines), daemon=True).start()
            if while_running:
                threading.Thread(target=while_running, args=(process,), daemon=True).start()
            return _output_of(process)

    def write_from(
        self,
        source_module: str,
        source_config: Mapping[str, Any],
        catalog: Mapping[str, Any],
        config: Mapping[str, Any],
    ) -> tuple[int, Output]:
        """Write what a source reads: `source-… read | destination-… write`, joined by a pipe.

        Returns:
            the source's exit code, and what the destination wrote.
        """
        with tempfile.TemporaryDirectory() as folder:
            options = _options(Path(folder), config=source_config, catalog=catalog)
            command = [sys.executable, "-m", source_module, "read", *options]
            with (
                subprocess.Popen(command, stdout=subprocess.PIPE) as source,
                self._started(config, catalog, source.stdout) as process,
            ):
                if source.stdout:
                    source.stdout.close()  # the destination has it now; the source learns if it goes away
                output = _output_of(process)
                return source.wait(), output

    @contextmanager
    def _started(
        self, config: Mapping[str, Any], catalog: Mapping[str, Any], stdin: int | IO[bytes] | None
    ) -> Iterator[Process]:
        with tempfile.TemporaryDirectory() as folder:
            command = [*self._command, "write", *_options(Path(folder), config=config, catalog=catalog)]
            with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE) as process:
                yield process


def _options(folder: Path, **inputs: Mapping[str, Any]) -> list[str]:
    options = []
    for name, value in inputs.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(value))
        options += [f"--{name}", str(path)]
    return options


def _feed(write_end: int, lines: Iterable[bytes]) -> None:
    with suppress(BrokenPipeError), open(write_end, "wb") as stdin:  # a descriptor has no path
        stdin.writelines(line + b"\n" for line in lines)


def _output_of(process: Process) -> Output:
    output = Output()
    for line in process.stdout or ():
        output.add(line.decode())
    output.exit_code = process.wait()
    return output
