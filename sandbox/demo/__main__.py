"""`make demo`: watch every connector sync twice against the sandbox, and view the results in DuckDB."""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from cdp_connectors.tools.duckdb_file import DuckDbFile
from sandbox.demo import into_segment
from sandbox.demo.connectors import CONNECTORS
from sandbox.demo.run import DemoError, Run
from sandbox.heap.bucket import HeapBucket, heap_bucket
from sandbox.server import Sandbox

DATABASE = Path("build/demo.duckdb")
PASSING_TIME = timedelta(days=2)
SCALE = 0.5
"""Half the sandbox's usual size, so that the demo stays short."""
INTERRUPTED = 130
DESTINATION = "destination-segment"


def main() -> int:
    """Run the demo; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--connector", choices=["all", *(connector.name for connector in CONNECTORS), DESTINATION], default="all"
    )
    chosen = parser.parse_args().connector
    console = Console()
    DATABASE.parent.mkdir(exist_ok=True)
    DATABASE.unlink(missing_ok=True)
    try:
        with ExitStack() as stack:
            database = stack.enter_context(DuckDbFile(DATABASE))
            console.print("Starting the sandbox: the vendors' APIs and an S3 server on this machine")
            sandbox = stack.enter_context(Sandbox(scale=SCALE))
            bucket = stack.enter_context(heap_bucket(sandbox.clock))
            configs = {**sandbox.configs(), "source-heap": bucket.config}
            runs = [
                Run(connector, configs[connector.source], database)
                for connector in CONNECTORS
                if chosen in {"all", connector.name}
            ]
            if runs:
                _sync_twice(runs, sandbox, bucket, console)
                console.print(f"All rows are in [bold]{DATABASE}[/bold]; open it with any DuckDB client.")
            if chosen in {"all", DESTINATION}:
                into_segment.show(sandbox.segment_tracking, configs, console)
    except (DemoError, into_segment.PipelineError) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return INTERRUPTED
    return 0


def _sync_twice(runs: list[Run], sandbox: Sandbox, bucket: HeapBucket, console: Console) -> None:
    _together(runs, Run.first_sync, console)
    sandbox.clock.advance(PASSING_TIME)
    bucket.sync()
    console.rule(f"{PASSING_TIME.days} days pass in the sandbox")
    _together(runs, Run.second_sync, console)
    for run in runs:
        run.show(console)


def _together(
    runs: list[Run], sync: Callable[[Run, Callable[[str], None], Callable[[str], None]], None], console: Console
) -> None:
    """Sync all connectors at once, each with a progress line."""
    columns = SpinnerColumn(), TextColumn("{task.fields[source]:<18} {task.description}")
    with Progress(*columns, console=console, transient=True) as progress, ThreadPoolExecutor() as threads:

        def start(run: Run) -> None:
            task = progress.add_task("starting", total=None, source=run.source)
            sync(
                run,
                lambda text: console.print(f"{run.source:<18} {text}", highlight=False),
                lambda text: progress.update(task, description=text),
            )
            progress.remove_task(task)

        list(threads.map(start, runs))


if __name__ == "__main__":
    sys.exit(main())
