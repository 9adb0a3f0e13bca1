"""One connector's way through the demo."""

from collections.abc import Callable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from sandbox.connector_process import ConnectorProcess, Output, configured
from sandbox.demo.connectors import DemoConnector, Query
from sandbox.demo.warehouse import Warehouse

Say = Callable[[str], None]
"""Takes a text to show: one that stays, or one that is replaced by the next."""


class DemoError(Exception):
    """A command of a connector did not do what the demo shows; the text says which and why."""


class Run:
    """Runs one connector's commands as Airbyte does, and keeps what came."""

    def __init__(self, connector: DemoConnector, config: dict[str, Any], warehouse: Warehouse) -> None:
        self.source = connector.source
        self._connector = connector
        self._process = ConnectorProcess(connector.module)
        self._config = config
        self._warehouse = warehouse
        self._catalog: dict[str, Any] = {}
        self._syncs: list[Output] = []

    def first_sync(self, say: Say, progress: Say) -> None:
        """Run the four commands that set up a connection and fill it."""
        progress("spec")
        form = (self._command("spec").spec or {})["connectionSpecification"]["properties"]
        say(f"spec         asks for {', '.join(name for name in form if not form[name].get('airbyte_hidden'))}")
        progress("check")
        status = self._command("check", self._config).status or {}
        say(f"check        {status['status']}")
        progress("discover")
        self._catalog = configured(self._command("discover", self._config).catalog or {})
        incremental = sum(stream["sync_mode"] == "incremental" for stream in self._catalog["streams"])
        say(f"discover     {len(self._catalog['streams'])} streams, {incremental} of them incremental")
        self._sync("first read", None, say, progress)

    def second_sync(self, say: Say, progress: Say) -> None:
        """Read again from the state that the first sync left."""
        self._sync("second read", self._syncs[-1].state_list(), say, progress)

    def show(self, console: Console) -> None:
        """Print the rows of both syncs, and what the example queries find."""
        table = Table(title=f"{self.source}: rows of both reads, and in DuckDB", title_justify="left", box=SIMPLE_HEAD)
        table.add_column("stream", no_wrap=True, max_width=42)
        for heading in ("first", "second", "DuckDB"):
            table.add_column(heading, justify="right", no_wrap=True)
        for stream in self._catalog["streams"]:
            name = stream["stream"]["name"]
            counts = [len(sync.records[name]) for sync in self._syncs]
            stored = self._warehouse.count(self._connector.name, name)
            table.add_row(name, *(f"{count:,}" for count in (*counts, stored)))
        console.print(table)
        for recipe in self._connector.recipes():
            self._warehouse.execute(self._connector.name, recipe)
        for query in self._connector.queries:
            console.print(self._answer(query))

    def _answer(self, query: Query) -> Table:
        names, rows = self._warehouse.query(query.sql)
        table = Table(*names, title=query.question, title_justify="left")
        for row in rows:
            table.add_row(*(str(value) for value in row))
        return table

    def _sync(self, title: str, state: list[dict[str, Any]] | None, say: Say, progress: Say) -> None:
        def count(output: Output) -> None:
            rows = sum(map(len, output.records.values()))
            done = sum(each == "COMPLETE" for each in output.statuses.values())
            progress(f"{title}: {rows:,} rows, {done} of {len(self._catalog['streams'])} streams complete")

        output = self._process.read(self._config, self._catalog, state, on_line=count)
        _demand(output, f"{self.source} {title}")
        progress("loading into DuckDB")
        for stream in self._catalog["streams"]:
            self._warehouse.load(self._connector.name, stream, output.records[stream["stream"]["name"]])
        self._syncs.append(output)
        say(f"{title:<12} {sum(map(len, output.records.values())):,} rows")

    def _command(self, command: str, config: dict[str, Any] | None = None) -> Output:
        output = self._process.run(command, config=config)
        _demand(output, f"{self.source} {command}")
        return output


def _demand(output: Output, what: str) -> None:
    if output.exit_code or output.errors or (output.status or {}).get("status") == "FAILED":
        reasons = [error["message"] for error in output.errors] + [str((output.status or {}).get("message", ""))]
        raise DemoError(f"{what} failed: {' '.join(reasons)}")
