"""The layers of the destination: none imports a later one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import destination_segment

PACKAGE = Path(destination_segment.__file__).parent
LAYERS = ("spec", "configuration", "calls", "delivery")


def imported_layers(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("destination_segment."):
            yield node.module.split(".")[1]
        if isinstance(node, ast.Import):
            yield from (
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith("destination_segment.")
            )
        if isinstance(node, ast.ImportFrom) and node.module == "destination_segment":
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("layer", LAYERS)
def test_no_layer_imports_a_later_one(layer: str) -> None:
    allowed = set(LAYERS[: LAYERS.index(layer) + 1])
    modules = list((PACKAGE / layer).glob("*.py"))
    assert modules
    assert {module.name: set(imported_layers(module)) - allowed for module in modules} == {
        module.name: set() for module in modules
    }


def test_every_module_is_in_a_layer_or_at_the_top() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__", "destination", "run"}
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} == set(LAYERS)
