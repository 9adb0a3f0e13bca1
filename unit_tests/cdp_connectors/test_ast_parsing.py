"""Templates are evaluated by many threads at once."""

import ast
from concurrent.futures import ThreadPoolExecutor

from cdp_connectors.ast_parsing import parse_one_at_a_time


def test_threads_can_evaluate_templates_at_once() -> None:
    parse_one_at_a_time()
    parse_one_at_a_time()
    identifiers = [f"{number:08x}" for number in range(100)]
    text = repr(identifiers)

    with ThreadPoolExecutor(8) as threads:
        evaluated = list(threads.map(lambda _: ast.literal_eval(text), range(400)))

    assert evaluated == [identifiers] * 400
