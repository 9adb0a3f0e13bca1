"""An in-memory bucket that records its requests."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from airbyte_cdk.models import ConfiguredAirbyteCatalog
from urllib3 import HTTPResponse

from cdp_connectors.json_types import Json
from source_heap.bucket import Bucket
from source_heap.run_config import RunConfig
from unit_tests.source_heap.avro_files import avro_file

NAME = "heap-rs3-example"


class MemoryBucket:
    """Stores dumps, and provides a `RunConfig` that reads them."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written_at: dict[str, str] = {}
        self.asked: list[str] = []

    def add_dump(self, dump_id: int, minute: int | None = None, **tables: Json) -> None:
        """Write a manifest; each table is a mapping of the fields of its entry, with file names instead of URIs."""
        entries = []
        for name, table in tables.items():
            files = [f"s3://{NAME}/sync_{dump_id}/{name}/{file}" for file in table.get("files", [])]
            entries.append({"name": name, "incremental": True, **table, "files": files})
        key = f"manifests/sync_{dump_id}.json"
        self.objects[key] = json.dumps({"dump_id": dump_id, "tables": entries}).encode()
        self.written_at[key] = f"2025-01-01T{(minute or dump_id) // 60:02}:{(minute or dump_id) % 60:02}:00.000Z"

    def add_file(self, dump_id: int, table: str, file: str, fields: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        self.objects[f"sync_{dump_id}/{table}/{file}"] = avro_file(fields, rows)

    def run(self, catalog: ConfiguredAirbyteCatalog | None = None) -> RunConfig:
        """A new run without any cached responses."""
        self.asked.clear()
        config = RunConfig({"bucket": NAME}, catalog)
        config.bucket = Bucket(NAME, self._list, self._get)
        return config

    def _list(self) -> Iterator[Mapping[str, Any]]:
        self.asked.append("LIST")
        for key in sorted(self.written_at):
            yield {"Key": key, "LastModified": self.written_at[key]}

    def _get(self, key: str, headers: Mapping[str, str]) -> requests.Response:
        byte_range = headers.get("Range", "")
        self.asked.append(f"{key} {byte_range}".strip())
        content = self.objects[key]
        if byte_range:
            first, _, last = byte_range.removeprefix("bytes=").partition("-")
            content = content[int(first) : int(last) + 1 if last else None]
        response = requests.Response()
        response.status_code = 206 if byte_range else 200
        response.headers["Content-Length"] = str(len(content))
        response.raw = HTTPResponse(io.BytesIO(content), preload_content=False)
        return response
