"""The entry points of the connectors as processes."""

import logging
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import NoReturn, TypeVar

import orjson
from airbyte_cdk.destinations import Destination
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.logger import init_logger
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, ConnectorSpecification
from airbyte_cdk.utils import AirbyteTracedException

from cdp_connectors.cdk_repairs import buffer_output, exclusive_output, print_messages
from cdp_connectors.config_faults import config_fault
from cdp_connectors.failures import config_error, make_readable
from cdp_connectors.json_types import Json
from cdp_connectors.lines import LineEntrypoint
from cdp_connectors.logs import OperatorHandler
from cdp_connectors.process_end import end_on_signals_and_closed_output, run_to_the_end
from cdp_connectors.source import ManifestSource

T = TypeVar("T")


class _Entrypoint(LineEntrypoint):
    """The CDK's entrypoint, which validates a configuration without quoting it."""

    @staticmethod
    def validate_connection(source_spec: ConnectorSpecification, config: Mapping[str, Json]) -> None:
        """Validate the configuration against the specification of the connector.

        Raises:
            AirbyteTracedException: a `config_error` that names each field at fault and no value.
        """
        if fault := config_fault(config, source_spec.connectionSpecification):
            raise config_error(f"The configuration is not valid. {fault}")


def launch(source_class: type[ManifestSource], args: list[str]) -> NoReturn:
    """Run one command of the source, write its messages to standard output, and end the process.

    Its exit code is 1 after a failure, which was written as an error trace message.

    Args:
        source_class: the source to run.
        args: the command line without the program's name.
    """
    _run(lambda: run_source(source_class, args))


def run_source(source_class: type[ManifestSource], args: list[str]) -> None:
    """Run one command of the source, without ending this process."""
    command = _parse(AirbyteEntrypoint.parse_args, args)
    source = _create(source_class, vars(command))
    source.prepare_for_lines()
    print_messages(_Entrypoint(source).run(command))


def launch_destination(destination: Destination, args: list[str]) -> NoReturn:
    """Run one command of the destination, write its messages to standard output, and end the process.

    Each message is written at once and in one piece. The CDK's own loop leaves states in the output buffer, where they
    are lost if the process is killed, and writes a line in two parts, between which another thread may log. The exit
    code is 1 after a failure, which was written as an error trace message.

    Args:
        destination: the destination to run.
        args: the command line without the program's name.
    """
    _run(lambda: run_destination(destination, args))


def run_destination(destination: Destination, args: list[str]) -> None:
    """Run one command of the destination, without ending this process."""
    command = _parse(destination.parse_args, args)
    _load("config", vars(command), Destination.read_config)
    _load("catalog", vars(command), _read_json)
    for message in destination.run_cmd(command):
        _write(message)


def _run(command: Callable[[], None]) -> NoReturn:
    end_on_signals_and_closed_output()
    buffer_output()
    prepare_logging()
    run_to_the_end(lambda: report_failure(command))


def prepare_logging() -> None:
    """Set up logging for operators."""
    logger = init_logger("airbyte")
    logging.basicConfig(handlers=[OperatorHandler()], force=True)
    init_uncaught_exception_handler(logger)


def report_failure(command: Callable[[], None]) -> None:
    """Run a command; write its failure as an error trace message, and exit with 1."""
    try:
        _require_temporary_directory()
        command()
    except AirbyteTracedException as error:
        _write_trace(error)
        sys.exit(1)


def _parse(parse_args: Callable[[list[str]], Namespace], args: list[str]) -> Namespace:
    """Parse the command line; without arguments, print the usage to standard error and exit with 2."""
    if args:
        return parse_args(args)
    with suppress(SystemExit), redirect_stdout(sys.stderr):
        parse_args(["--help"])
    sys.exit(2)


def _require_temporary_directory() -> None:
    """Require the directory in which the CDK keeps its cache of parent streams."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise config_error(
            "The connector needs a writable temporary directory, and there is none. Mount one at /tmp, or set TMPDIR."
        ) from error


def _create(source_class: type[ManifestSource], paths: Mapping[str, Json]) -> ManifestSource:
    return source_class(
        config=_load("config", paths, source_class.read_config),
        catalog=_load("catalog", paths, source_class.read_catalog),
        state=_load("state", paths, source_class.read_state),
    )


def _load(option: str, paths: Mapping[str, Json], reader: Callable[[str], T]) -> T | None:
    path = paths.get(option)
    if not path:
        return None
    try:
        return reader(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise config_error(
            f"Could not read the file passed to --{option}: {reason} ({Path(path).name})",
            f"--{option} {path}: {reason}",
        ) from error


def _write_trace(error: AirbyteTracedException) -> None:
    message = error.as_sanitized_airbyte_message()
    if message.trace and message.trace.error:
        make_readable(message.trace.error)
    _write(message)


def _write(message: AirbyteMessage | str) -> None:
    line = message if isinstance(message, str) else orjson.dumps(AirbyteMessageSerializer.dump(message)).decode()
    with exclusive_output():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _read_json(path: str) -> Json:
    return orjson.loads(Path(path).read_bytes())
