"""Start-up cost of a connector: `spec` compared with a bare import of the CDK, by package of the modules."""

import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROUNDS = 7
SHOWN = 8
_IMPORT = re.compile(r"^import time:\s+(?P<own>\d+) \|\s+\d+ \|\s*(?P<module>\S+)$", re.MULTILINE)


def run() -> None:
    """Measure every connector alternately with the bare import, so that both run under the same conditions."""
    for package in sorted(path.parent.name for path in Path().glob("*/run.py")):
        bare, spec = _medians(["-c", "import airbyte_cdk"], ["-m", package, "spec"])
        print(f"{package}: start-up, median of {ROUNDS}")
        print(f"  import airbyte_cdk        {bare:.2f} s")
        print(f"  spec                      {spec:.2f} s, ratio {spec / bare:.2f}")
        _print_own_share(package)


def _medians(*commands: list[str]) -> Iterator[float]:
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(ROUNDS):
        for command, taken in zip(commands, times, strict=True):
            started = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - started)
    return map(statistics.median, times)


def _print_own_share(package: str) -> None:
    """Print the import time that the connector adds to that of the CDK's entry point, by top-level package."""
    cdk = _import_times("import airbyte_cdk.entrypoint, airbyte_cdk.sources.declarative.yaml_declarative_source")
    connector = _import_times(f"import {package}.run")
    total = sum(connector.values())
    added: Counter[str] = Counter()
    for module in connector.keys() - cdk.keys():
        added[module.partition(".")[0]] += connector[module]
    print(f"  import of the connector   {total / 1e6:.2f} s; it adds to the CDK's:")
    for name, microseconds in added.most_common(SHOWN):
        print(f"    {name:<24}{microseconds / 1e3:6.0f} ms  {microseconds / total:.1%}")


def _import_times(statement: str) -> dict[str, int]:
    """The import time of each module in microseconds, excluding the modules that it imports."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return {match["module"]: int(match["own"]) for match in _IMPORT.finditer(printed)}
