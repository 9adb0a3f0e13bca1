"""metadata.yaml: valid by Airbyte's own model, and consistent with everything that repeats it."""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
import yaml
from airbyte_connector_models.metadata.v0 import connector_metadata_definition_v0 as airbyte

from scripts.stream_tables import streams

ROOT = Path(__file__).parent.parent
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text())
CONNECTORS: dict[str, dict[str, Any]] = METADATA["connectors"]
PYPROJECT = (ROOT / "pyproject.toml").read_text()
SCRIPTS = re.findall(r'^([a-z-]+) = "\w+\.run:run"$', PYPROJECT, re.MULTILINE)
URL_IN_TEMPLATE = re.compile(r"'(https://[^'/]+)'")


def folder(name: str) -> Path:
    return ROOT / name.replace("-", "_")


PRESENT = [name for name in CONNECTORS if folder(name).is_dir()]
SOURCES = [name for name in PRESENT if (folder(name) / "manifest.yaml").exists()]


def manifest(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((folder(name) / "manifest.yaml").read_text())
    return loaded


@pytest.mark.parametrize("name", CONNECTORS)
def test_is_valid_for_airbyte(name: str) -> None:
    definition = {"metadataSpecVersion": METADATA["metadataSpecVersion"], "data": CONNECTORS[name]}
    airbyte.ConnectorMetadataDefinitionV0.model_validate(definition)


def test_every_connector_has_an_entry_and_every_entry_its_script() -> None:
    folders = [path.parent for path in ROOT.glob("*/run.py")]
    assert {path.name.replace("_", "-") for path in folders} <= set(CONNECTORS)
    assert set(PRESENT) == set(SCRIPTS)


@pytest.mark.parametrize("field", ["definitionId", "dockerRepository", "githubIssueLabel"])
def test_no_two_connectors_share(field: str) -> None:
    assert len({data[field] for data in CONNECTORS.values()}) == len(CONNECTORS)


@pytest.mark.parametrize("name", CONNECTORS)
def test_the_name_is_the_same_in_every_field(name: str) -> None:
    data = CONNECTORS[name]
    assert data["dockerRepository"].split("/")[-1] == data["githubIssueLabel"] == name
    assert name.startswith(data["connectorType"])


@pytest.mark.parametrize("name", CONNECTORS)
def test_licence_is_the_projects(name: str) -> None:
    assert f'\nlicense = "{CONNECTORS[name]["license"]}"\n' in PYPROJECT


@pytest.mark.parametrize("name", PRESENT)
def test_icon_exists_and_is_square(name: str) -> None:
    icon = (folder(name) / CONNECTORS[name]["icon"]).read_text()
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', icon)
    assert size
    assert size[1] == size[2]


@pytest.mark.parametrize("name", PRESENT)
def test_changelog_has_a_row_for_the_version(name: str) -> None:
    changelog = (folder(name) / "README.md").read_text().partition("## Changelog")[2]
    assert f"\n| {CONNECTORS[name]['dockerImageTag']} | " in changelog


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_major_version_says_what_breaks(name: str) -> None:
    major, minor, patch = CONNECTORS[name]["dockerImageTag"].split(".")
    if int(major) and (minor, patch) == ("0", "0"):
        assert f"{major}.0.0" in CONNECTORS[name]["releases"]["breakingChanges"]


@pytest.mark.parametrize("name", SOURCES)
def test_the_manifest_has_the_version_of_the_locked_cdk(name: str) -> None:
    lock = (ROOT / "requirements" / "http.txt").read_text()
    assert f"airbyte-cdk=={manifest(name)['version']} " in lock


@pytest.mark.parametrize("name", SOURCES)
def test_suggested_streams_exist(name: str) -> None:
    suggested = CONNECTORS[name]["suggestedStreams"]["streams"]
    if "dynamic_streams" in manifest(name):
        page = (folder(name) / "README.md").read_text().partition("## Supported streams")[2].partition("\n## ")[0]
        assert [stream for stream in suggested if f"`{stream}`" not in page] == []
    else:
        assert set(suggested) <= {row.stream.strip("`") for row in streams(folder(name).name)}


@pytest.mark.parametrize("name", SOURCES)
def test_airbyte_waits_longer_than_the_longest_silence(name: str) -> None:
    text = (folder(name) / "manifest.yaml").read_text()
    waits = [int(seconds) for seconds in re.findall(r"max_waiting_time_in_seconds: (\d+)", text)]
    timeouts = [int(seconds) for seconds in re.findall(r"(?:read|connect)_timeout_in_seconds: (\d+)", text)]
    assert CONNECTORS[name]["maxSecondsBetweenMessages"] > max(waits, default=0) + sum(timeouts)


@pytest.mark.parametrize("name", PRESENT)
def test_allowed_hosts_are_those_that_the_connector_can_reach(name: str) -> None:
    allowed = CONNECTORS[name]["allowedHosts"]["hosts"]
    reachable = set(hosts_in_python(folder(name))) | set(hosts_in_manifest(folder(name)))
    assert reachable
    assert [host for host in reachable if not any(fnmatch(host, pattern) for pattern in allowed)] == []
    assert {host for host in allowed if "*" not in host and "$" not in host} <= reachable


def hosts_in_manifest(connector: Path) -> Iterator[str]:
    """The hosts of the URLs in templates, without those shown to users as examples or documentation."""
    path = connector / "manifest.yaml"
    urls = URL_IN_TEMPLATE.findall(path.read_text()) if path.exists() else []
    return (str(urlsplit(url).hostname) for url in urls)


def hosts_in_python(connector: Path) -> Iterator[str]:
    """The hosts of the URLs that are assigned to a constant or a variable."""
    for path in connector.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign):
                yield from hosts_in_expression(node.value)


def hosts_in_expression(expression: ast.expr) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Constant) and str(node.value).startswith("https://"):
            host = str(urlsplit(str(node.value)).hostname)
            if "." in host.strip("."):
                yield host


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("service", ["s3", "sts"])
def test_heaps_hosts_cover_every_partition_of_aws(region: str, service: str) -> None:
    client = botocore.session.get_session().create_client(service, region_name=region)
    host = str(urlsplit(client.meta.endpoint_url).hostname)
    assert any(fnmatch(host, pattern) for pattern in CONNECTORS["source-heap"]["allowedHosts"]["hosts"])


@pytest.mark.parametrize("name", CONNECTORS)
def test_the_image_has_the_base_and_labels_of_the_metadata(name: str, tmp_path: Path) -> None:
    data, dockerfile = CONNECTORS[name], (ROOT / "Dockerfile").read_text()
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    docker.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    built = subprocess.run(
        ["/bin/sh", "scripts/build-images.sh", name],
        cwd=ROOT,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert f"BASE_IMAGE={data['connectorBuildOptions']['baseImage']}\n" in dockerfile
    assert f" AS {name}\n" in dockerfile
    assert f"{data['dockerRepository']}:{data['dockerImageTag']}" in built
    assert f"io.airbyte.name={data['dockerRepository']}" in built
    assert f"io.airbyte.version={data['dockerImageTag']}" in built
    assert f"org.opencontainers.image.title={name}" in built
    assert f"org.opencontainers.image.licenses={data['license']}" in built


@pytest.mark.parametrize("name", PRESENT)
def test_the_acceptance_configuration_names_the_image(name: str) -> None:
    acceptance = yaml.safe_load((folder(name) / "acceptance-test-config.yml").read_text())
    assert acceptance["connector_image"] == f"{CONNECTORS[name]['dockerRepository']}:dev"


def test_the_destination_supports_refreshes_and_data_activation() -> None:
    data = CONNECTORS["destination-segment"]
    assert (data["supportsRefreshes"], data["supportsDataActivation"]) == (True, True)
