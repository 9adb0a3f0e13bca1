"""`make demo`: watch every connector sync twice against the sandbox, and look at the result in DuckDB."""

import argparse
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.connector_process import ConnectorProcess, Output, configured
from sandbox.demo.connectors import CONNECTORS, DemoConnector, Query
from sandbox.demo.warehouse import Warehouse
from sandbox.server import Sandbox

DATABASE = Path("build/demo.duckdb")
PASSING_TIME = timedelta(days=2)
console = Console()


class DemoError(Exception):
    """A command of a connector did not do what the demo shows; the text says which and why."""


def main() -> int:
    """Run the demo; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    names = [connector.name for connector in CONNECTORS]
    parser.add_argument("--connector", choices=["all", *names], default="all")
    chosen = parser.parse_args().connector
    DATABASE.parent.mkdir(exist_ok=True)
    warehouse = Warehouse(DATABASE)
    try:
        with console.status("Generating the sandbox's data"):
            sandbox = Sandbox()
        with sandbox:
            runs = [Run(each, sandbox, warehouse) for each in CONNECTORS if chosen in ("all", each.name)]
            for run in runs:
                run.first_sync()
            sandbox.clock.advance(PASSING_TIME)
            console.rule(f"{PASSING_TIME.days} days pass in the sandbox")
            for run in runs:
                run.second_sync()
            for run in runs:
                run.show()
    except DemoError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    finally:
        warehouse.close()
    console.print(f"Everything is in [bold]{DATABASE}[/bold]; open it with any DuckDB client.")
    return 0


class Run:
    """One connector's way through the demo."""

    def __init__(self, connector: DemoConnector, sandbox: Sandbox, warehouse: Warehouse) -> None:
        self._connector = connector
        self._process = ConnectorProcess(connector.module)
        self._config = sandbox.configs()[connector.source]
        self._warehouse = warehouse
        self._catalog: dict[str, Any] = {}
        self._syncs: list[Output] = []

    def first_sync(self) -> None:
        """Run the four commands as Airbyte does when a connection is set up."""
        console.rule(f"[bold]{self._connector.source}")
        fields = self._command("spec").spec or {}
        console.print(f"spec      asks for {', '.join(fields['connectionSpecification']['properties'])}")
        status = self._command("check", self._config).status or {}
        console.print(f"check     {status['status']}")
        self._catalog = configured(self._command("discover", self._config).catalog or {})
        incremental = sum(stream["sync_mode"] == "incremental" for stream in self._catalog["streams"])
        console.print(f"discover  {len(self._catalog['streams'])} streams, {incremental} of them incremental")
        self._sync("first read", None)

    def second_sync(self) -> None:
        """Read again from the state that the first sync left."""
        self._sync("second read", self._syncs[-1].state_list())

    def show(self) -> None:
        """Print the rows of both syncs, and what the example queries find."""
        table = Table(title=f"{self._connector.source}: rows", title_justify="left")
        table.add_column("stream", no_wrap=True)
        table.add_column("sync mode")
        for heading in ("first read", "second read", "in DuckDB"):
            table.add_column(heading, justify="right")
        for stream in self._catalog["streams"]:
            name = stream["stream"]["name"]
            counts = [len(sync.records[name]) for sync in self._syncs]
            stored = self._warehouse.count(self._connector.name, name)
            table.add_row(name, stream["sync_mode"], *(f"{count:,}" for count in (*counts, stored)))
        console.print(table)
        for query in self._connector.queries:
            self._answer(query)

    def _answer(self, query: Query) -> None:
        names, rows = self._warehouse.query(query.sql)
        table = Table(*names, title=query.question, title_justify="left")
        for row in rows:
            table.add_row(*(str(value) for value in row))
        console.print(table)

    def _sync(self, title: str, state: list[dict[str, Any]] | None) -> None:
        with console.status(title) as status:

            def show(output: Output) -> None:
                rows = sum(map(len, output.records.values()))
                done = sum(each == "COMPLETE" for each in output.statuses.values())
                status.update(f"{title}: {rows:,} rows, {done} of {len(self._catalog['streams'])} streams complete")

            output = self._process.read(self._config, self._catalog, state, on_line=show)
            _demand(output, title)
            status.update("Loading into DuckDB")
            for stream in self._catalog["streams"]:
                self._warehouse.load(self._connector.name, stream, output.records[stream["stream"]["name"]])
        self._syncs.append(output)
        rows = sum(map(len, output.records.values()))
        console.print(f"{title:<11} {rows:,} rows")

    def _command(self, command: str, config: dict[str, Any] | None = None) -> Output:
        with console.status(command):
            output = self._process.run(command, config=config)
        _demand(output, f"{self._connector.source} {command}")
        return output


def _demand(output: Output, what: str) -> None:
    if output.exit_code or output.errors or (output.status or {}).get("status") == "FAILED":
        reasons = [error["message"] for error in output.errors] + [str((output.status or {}).get("message", ""))]
        raise DemoError(f"{what} failed: {' '.join(reasons)}")


if __name__ == "__main__":
    sys.exit(main())
