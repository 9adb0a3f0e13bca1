"""CONTRIBUTING lists every file that a new stream touches: after its steps, the unit tests pass in a copy.

The tests of the new stream do so in every run, those of all other streams in `make test-long`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("cdp_connectors", "sandbox", "scripts", "source_customerio", "source_heap", "source_segment", "unit_tests")
MANIFEST = "source_segment/manifest.yaml"
NEIGHBOURS = {
    MANIFEST: ("  - $parameters: {name: labels, ",),
    "sandbox/segment/source_details.py": ('            Listing(\n                path="/labels",\n',),
    "unit_tests/source_segment/contracts.py": ('    Contract("labels", ',),
}
"""The lines before which the blocks of CONTRIBUTING are inserted, in order."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of everything that the tests of a source need."""
    for folder in COPIED:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "target"))
    for file in ("pyproject.toml", "metadata.yaml", "README.md"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


@pytest.fixture
def whole_tree(tmp_path: Path) -> Path:
    """A copy of everything."""
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "build", "target", "*.egg-info")
    return shutil.copytree(ROOT, tmp_path / "tree", ignore=ignored)


def blocks() -> list[str]:
    """The fenced blocks of the section, without their indentation in the list."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    section = page[page.index("## Add a stream in ten minutes") :].split("\n## ")[0]
    found = re.findall(r"^ {3}```\w+\n(.*?)^ {3}```$", section, re.DOTALL | re.MULTILINE)
    return [re.sub(r"^ {3}", "", block, flags=re.MULTILINE) for block in found]


def run(tree: Path, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "PATH": os.environ["PATH"], "HOME": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-3_000:] + finished.stderr[-3_000:]
    return finished.stdout


def add_widgets(tree: Path) -> None:
    """Follow the steps of the section."""
    schema, *insertions = blocks()
    (tree / "source_segment" / "schemas" / "widgets.json").write_text(schema)
    places = [(file, neighbour) for file, neighbours in NEIGHBOURS.items() for neighbour in neighbours]
    assert len(places) == len(insertions)
    for (file, neighbour), block in zip(places, insertions, strict=True):
        content = (tree / file).read_text()
        assert content.count(neighbour) == 1, (file, neighbour)
        if file.endswith(".py"):  # an item of a list
            block = indent(block.rstrip() + ",\n", re.match(r" *", neighbour)[0])  # noqa: PLW2901 # the same block
        (tree / file).write_text(content.replace(neighbour, block + neighbour))
    run(tree, "scripts.stream_tables")  # the two commands of `make streams`
    run(tree, "scripts.cost_tables")


def run_tests(tree: Path, *arguments: str) -> int:
    """The number of tests that passed; none may fail."""
    passed = re.search(r"(\d+) passed", run(tree, "pytest", "-q", "-p", "no:cacheprovider", *arguments))
    return int(passed[1]) if passed else 0


def test_nothing_but_the_listed_places_is_needed_for_a_new_stream(tree: Path) -> None:
    add_widgets(tree)

    assert "`GET /widgets`" in (tree / "source_segment" / "README.md").read_text()
    tests = [
        "unit_tests/source_segment",
        "unit_tests/sandbox",
        "unit_tests/test_stream_tables.py",
        "unit_tests/test_cost_tables.py",
    ]
    assert run_tests(tree, "-k", "widgets or test_stream_tables or test_cost_tables", *tests) > 10


@pytest.mark.long_tests
def test_a_new_stream_breaks_no_test_of_another_stream(whole_tree: Path) -> None:
    add_widgets(whole_tree)

    tests = [f"unit_tests/{path.name}" for path in sorted((whole_tree / "unit_tests").glob("test_*.py"))]
    tests.remove(f"unit_tests/{Path(__file__).name}")
    tests += ["unit_tests/sandbox", "unit_tests/source_segment"]
    assert run_tests(whole_tree, "--numprocesses", "auto", *tests) > 1_000
