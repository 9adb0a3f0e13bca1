"""A guard against a defect of CPython that fails streams at random."""

import ast
import sys
from functools import wraps
from threading import Lock
from typing import Any

_FIRST_UNAFFECTED = (3, 13)
_parsing = Lock()


def parse_one_at_a_time() -> None:
    """Let only one thread at a time run `ast.parse`; calling this again changes nothing.

    The CDK puts the result of every template through `ast.literal_eval`, from all its worker threads. Before
    Python 3.13 (and the last releases of 3.11 and 3.12), CPython counts the depth of the tree that it builds in a place
    that all threads share: when one is interrupted by another, it raises `SystemError: AST constructor recursion
    depth mismatch` (CPython issue 106905), and the stream fails.
    """
    if sys.version_info >= _FIRST_UNAFFECTED or hasattr(ast.parse, "__wrapped__"):
        return
    parse = ast.parse

    @wraps(parse)
    def parse_alone(*args: Any, **options: Any) -> Any:  # noqa: ANN401 # whatever ast.parse takes and gives
        with _parsing:
            return parse(*args, **options)

    ast.parse = parse_alone
