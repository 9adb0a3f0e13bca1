"""One connector's part of the demo."""

from collections.abc import Callable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from cdp_connectors.json_types import Json, JsonObject
from cdp_connectors.tools.duckdb_file import DuckDbFile, DuckDbRows
from sandbox.airbyte import Attempt, BulkCdkLike, CommandError, Connector, Sync, configured, run_sync
from sandbox.demo.connectors import DemoConnector, Query

Say = Callable[[str], None]
"""Prints a line, or replaces the current progress line."""

WHY_TWICE = (
    "A full refresh stream is read completely by every sync, and its table is replaced. An incremental stream rereads "
    "recent rows that may have changed (a lookback), and a newer row replaces the older one with the same key."
)


class DemoError(Exception):
    """A command of the demo failed; the message says which and why."""


class Run:
    """Runs one connector's commands as Airbyte does, and keeps the rows in DuckDB."""

    def __init__(self, connector: DemoConnector, config: JsonObject, database: DuckDbFile) -> None:
        self.source = connector.source
        self._connector = connector
        self._process = Connector(connector.module, config)
        self._destination = BulkCdkLike()
        self._database = database
        self._catalog: JsonObject = {"streams": []}
        self._rows: dict[str, int] = {}
        self._syncs: list[Attempt] = []

    def first_sync(self, say: Say, progress: Say) -> None:
        """Run the four commands that set up a connection and fill it."""
        progress("spec")
        form = (self._process.spec().spec or {})["connectionSpecification"]["properties"]
        say(f"spec         settings: {', '.join(name for name in form if not form[name].get('airbyte_hidden'))}")
        progress("check")
        result = self._process.check().check_result
        if result["status"] != "SUCCEEDED":
            raise DemoError(f"{self.source} check failed: {result.get('message')}")
        say("check        SUCCEEDED")
        self._discover(progress)
        incremental = sum(stream["sync_mode"] == "incremental" for stream in self._catalog["streams"])
        say(f"discover     {len(self._catalog['streams'])} streams, {incremental} of them incremental")
        self._sync("first sync", say, progress)

    def second_sync(self, say: Say, progress: Say) -> None:
        """Discover again and sync from the state of the first sync, as Airbyte does the next day."""
        known = set(self._names())
        self._discover(progress)
        if new := [name for name in self._names() if name not in known]:
            say(f"discover     streams that are new since the first sync: {', '.join(new)}")
        self._sync("second sync", say, progress)

    def show(self, console: Console) -> None:
        """Print the row counts of both syncs, and the results of the example queries."""
        table = Table(title=f"{self.source}: rows", title_justify="left", box=SIMPLE_HEAD, caption_justify="left")
        table.add_column("stream", overflow="fold")
        table.add_column("sync mode", no_wrap=True)
        for heading in ("first sync", "second sync", "in DuckDB"):
            table.add_column(heading, justify="right", no_wrap=True, min_width=7)
        for stream in self._catalog["streams"]:
            name = stream["stream"]["name"]
            counts = [*(sync.emitted[name] for sync in self._syncs), self._rows[name]]
            mode = stream["sync_mode"].replace("_", " ")
            table.add_row(name, mode, *(f"{count:,}" for count in counts))
        console.print(table)
        for remark in (WHY_TWICE, *self._connector.remarks):
            console.print(Padding(remark, (0, 2)), style="dim")
        for recipe in self._connector.recipes():
            self._database.execute(self._connector.name, recipe)
        for query in self._connector.queries:
            console.print(self._answer(query))

    def _answer(self, query: Query) -> Table:
        names, rows = self._database.query(query.sql)
        table = Table(title=query.question, title_justify="left")
        for number, name in enumerate(names):
            is_number = all(isinstance(row[number], int | float) for row in rows)
            table.add_column(name, justify="right" if rows and is_number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_shown(name, value) for name, value in zip(names, row, strict=True)))
        return table

    def _names(self) -> list[str]:
        return [each["stream"]["name"] for each in self._catalog["streams"]]

    def _discover(self, progress: Say) -> None:
        progress("discover")
        try:
            self._catalog = configured(self._process.discover())
        except CommandError as error:
            raise DemoError(f"{self.source} discover failed: {error}") from error

    def _sync(self, title: str, say: Say, progress: Say) -> None:
        def count(sync: Sync) -> None:
            attempt = sync.attempt
            done = sum(each == "COMPLETE" for each in attempt.source_status.values())
            progress(f"{title}: {attempt.record_count:,} rows, {done} of {len(self._names())} streams complete")

        states = self._syncs[-1].state_list() if self._syncs else []
        attempt = run_sync(self._process, self._destination, self._catalog, states, during=count)
        if attempt.status != "succeeded":
            raise DemoError(f"{self.source} {title} failed: {' '.join(attempt.messages)}")
        progress("loading into DuckDB")
        rows = DuckDbRows(self._database, self._connector.name, self._catalog)
        for name in self._names():
            for record in attempt.records[name]:
                rows.add(name, record)
            rows.finish(name)
            self._rows[name] = rows.count(name)
        self._syncs.append(attempt)
        say(f"{title:<12} {attempt.record_count:,} rows")


def _shown(name: str, value: Json) -> str:
    is_figure = isinstance(value, int | float) and not name.endswith("_id")
    return f"{value:,}" if is_figure else str(value)
