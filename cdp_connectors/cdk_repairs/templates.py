"""Templates: parsed by one thread at a time, and cursors that stay strings."""

import ast
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

from airbyte_cdk.sources.declarative.interpolation import InterpolatedString
from airbyte_cdk.sources.declarative.requesters.paginators.strategies.cursor_pagination_strategy import (
    CursorPaginationStrategy,
)
from airbyte_cdk.sources.types import Config

from cdp_connectors.json_types import Json

P = ParamSpec("P")
R = TypeVar("R")

_FIRST_PYTHON_WITH_SAFE_PARSER = (3, 13)
_parser_lock = Lock()


def serialize_parsing() -> None:
    """Allow only one thread at a time to run `ast.parse`; a second call changes nothing.

    The CDK passes the result of every template through `ast.literal_eval`, in all its worker threads. Before
    Python 3.13 (and the last releases of 3.11 and 3.12), CPython counts the depth of the tree that it builds in a
    place shared by all threads: when one thread interrupts another, `SystemError: AST constructor recursion depth
    mismatch` fails the stream (https://github.com/python/cpython/issues/106905). No test shows it, since
    nothing can force that interruption: remove this once Python 3.12 is no longer supported, or once the CDK evaluates
    templates without `ast`.
    """
    if sys.version_info < _FIRST_PYTHON_WITH_SAFE_PARSER and not hasattr(ast.parse, "__wrapped__"):
        ast.parse = _one_at_a_time(ast.parse)


def _one_at_a_time(function: Callable[P, R]) -> Callable[P, R]:
    @wraps(function)
    def locked(*args: P.args, **options: P.kwargs) -> R:
        with _parser_lock:
            return function(*args, **options)

    return locked


class StringCursorPaginationStrategy(CursorPaginationStrategy):
    """`CursorPagination` whose cursor stays a string; the CDK parses the cursor `30e00001` as a number."""

    def __post_init__(self, parameters: Mapping[str, Json]) -> None:
        """Replace the template of the cursor."""
        super().__post_init__(parameters)
        self._cursor_value = _StringTemplate(self._cursor_value.string, parameters=parameters)


class _StringTemplate(InterpolatedString):
    def eval(self, config: Config, **kwargs: Json) -> Json:
        return super().eval(config, valid_types=(str,), **kwargs)
