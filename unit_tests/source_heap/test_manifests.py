import json
from typing import Any

import pytest

from source_heap.manifests import (
    TableEntry,
    UnreadableManifestError,
    bucket_of,
    folder_of,
    listed_manifests,
    parse_manifest,
)
from source_heap.positions import Manifest

BUCKET = "heap-rs3-example"


def entry(key: str, written_at: str = "2025-01-01T00:00:00.000Z") -> dict[str, str]:
    return {"Key": key, "LastModified": written_at}


def parsed(*tables: dict[str, Any]) -> dict[str, TableEntry]:
    return parse_manifest(json.dumps({"dump_id": 1, "tables": tables}).encode(), BUCKET, {})


def test_both_spellings_are_manifests_sorted_by_number() -> None:
    keys = ["manifests/1000.json", "manifests/sync_1008461850.json", "manifests/sync_999.json"]
    assert [m.dump_id for m in listed_manifests(map(entry, keys))] == [999, 1000, 1008461850]


@pytest.mark.parametrize(
    "key",
    [
        "manifests/",
        "manifests/notes.json",
        "manifests/sync_12.json.tmp",
        "manifests/old/sync_12.json",
        "manifests/sync_.json",
        "imported_manifests/sync_12.json",
        "manifests/sync_12_json",
    ],
)
def test_other_objects_are_ignored(key: str) -> None:
    assert listed_manifests([entry(key)]) == []


def test_a_dump_in_both_spellings_counts_once() -> None:
    keys = [entry("manifests/7.json", "2025-01-02T00:00:00Z"), entry("manifests/sync_7.json", "2025-01-01T00:00:00.5Z")]
    assert listed_manifests(keys) == [
        Manifest(7, ("manifests/7.json", "manifests/sync_7.json"), "2025-01-02T00:00:00.000Z")
    ]


@pytest.mark.parametrize(
    ("listed", "written_at"),
    [
        ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000Z"),
        ("2025-01-01T00:00:00.5Z", "2025-01-01T00:00:00.500Z"),
        ("2025-01-01T00:00:00.123456789Z", "2025-01-01T00:00:00.123Z"),
    ],
)
def test_modification_times_have_three_decimals(listed: str, written_at: str) -> None:
    assert listed_manifests([entry("manifests/1.json", listed)])[0].written_at == written_at


def test_uris_of_files_in_the_bucket_become_keys() -> None:
    files = [
        f"s3://{BUCKET}/sync_1/t/a b=ü.avro",
        f"s3a://{BUCKET}/x",
        "s3://another/sync_1/t/b.avro",
        "plain/key.avro",
    ]
    (table,) = parsed({"name": "t", "incremental": True, "columns": ["a"], "files": files}).values()
    assert table.files == ("sync_1/t/a b=ü.avro", "x", "s3://another/sync_1/t/b.avro", "plain/key.avro")
    assert [bucket_of(file) for file in table.files] == [None, None, "another", None]


def test_many_file_names_are_kept_compressed() -> None:
    files = [f"sync_1/t/part-{i:05}-6fe8f1f4-5d1d-4f7f-9cd1-aaaaaaaaaaaa-c000.avro" for i in range(11_000)]
    table = TableEntry.of(incremental=True, columns=(), files=files)
    assert list(table.files) == files
    assert len(table._files) < 100_000  # noqa: SLF001 # the size is the point


@pytest.mark.parametrize("table", [{}, {"files": None, "columns": None}, {"files": [], "columns": []}])
def test_a_table_may_lack_files_and_columns(table: dict[str, Any]) -> None:
    assert parsed({"name": "t", "incremental": False, **table}) == {"t": TableEntry(False, (), "")}  # noqa: FBT003 # as compared


def test_a_table_is_incremental_if_its_manifest_does_not_specify_it(caplog: pytest.LogCaptureFixture) -> None:
    assert parsed({"name": "t"})["t"].incremental
    assert "does not specify whether table 't' is incremental" in caplog.text


def test_two_entries_of_a_dump_are_joined() -> None:
    one = TableEntry.of(incremental=True, columns=("a",), files=["x", "y"])
    other = TableEntry.of(incremental=False, columns=("b", "a"), files=["y", "z"])
    assert one.joined(other) == TableEntry.of(incremental=False, columns=("a", "b"), files=["x", "y", "z"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[]", "no list of tables"),
        (b'{"tables": {}}', "no list of tables"),
        (b'{"tables": [{}]}', "no name"),
        (b'{"tables": ["t"]}', "no name"),
        (b'{"tables": [{"name": "t", "files": "a"}]}', "files or columns of table 't'"),
        (b'{"tables": [{"name": "t", "columns": [1]}]}', "files or columns of table 't'"),
    ],
)
def test_the_error_for_an_unreadable_manifest_gives_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableManifestError, match=reason):
        parse_manifest(content, BUCKET, {})


@pytest.mark.parametrize("path_prefix", ["heap/production", "/heap/production/", "heap/production/"])
def test_a_copy_of_the_export_is_read_from_its_folder(path_prefix: str) -> None:
    folder = folder_of(path_prefix)
    assert folder == "heap/production/"
    listed = [
        {"Key": key, "LastModified": "2025-01-01T00:00:00.000Z"}
        for key in ("heap/production/manifests/sync_7.json", "manifests/sync_8.json", "heap/manifests/sync_9.json")
    ]
    assert [manifest.dump_id for manifest in listed_manifests(listed, folder)] == [7]
    files = ["s3://heap-rs3-original/sync_7/users/a.avro", f"s3://lake/{folder}sync_7/users/b.avro"]
    content = json.dumps({"dump_id": 7, "tables": [{"name": "users", "incremental": True, "files": files}]}).encode()
    found = parse_manifest(content, "lake", {}, folder)["users"]
    assert found.files == ("heap/production/sync_7/users/a.avro", "heap/production/sync_7/users/b.avro")


@pytest.mark.parametrize("path_prefix", [None, "", "/"])
def test_without_a_folder_the_export_is_the_whole_bucket(path_prefix: str | None) -> None:
    assert folder_of(path_prefix) == ""
