"""Compile Heap's encoder of RECORD lines, as a Hatchling build hook for every wheel or with `make encoder`."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

FOLDER = Path("source_heap/native")
LIBRARY = FOLDER / "encoder.so"
OPTIONS = (
    *("--edition", "2021", "--crate-type", "cdylib", "--crate-name", "encoder"),
    *("-C", "opt-level=3", "-C", "codegen-units=1", "-C", "lto=fat", "-C", "panic=abort", "-C", "strip=symbols"),
)


def compile_encoder(root: Path) -> str | None:
    """Write the library next to its source; returns the problem if that is not possible."""
    rustc = shutil.which("rustc")
    if rustc is None:
        return "rustc was not found"
    command = [rustc, *OPTIONS, "-o", str(root / LIBRARY), str(root / FOLDER / "lib.rs")]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    return compiled.stderr if compiled.returncode else None


class CompileEncoder(BuildHookInterface[Any]):
    """Adds the library to the wheel, whose tag then names the platform; without a compiler the wheel stays pure."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 # hatchling's own signature
        """Compile before the files are collected; an editable install uses the library in the source tree."""
        if failure := compile_encoder(Path(self.root)):
            self.app.display_warning(f"source-heap will encode rows in Python, several times slower: {failure}")
            return
        platform = next(tag.platform for tag in sys_tags() if "manylinux" not in tag.platform)
        build_data.update(pure_python=False, tag=f"py3-none-{platform}")
        build_data["artifacts"].append(str(LIBRARY))


if __name__ == "__main__":
    raise SystemExit(compile_encoder(Path(__file__).parents[1]))
