"""How a connector starts as a process: its commands, and one sentence for everything a user can get wrong."""

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

import orjson
from airbyte_cdk.destinations import Destination
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.logger import init_logger
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, ConfiguredAirbyteCatalogSerializer, FailureType
from airbyte_cdk.utils import AirbyteTracedException
from requests import RequestException

from cdp_connectors.cdk_repairs import correct_record_count, exclusive_output, print_messages
from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json
from cdp_connectors.lines import LineEntrypoint
from cdp_connectors.process_end import end_on_signals_and_closed_output, run_to_the_end
from cdp_connectors.refusals import StoppedStreamError
from cdp_connectors.source import ManifestSource

T = TypeVar("T")


class _ExpectedErrorsWithoutTraceback(logging.Filter):
    """Log an error that was understood as its sentence; only what nobody foresaw keeps its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, StoppedStreamError):
            return False
        if isinstance(error, AirbyteTracedException | RequestException):
            record.msg = f"{record.getMessage()}: {error}"
            record.args = ()
            record.exc_info = record.exc_text = None
        return True


def launch(source_class: type[ManifestSource], args: list[str]) -> NoReturn:
    """Run one command of the source, write its messages to standard output, and end the process.

    Its exit code is 1 after a failure, which was written as an error trace message.

    Args:
        source_class: the source to run.
        args: the command line without the program's name.
    """
    _run(lambda: _run_source(source_class, args))


def _run_source(source_class: type[ManifestSource], args: list[str]) -> None:
    source = _create(source_class, args)
    source.prepare_for_lines()
    entrypoint = LineEntrypoint(source)
    print_messages(entrypoint.run(entrypoint.parse_args(args)))


def launch_destination(destination: Destination, args: list[str]) -> NoReturn:
    """Run one command of the destination, write its messages to standard output, and end the process.

    Each message is written at once and in one piece. The CDK's own loop leaves states in the output's buffer, where a
    kill loses them, and writes a line in two parts, between which another thread's log could come. The exit code is 1
    after a failure, which was written as an error trace message.

    Args:
        destination: the destination to run.
        args: the command line without the program's name.
    """
    _run(lambda: _run_destination(destination, args))


def _run_destination(destination: Destination, args: list[str]) -> None:
    command = destination.parse_args(args or ["--help"])
    _load("config", vars(command), Destination.read_config)
    _load("catalog", vars(command), lambda path: ConfiguredAirbyteCatalogSerializer.load(_read_json(path)))
    for message in destination.run_cmd(command):
        _write(message)


def _run(command: Callable[[], None]) -> NoReturn:
    end_on_signals_and_closed_output()
    logger = init_logger("airbyte")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_ExpectedErrorsWithoutTraceback())
        handler.addFilter(correct_record_count)
    init_uncaught_exception_handler(logger)

    def report_failure() -> None:
        try:
            command()
        except AirbyteTracedException as error:
            _write_trace(error)
            sys.exit(1)

    run_to_the_end(report_failure)


def _create(source_class: type[ManifestSource], args: list[str]) -> ManifestSource:
    paths = vars(AirbyteEntrypoint.parse_args(args))
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
            f"The file given with --{option} cannot be used: {reason} ({Path(path).name})",
            f"--{option} {path}: {error}",
        ) from error


def _write_trace(error: AirbyteTracedException) -> None:
    message = error.as_sanitized_airbyte_message()
    if error.failure_type is FailureType.config_error and message.trace and message.trace.error:
        message.trace.error.stack_trace = None
    _write(message)


def _write(message: AirbyteMessage) -> None:
    line = orjson.dumps(AirbyteMessageSerializer.dump(message)).decode() + "\n"
    with exclusive_output():
        sys.stdout.write(line)
        sys.stdout.flush()


def _read_json(path: str) -> Json:
    return orjson.loads(Path(path).read_bytes())
