"""Small objects of the bucket: manifests and headers, of which a truncated transfer is repeated."""

import io
import json
from collections.abc import Mapping

import pytest
import requests
from urllib3 import HTTPResponse

from source_heap.bucket import Bucket
from source_heap.errors import ConfigError, TransientError
from source_heap.transfer import ATTEMPTS_WITHOUT_PROGRESS
from unit_tests.source_heap.memory_bucket import MemoryBucket

LISTED = [{"Key": "manifests/sync_1.json", "LastModified": "2026-01-01T00:00:00.000Z"}]
MANIFEST = json.dumps(
    {"tables": [{"name": "users", "incremental": True, "files": [], "columns": ["user_id"]}]}
).encode()


class Store:
    """A manifest whose first `broken` transfers end halfway."""

    def __init__(self, broken: int) -> None:
        self.broken = broken
        self.requests = 0

    def __call__(self, key: str, headers: Mapping[str, str]) -> requests.Response:  # noqa: ARG002 # as Bucket calls it
        self.requests += 1
        body = MANIFEST[: len(MANIFEST) // 2] if self.requests <= self.broken else MANIFEST
        response = requests.Response()
        response.status_code = 200
        length = {"Content-Length": str(len(MANIFEST))}
        response.raw = HTTPResponse(
            io.BytesIO(body),
            length,
            status=200,
            preload_content=False,
            request_method="GET",
            enforce_content_length=True,
        )
        return response


def bucket(store: Store) -> Bucket:
    return Bucket("heap-rs3-example", lambda: LISTED, store)


def test_a_truncated_manifest_is_fetched_again() -> None:
    store = Store(broken=2)
    found = bucket(store)
    assert list(found.entries(found.manifests())[1]) == ["users"]
    assert store.requests == 3


def test_a_manifest_that_is_always_truncated_is_a_transient_error() -> None:
    store = Store(broken=100)
    found = bucket(store)
    with pytest.raises(TransientError, match=r"transfer of 'manifests/sync_1\.json' was interrupted"):
        found.entries(found.manifests())
    assert store.requests == ATTEMPTS_WITHOUT_PROGRESS


def test_an_earlier_listing_is_not_repeated() -> None:
    listed = bucket(Store(broken=0)).manifests()
    assert Bucket("heap-rs3-example", pytest.fail, Store(broken=0), manifests=listed).manifests() == listed


def test_a_dump_with_two_manifests_has_the_tables_and_files_of_both() -> None:
    memory = MemoryBucket()
    memory.add_dump(7, clicks={"files": ["a.avro"]}, users={"files": ["a.avro"]})
    memory.objects["manifests/7.json"] = memory.objects["manifests/sync_7.json"]
    memory.written_at["manifests/7.json"] = memory.written_at["manifests/sync_7.json"]
    memory.add_dump(7, clicks={"files": ["a.avro", "b.avro"]}, purchases={"files": ["a.avro"]})
    found = memory.run().bucket
    assert found
    assert {name: entry.files for name, entry in found.entries(found.manifests())[7].items()} == {
        "clicks": ("sync_7/clicks/a.avro", "sync_7/clicks/b.avro"),
        "users": ("sync_7/users/a.avro",),
        "purchases": ("sync_7/purchases/a.avro",),
    }


def test_an_object_that_is_not_an_avro_file_is_a_config_error_that_names_it() -> None:
    memory = MemoryBucket()
    memory.objects["sync_1/users/a.avro"] = b"user_id,email"
    found = memory.run().bucket
    assert found
    with pytest.raises(ConfigError, match=r"File 'sync_1/users/a\.avro' is not a valid Avro file: missing Avro magic"):
        found.record_schemas(["sync_1/users/a.avro"])
