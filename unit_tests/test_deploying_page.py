"""docs/deploying.md: its snippets are valid, and agree with the metadata."""

import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
CONNECTORS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "metadata.yaml").read_text())["connectors"]
PAGES = ["README.md", "docs/deploying.md", "docs/scaling.md", "examples/README.md"]
PAGE = (ROOT / "docs" / "deploying.md").read_text()


def snippets(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def egress(name: str) -> list[str]:
    """The hosts in the connector's row of the table, with a region in place of REGION."""
    (row,) = re.findall(rf"^\| {name} \| (.*) \|$", PAGE.partition("## Egress")[2], re.MULTILINE)[:1]
    return [host.replace("REGION", "eu-central-1") for host in re.findall(r"`([a-z0-9-]+\.[A-Za-z0-9.-]+)`", row)]


@pytest.mark.parametrize("name", CONNECTORS)
def test_the_egress_list_agrees_with_the_metadata(name: str) -> None:
    allowed = CONNECTORS[name]["allowedHosts"]["hosts"]
    listed = egress(name)
    assert listed
    assert [host for host in listed if not any(fnmatch(host, f"*{pattern.lstrip('*.')}") for pattern in allowed)] == []
    assert {host for host in allowed if "*" not in host and "$" not in host} <= set(listed)


def test_policies_are_json() -> None:
    policies = [json.loads(snippet) for snippet in snippets("docs/deploying.md", "json")]
    assert {policy["Version"] for policy in policies} == {"2012-10-17"}


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_shell(page: str) -> None:
    for snippet in snippets(page, "sh"):
        checked = subprocess.run(["sh", "-n"], input=snippet, text=True, capture_output=True, check=False)  # noqa: S607 # the one on PATH
        assert (checked.returncode, checked.stderr) == (0, ""), snippet


@pytest.mark.parametrize("language", ["hcl", "sh"])
def test_images_have_the_versions_of_the_metadata(language: str) -> None:
    versions = {name: data["dockerImageTag"] for name, data in CONNECTORS.items()}
    text = "\n".join(snippets("docs/deploying.md", language))
    for name, version in re.findall(r"((?:source|destination)-[a-z]+):(\d+\.\d+\.\d+)", text):
        assert versions[name] == version
    assert set(re.findall(r"(?:image_tag\s*=|ImageTag\":) \"([0-9.]+)\"", text)) <= set(versions.values())


@pytest.mark.parametrize(
    ("language", "connection", "setting"),
    [
        ("hcl", 'resource "airbyte_connection"', 'non_breaking_schema_updates_behavior = "propagate_columns"'),
        ("sh", "post connections", 'nonBreakingSchemaUpdatesBehavior: "propagate_columns"'),
    ],
)
def test_no_connection_drops_new_fields(language: str, connection: str, setting: str) -> None:
    examples = [snippet for snippet in snippets("docs/deploying.md", language) if connection in snippet]
    assert examples
    assert all(snippet.count(connection) == snippet.count(setting) for snippet in examples)


def test_a_self_managed_airbyte_issues_its_own_tokens() -> None:
    (provider,) = (snippet for snippet in snippets("docs/deploying.md", "hcl") if 'provider "airbyte"' in snippet)
    assert "token_url" in provider
    assert any('"grant-type' in snippet.replace("\\", "") for snippet in snippets("docs/deploying.md", "sh"))
