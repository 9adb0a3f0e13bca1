"""The location of the vendors' API documents, which belong to the vendors and are not part of this project.

`VENDOR_DOCS` is a folder with copies of them: `segment/openapi-v32.yaml` (Segment's OpenAPI document of November
2022), `segment/get-endpoints-v73.json` (the GET operations of its API 73.2.0 of August 2026, with the records as JSON
schemas) and `customerio/openapi-2025.json` (Customer.io's OpenAPI document of 2025).
"""

import os
from pathlib import Path

import pytest

DOCUMENTS = Path(os.environ.get("VENDOR_DOCS", ""))

needs_documents = pytest.mark.skipif(
    "VENDOR_DOCS" not in os.environ,
    reason="needs the vendors' API documents, which are not in this repository: set VENDOR_DOCS to a folder with "
    "copies of them (CONTRIBUTING.md, Tests)",
)
