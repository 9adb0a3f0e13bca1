"""The pure modules also serve Spark and Arrow, without airbyte-cdk, and executors, which start often."""

import json
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

import source_heap
from cdp_connectors.json_types import Json

# The packages that a module imports, and the maximum number of modules it may load; the CDK alone loads 1,500.
PURE: dict[str, tuple[set[str], int]] = {
    "source_heap": (set(), 50),
    "source_heap.errors": (set(), 50),
    "source_heap.missed_columns": (set(), 100),
    "source_heap.positions": (set(), 100),
    "source_heap.table_history": (set(), 100),
    "source_heap.manifests": ({"orjson"}, 200),
    "source_heap.rows": (set(), 100),
    "source_heap.avro.container": ({"cramjam"}, 100),
    "source_heap.avro.frames": ({"cramjam", "polars"}, 500),
    "source_heap.avro.json_schema": (set(), 100),
    "source_heap.avro.decoder": ({"cramjam", "fastavro", "orjson", "polars"}, 600),
    "source_heap.native": ({"orjson"}, 200),
    "source_heap.avro.lines": ({"cramjam", "orjson"}, 250),
    "source_heap.avro.splits": ({"cramjam"}, 100),
    "source_heap.avro.arrow": ({"cramjam", "fastavro", "orjson", "polars", "pyarrow"}, 700),
    "source_heap.progress": (set(), 100),
    "source_heap.settings": (set(), 100),
    "source_heap.table": ({"cramjam", "orjson", "requests", "urllib3"}, 400),
    "source_heap.s3": ({"botocore", "cramjam", "orjson", "requests", "urllib3"}, 600),
    "source_heap.file_rows": ({"cramjam", "fastavro", "orjson", "polars", "pyarrow", "requests", "urllib3"}, 900),
    "source_heap.table_scan": (
        {"botocore", "cramjam", "fastavro", "orjson", "polars", "pyarrow", "requests", "urllib3"},
        1200,
    ),
    "source_heap.transfer": ({"requests", "urllib3"}, 400),
    "source_heap.s3_errors": ({"botocore", "requests"}, 500),
    "source_heap.aws": ({"botocore", "requests"}, 500),
    "source_heap.bucket": ({"cramjam", "orjson", "requests", "urllib3"}, 400),
}
CONNECTOR = {"costs", "__main__", "run", "run_config", "source"}
DEPENDENCIES = {
    "botocore": {"dateutil", "jmespath", "six", "urllib3"},
    "fastavro": {"backports", "cramjam", "lz4", "zstandard"},
    "pyarrow": {"cloudpickle", "numpy", "pandas"},
    "polars": {"typing_extensions"},
    "requests": {"certifi", "chardet", "charset_normalizer", "idna", "urllib3"},
    "urllib3": {"backports", "brotli", "h2", "zstandard"},
}
LOADED = """
import importlib, json, sys, sysconfig
before = set(sys.modules)
importlib.import_module(sys.argv[1])
installed = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
loaded = [module for name, module in sys.modules.items() if name not in before]
files = {module.__name__: getattr(module, "__file__", None) or "" for module in loaded}
packages = {name.partition(".")[0] for name, file in files.items() if file.startswith(installed)}
print(json.dumps({"modules": len(loaded), "packages": sorted(packages)}))
"""


def loaded_by(module: str) -> Json:
    """The packages and the number of modules that a new interpreter loads to import this module."""
    command = [sys.executable, "-c", LOADED, module]
    return json.loads(subprocess.run(command, capture_output=True, check=True, cwd=folder().parent).stdout)


def folder() -> Path:
    return Path(source_heap.__file__).parent


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_loads_only_what_it_needs(module: str) -> None:
    packages, modules = PURE[module]
    loaded = loaded_by(module)
    found = {package for package in loaded["packages"] if not package.startswith("_")}
    indirect = {name for package in (*packages, "urllib3") for name in DEPENDENCIES.get(package, ())}
    assert packages <= found <= packages | indirect
    assert loaded["modules"] <= modules


def test_every_module_outside_components_is_pure_or_belongs_to_the_connector() -> None:
    paths = [path.relative_to(folder().parent).with_suffix("") for path in folder().rglob("*.py")]
    names = {".".join(path.parts).removesuffix(".__init__") for path in paths if "components" not in path.parts}
    assert names - {f"source_heap.{name}" for name in CONNECTOR} == {*PURE, "source_heap.avro"}


def required_by(extra: str) -> set[str]:
    """The packages that an extra of this project installs, including those of extras that it refers to."""
    required = set()
    for line in requires("cdp-connectors") or ():
        parts = re.fullmatch(r"([\w.-]+)(?:\[([^]]+)\])?[^;]*(?:; (.*))?", line)
        assert parts, line
        name, extras, condition = parts.groups()
        if condition and f"extra == '{extra}'" in condition.replace('"', "'"):
            inner = (extras or "").split(",") if name == "cdp-connectors" else ()
            required |= {name}.union(*map(required_by, inner)) - {"cdp-connectors"}
    return required


def test_the_extras_for_arrow_and_spark_do_not_install_airbyte() -> None:
    s3 = {"botocore", "cramjam", "fastavro", "orjson", "polars", "requests", "urllib3"}
    assert required_by("arrow") == required_by("spark") == s3 | {"pyarrow"}
    assert required_by("heap") > s3 | {"airbyte-cdk"}
