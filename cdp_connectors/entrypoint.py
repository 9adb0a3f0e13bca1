"""How a connector starts as a process: its commands, and one sentence for everything a user can get wrong."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import orjson
from airbyte_cdk.destinations import Destination
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.entrypoint import launch as launch_cdk
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.logger import init_logger
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, ConfiguredAirbyteCatalogSerializer, FailureType
from airbyte_cdk.utils import AirbyteTracedException
from requests import RequestException

from cdp_connectors.cdk_repairs import exclusive_output
from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json
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


def launch(source_class: type[ManifestSource], args: list[str]) -> None:
    """Run one command of the source and write its messages to standard output.

    Args:
        source_class: the source to run.
        args: the command line without the program's name.

    Raises:
        SystemExit: with 1 after a failure, which was written as an error trace message.
    """
    _prepare_process()
    try:
        launch_cdk(_create(source_class, args), args)
    except AirbyteTracedException as error:
        _write_trace(error)
        sys.exit(1)


def launch_destination(destination: Destination, args: list[str]) -> None:
    """Run one command of the destination and write its messages to standard output, each at once and in one piece.

    The CDK's own loop leaves states in the output's buffer, where a kill loses them, and writes a line in two parts,
    between which another thread's log could come.

    Args:
        destination: the destination to run.
        args: the command line without the program's name.

    Raises:
        SystemExit: with 1 after a failure, which was written as an error trace message.
    """
    init_uncaught_exception_handler(_prepare_process())
    try:
        command = destination.parse_args(args or ["--help"])
        _load("config", vars(command), Destination.read_config)
        _load("catalog", vars(command), lambda path: ConfiguredAirbyteCatalogSerializer.load(_read_json(path)))
        for message in destination.run_cmd(command):
            _write(message)
    except AirbyteTracedException as error:
        _write_trace(error)
        sys.exit(1)


def _prepare_process() -> logging.Logger:
    _end_on_sigterm()
    logger = init_logger("airbyte")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_ExpectedErrorsWithoutTraceback())
    return logger


def _end_on_sigterm() -> None:
    """Let SIGTERM end the process after the message that is being written, with 143.

    By default, the first process of a container ignores SIGTERM, and any other is cut off within a line. A handler
    would interrupt the writing itself, or a thread that is being started, and then wait for its lock for ever; an
    exception would wait for the requests and back-offs under way. Therefore one thread alone receives the signal, and
    takes the lock that is held while a line is written.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])

    def wait_and_end() -> None:
        number = signal.sigwait([signal.SIGTERM])
        with exclusive_output():
            os._exit(128 + number)

    threading.Thread(target=wait_and_end, name="sigterm", daemon=True).start()


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
