"""SIGTERM, with which Airbyte and Kubernetes end a connector, in the middle of a read."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from integration_tests.rows import JsonObject
from integration_tests.vendors import vendor
from sandbox.connector_process import ConnectorProcess, Output, configured

SOURCES = sorted(path.parent.name for path in Path(__file__).parents[1].glob("source_*/run.py"))


@pytest.mark.parametrize("package", SOURCES)
def test_ends_a_read_after_a_whole_line(package: str, tmp_path: Path) -> None:
    with vendor(package.replace("_", "-")) as (config, _):
        catalog = configured(ConnectorProcess(package).discover(config).catalog or {})
        for lines in (1, 200, 450, 700):
            output = read_until_terminated(package, tmp_path, lines, config=config, catalog=catalog)

            assert output.exit_code == 128 + signal.SIGTERM
            assert output.unreadable == []


def read_until_terminated(package: str, folder: Path, lines: int, **inputs: JsonObject) -> Output:
    command = [sys.executable, "-m", package, "read"]
    for option, content in inputs.items():
        path = folder / f"{option}.json"
        path.write_text(json.dumps(content))
        command += [f"--{option}", str(path)]
    output = Output()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for count, line in enumerate(process.stdout or (), start=1):
            output.add(line)
            if count == lines:
                process.send_signal(signal.SIGTERM)
    output.exit_code = process.returncode
    return output
