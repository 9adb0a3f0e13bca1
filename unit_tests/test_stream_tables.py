"""The READMEs' tables of streams are current and miss no readable endpoint."""

import json
import re

import pytest

from scripts.stream_tables import ROOT, SOURCES, rewritten, streams
from unit_tests.vendor_documents import DOCUMENTS, needs_documents

per_source = pytest.mark.parametrize("package", SOURCES)


def same_path(path: str) -> str:
    """The path without parameter names and version."""
    return re.sub(r"\{[^}]*\}", "{}", path).removeprefix("/v1")


def documented(package: str) -> set[str]:
    """Every path that the vendor documents with the method GET."""
    if package == "source_segment":
        document = json.loads((DOCUMENTS / "segment" / "get-endpoints-v73.json").read_text())
        return {same_path(operation["path"]) for operation in document["operations"].values()}
    document = json.loads((DOCUMENTS / "customerio" / "openapi-2025.json").read_text())
    return {same_path(path) for path, item in document["paths"].items() if "get" in item}


def read(package: str) -> set[str]:
    endpoints = [stream.endpoint.strip("`").partition(" ")[::2] for stream in streams(package)]
    return {same_path(path) for method, path in endpoints if method == "GET"}


def not_read(package: str) -> set[str]:
    readme = (ROOT / package / "README.md").read_text()
    section = readme.partition("## Endpoints not read")[2].partition("\n## ")[0]
    return {same_path(path) for path in re.findall(r"`(/[^`]*)`", section)}


@per_source
def test_the_readme_has_the_current_stream_table(package: str) -> None:
    assert (ROOT / package / "README.md").read_text() == rewritten(package)


@per_source
def test_no_stream_reads_an_endpoint_listed_as_not_read(package: str) -> None:
    assert read(package) & not_read(package) == set()


@needs_documents
@per_source
def test_every_documented_get_endpoint_is_read_or_listed_as_not_read(package: str) -> None:
    assert documented(package) - read(package) - not_read(package) == set()


@needs_documents
@per_source
def test_every_endpoint_listed_as_not_read_is_documented(package: str) -> None:
    assert not_read(package) - documented(package) == set()
