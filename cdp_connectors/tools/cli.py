"""The console script `cdp-connectors`."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import orjson
from rich.console import Console

from cdp_connectors.extras import exit_for_missing
from cdp_connectors.json_types import Json, JsonObject
from cdp_connectors.tools.catalogs import UnknownStreamError, configured_catalog
from cdp_connectors.tools.connector import SOURCES, ConnectorError, discover
from cdp_connectors.tools.reading import Rows, read
from cdp_connectors.tools.terminal import ReadProgress, closing_lines

_INTERRUPTED = 130


class UsageError(Exception):
    """Arguments that cannot be used; the message says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the process's exit code: 1 after a failure, 2 for unusable arguments."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ConnectorError, UnknownStreamError) as error:
        _tell(str(error))
        return 1
    except UsageError as error:
        _tell(str(error))
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the interpreter's last flush succeeds
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cdp-connectors", description="Run the sources of cdp-connectors by hand, and examine an account."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    catalog = commands.add_parser("catalog", help="write a configured catalog", description=_catalog.__doc__)
    _add_selection(catalog)
    catalog.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    catalog.set_defaults(run=_catalog)
    reading = commands.add_parser("read", help="run a sync and keep its rows and state", description=_read.__doc__)
    _add_selection(reading)
    reading.add_argument("--catalog", type=Path, metavar="FILE", help="a configured catalog instead of a selection")
    reading.add_argument("--state", type=Path, metavar="FILE", help="where the state is kept (default: %(default)s)")
    reading.add_argument("--duckdb", type=Path, metavar="FILE", help="load the rows into this DuckDB file")
    reading.set_defaults(run=_read, state=Path("state.json"))
    doctor = commands.add_parser("doctor", help="examine an account", description=_doctor.__doc__)
    _add_connector(doctor)
    doctor.add_argument("--streams", nargs="+", metavar="STREAM", help="default: all streams")
    doctor.add_argument("--report", type=Path, metavar="FILE", help="write the findings as JSON, without any values")
    doctor.set_defaults(run=_doctor)
    return parser


def _add_connector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connector", choices=SOURCES, metavar="CONNECTOR", help=", ".join(SOURCES))
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the connector's configuration")


def _add_selection(parser: argparse.ArgumentParser) -> None:
    _add_connector(parser)
    parser.add_argument("--streams", nargs="+", metavar="STREAM", help="default: all streams")
    parser.add_argument("--full-refresh", action="store_true", help="read every stream from the beginning")


def _catalog(options: argparse.Namespace) -> int:
    """Discover the streams of an account, and write a configured catalog of some or all of them."""
    text = orjson.dumps(_selected(options), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if options.output:
        options.output.write_bytes(text)
    else:
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
    return 0


def _read(options: argparse.Namespace) -> int:
    """Run a sync from the saved state, and show its progress.

    With --duckdb, the rows are kept in one table per stream, and the state is saved after them, so that the next read
    continues there. Without it, rows are only counted and no state is saved.
    """
    catalog = _json_file(options.catalog, "--catalog") if options.catalog else _selected(options)
    console = Console(stderr=True, highlight=False)
    with ExitStack() as stack:
        rows = _duckdb_rows(options, catalog, stack) if options.duckdb else None
        view = stack.enter_context(ReadProgress(console))
        config = _json_file(options.config, "--config")
        progress = read(options.connector, config, catalog, options.state, rows, view.show)
    for line in closing_lines(progress):
        console.print(line)
    console.print(
        f"Rows are in {options.duckdb}, the state in {options.state}."
        if rows
        else "Rows were only counted, and no state was saved; --duckdb FILE keeps both."
    )
    return 1 if progress.exit_code else 0


def _doctor(options: argparse.Namespace) -> int:
    """Try every stream with as few requests as possible; show what it costs and where it differs from its schema."""
    try:
        from airbyte_cdk.utils import AirbyteTracedException  # noqa: PLC0415 # importing the CDK takes a second

        from cdp_connectors.tools.doctor import examine, tables  # noqa: PLC0415 # as above
    except ModuleNotFoundError as error:
        exit_for_missing(error, options.connector.removeprefix("source-"))
    config = _json_file(options.config, "--config")
    try:
        report = examine(options.connector, config, options.streams)
    except AirbyteTracedException as error:
        raise ConnectorError(f"{options.connector} could not be examined. {error.message}") from error
    console = Console(highlight=False)
    for table in tables(report):
        console.print(table)
    if options.report:
        options.report.write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    return 0 if report.is_readable else 1


def _selected(options: argparse.Namespace) -> JsonObject:
    config = _json_file(options.config, "--config")
    catalog = discover(options.connector, config)
    return configured_catalog(catalog, options.streams, full_refresh=options.full_refresh)


def _duckdb_rows(options: argparse.Namespace, catalog: JsonObject, stack: ExitStack) -> Rows:
    try:
        import duckdb  # noqa: PLC0415 # an extra

        from cdp_connectors.tools.duckdb_file import DuckDbFile, DuckDbRows  # noqa: PLC0415 # needs the extra
    except ModuleNotFoundError as error:
        raise UsageError("--duckdb needs DuckDB. Install it with: pip install 'cdp-connectors[duckdb]'") from error
    try:
        file = stack.enter_context(DuckDbFile(options.duckdb))
    except duckdb.Error as error:
        raise UsageError(f"Could not open {options.duckdb}. {error}") from error
    return DuckDbRows(file, options.connector.removeprefix("source-"), catalog)


def _json_file(path: Path, option: str) -> Json:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"Could not read the file passed to {option}: {error.strerror} ({path})") from error
    except orjson.JSONDecodeError as error:
        raise UsageError(f"The file passed to {option} is not valid JSON: {error} ({path})") from error


def _tell(message: str) -> None:
    print(message, file=sys.stderr)
