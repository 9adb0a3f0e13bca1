"""Private names of the CDK stay in `cdp_connectors.cdk_repairs`, for the tests and the sandbox too."""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("cdp_connectors", "source_segment", "source_customerio", "source_heap", "destination_segment")
MODULES = [
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name != "__main__.py" and "cdk_repairs" not in path.parts
]


TREE = [
    path.relative_to(ROOT)
    for path in sorted(ROOT.glob("*/**/*.py"))
    if path.relative_to(ROOT).parts[0] not in {".venv", "build"}
    and "cdk_repairs" not in path.parts
    and not path.name.startswith("test_cdk_")  # they show why each repair is needed
]
EXCEPTIONS = {
    Path("integration_tests/test_standard_suites.py"): {"_job_runner", "_read_assertions"},  # parts of Airbyte's suites
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def is_of_the_cdk(owner: type) -> bool:
    return owner.__module__.startswith("airbyte_cdk")


def private_imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("airbyte_cdk"):
            yield from (name.name for name in node.names if is_private(name.name))
            yield from (part for part in str(node.module).split(".") if is_private(part))


def private_attributes(owner: type) -> set[str]:
    """The private attributes of `self` that a class uses and that no class of this distribution sets."""
    ours = [base for base in owner.__mro__ if base.__module__.split(".")[0] in PACKAGES]
    used: set[str] = set()
    set_by_us: set[str] = set()
    for base in ours:
        set_by_us |= set(vars(base)) | set(getattr(base, "__annotations__", {}))
        if "cdk_repairs" in base.__module__:
            continue
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(base)))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in {"self", "cls"}
            ):
                (set_by_us if isinstance(node.ctx, ast.Store) else used).add(node.attr)
    inherited = {name for base in owner.__mro__ if is_of_the_cdk(base) for name in vars(base) if is_private(name)}
    overridden = {name for base in ours if "cdk_repairs" not in base.__module__ for name in vars(base)} & inherited
    return {name for name in used - set_by_us if is_private(name)} | overridden


def private_uses(tree: ast.AST) -> Iterator[str]:
    """The private attributes of what is imported from the CDK, read or set by name or as a string."""
    of_the_cdk = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("airbyte_cdk")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in of_the_cdk:
            yield node.attr
        if isinstance(node, ast.Call) and any(name in of_the_cdk for name in map(ast.unparse, node.args)):
            yield from (str(given.value) for given in node.args if isinstance(given, ast.Constant))


@pytest.mark.parametrize("path", TREE, ids=str)
def test_nothing_else_touches_a_private_name(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())
    found = {*private_imports(tree), *filter(is_private, private_uses(tree))}
    assert found == EXCEPTIONS.get(path, set())


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_private_name_of_the_cdk(path: Path) -> None:
    module = importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))

    assert list(private_imports(ast.parse((ROOT / path).read_text()))) == []
    for owner in vars(module).values():
        if inspect.isclass(owner) and owner.__module__ == module.__name__ and any(map(is_of_the_cdk, owner.__mro__)):
            assert private_attributes(owner) - {"_abc_impl"} == set(), owner
            assert "SLF001" not in inspect.getsource(module), "access to private names belongs in cdk_repairs"
