"""`python -m scripts.airbyte_layout NAME FOLDER`: export one connector in the layout of Airbyte's monorepo.

Airbyte's tools expect each connector in its own folder, with its own metadata.yaml, and its user documentation under
docs/. The export is only for these tools to read: nothing is built from it, and it is replaced every time.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
CACHES = shutil.ignore_patterns("__pycache__")


def main() -> None:
    """Parse the command line and write the layout."""
    connectors = yaml.safe_load((ROOT / "metadata.yaml").read_text())["connectors"]
    parser = argparse.ArgumentParser(prog="python -m scripts.airbyte_layout", description=__doc__)
    parser.add_argument("name", choices=connectors)
    parser.add_argument("folder", type=Path, help="the root of the layout; the connector's parts in it are replaced")
    arguments = parser.parse_args()
    print(project(arguments.name, arguments.folder))


def project(name: str, folder: Path) -> Path:
    """Write the connector below `folder`; returns the connector's folder there.

    Two fields of its metadata differ from ours: `documentationUrl` is the URL that the page would have at Airbyte, and
    `dockerRepository` is in Airbyte's namespace, because Airbyte's tools look up both by these rules.
    """
    document = yaml.safe_load((ROOT / "metadata.yaml").read_text())
    package = name.replace("-", "_")
    kind, _, vendor = name.partition("-")
    page = f"integrations/{kind}s/{vendor}"
    data = document["connectors"][name] | {
        "documentationUrl": f"https://docs.airbyte.com/{page}",
        "dockerRepository": f"airbyte/{name}",
    }
    connector = folder / "airbyte-integrations" / "connectors" / name
    if connector.exists():
        shutil.rmtree(connector)
    for part in (package, "cdp_connectors"):
        shutil.copytree(ROOT / part, connector / part, ignore=CACHES)
    for file in (data["icon"], "acceptance-test-config.yml", "README.md"):
        shutil.move(connector / package / file, connector / file)
    metadata = {"metadataSpecVersion": document["metadataSpecVersion"], "data": data}
    (connector / "metadata.yaml").write_text(yaml.safe_dump(metadata, sort_keys=False))
    (connector / "pyproject.toml").write_text(_poetry(name, package, data))
    docs = folder / "docs" / f"{page}.md"
    docs.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(connector / "README.md", docs)
    return connector


def _poetry(name: str, package: str, data: dict[str, Any]) -> str:
    """The part of a Poetry project that Airbyte's tools read."""
    return f"""[tool.poetry]
name = "airbyte-{name}"
version = "{data["dockerImageTag"]}"
description = "{data["name"]} {data["connectorType"]}"
authors = []
license = "{data["license"]}"
packages = [{{ include = "{package}" }}, {{ include = "cdp_connectors" }}]

[tool.poetry.dependencies]
python = ">=3.10,<3.14"
airbyte-cdk = "^7.39.1"

[tool.poetry.scripts]
{name} = "{package}.run:run"
"""


if __name__ == "__main__":
    main()
